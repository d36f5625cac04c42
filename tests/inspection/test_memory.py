import subprocess
import sys

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_core.inspection.memory import (
    activation_bytes,
    kv_cache_bytes,
    optimizer_bytes,
    parameter_bytes,
    training_bytes,
)
from llm_core.layers.trace import Trace
from llm_core.models.config import TransformerConfig
from tests.inspection.shapes import build, configs

SHAPE = {"vocab_size": 50, "context_length": 64, "d_model": 48, "n_layers": 3, "n_heads": 4}


def kept_for_the_backward_pass(model, *arguments, **options):
    """Bytes of all memory that autograd holds on to, the weights themselves not counted."""
    own = {parameter.untyped_storage().data_ptr() for parameter in model.parameters()}
    held = {}

    def hold(tensor):
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in own:
            held[storage.data_ptr()] = storage
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(hold, lambda tensor: tensor):
        model(*arguments, **options)
    return sum(storage.nbytes() for storage in held.values())


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"bias": False},
        {"n_layers": 6, "d_ff": 100},
        {"activation": "relu"},
        {"activation": "relu_squared"},
        {"activation": "swiglu"},
        {"norm": "rmsnorm"},
        {"norm_placement": "post"},
        {"norm_placement": "post", "embedding_norm": True},
        {"position": "none", "tie_embeddings": False},
        {"position": "sinusoidal"},
        {"position": "rope"},
        {"position": "rope", "n_kv_heads": 1},
        {"position": "rope", "norm": "rmsnorm", "qk_norm": True, "activation": "relu_squared"},
        {"qk_norm": True},
        {"n_kv_heads": 2},
        {"position": "alibi"},
        {"position": "t5"},
        {"position": "shaw"},
        {"position": "shaw", "n_kv_heads": 2},
        {"kind": "encoder", "mlm_head": True, "norm_placement": "post", "embedding_norm": True},
        {"kind": "encoder", "mlm_head": True, "position": "t5"},
        {"kind": "encoder-decoder"},
        {"kind": "encoder-decoder", "qk_norm": True},
        {"kind": "encoder-decoder", "position": "rope", "norm": "rmsnorm", "n_kv_heads": 2},
        {"kind": "encoder-decoder", "norm_placement": "post", "activation": "relu"},
    ],
    ids=str,
)
@pytest.mark.parametrize(("batch", "length"), [(4, 32), (1, 64), (16, 8)])
@pytest.mark.parametrize("fused", [True, False])
def test_activations_are_about_what_autograd_holds(change, batch, length, fused):
    config = TransformerConfig(**(SHAPE | change))
    ids = torch.randint(50, (batch, length))
    both = (ids, ids) if config.kind == "encoder-decoder" else (ids,)
    trace = None if fused else Trace(only=("*.weights",))
    held = kept_for_the_backward_pass(build(config), *both, ids, trace=trace)
    source_length = length if len(both) == 2 else 0
    counted = activation_bytes(
        config, length=length, batch=batch, source_length=source_length, fused=fused
    )
    assert counted == pytest.approx(held, rel=0.08)
    if change in ({}, {"bias": False}):
        assert counted == pytest.approx(held, abs=16)


@settings(max_examples=30, deadline=None)
@given(config=configs(kinds=("decoder", "encoder-decoder")), batch=st.integers(1, 3))
def test_a_cache_takes_what_is_said(config, batch):
    config = TransformerConfig(**{**vars(config), "window": None})
    cache = build(config).new_cache(batch, capacity=7)
    assert cache.nbytes() == kv_cache_bytes(config, length=7, batch=batch)
    half = build(config).to(torch.bfloat16).new_cache(batch, capacity=7)
    assert half.nbytes() == kv_cache_bytes(config, length=7, batch=batch, number=2)


@pytest.mark.parametrize(
    ("name", "optimizer"),
    [
        ("sgd", lambda p: torch.optim.SGD(p, lr=0.1)),
        ("momentum", lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9)),
        ("adamw", torch.optim.AdamW),
    ],
)
def test_optimizers_remember_what_is_said(name, optimizer):
    config = TransformerConfig(**SHAPE)
    model = build(config)
    ids = torch.randint(50, (1, 8))
    model(ids, ids).loss.backward()
    optimizer = optimizer(model.parameters())
    optimizer.step()
    held = sum(
        value.nbytes
        for state in optimizer.state.values()
        for value in state.values()
        if isinstance(value, torch.Tensor) and value.ndim  # AdamW's step counters are no matter
    )
    assert optimizer_bytes(config, optimizer=name) == held


def test_training_needs_weights_gradients_optimizer_and_activations():
    config = TransformerConfig(**SHAPE)
    weights = sum(parameter.nbytes for parameter in build(config).parameters())
    assert parameter_bytes(config) == weights
    assert parameter_bytes(config, number=2) == weights / 2
    expected = 4 * weights + activation_bytes(config, length=32, batch=4)
    assert training_bytes(config, length=32, batch=4) == expected


def test_an_unknown_optimizer_is_named():
    with pytest.raises(ValueError, match="no optimizer 'magic': choose of sgd"):
        optimizer_bytes(TransformerConfig(**SHAPE), optimizer="magic")


def test_counting_needs_no_torch():
    code = "import sys, llm_core.inspection.memory; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
