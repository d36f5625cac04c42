"""The flat pass of one token is `GPT.forward`, or is not offered."""

import pytest
import torch
from torch import nn

from llm_core.models.config import TransformerConfig
from llm_core.models.gpt import GPT
from llm_core.models.one_token import one_token_pass

SHAPES = {
    "gpt-2": {"bias": True, "activation": "gelu_tanh"},
    "no bias, untied": {"bias": False, "tie_embeddings": False},
    "llama": {
        "position": "rope",
        "norm": "rmsnorm",
        "activation": "swiglu",
        "n_kv_heads": 2,
        "bias": False,
    },
    "qk-norm, no positions": {"position": "none", "qk_norm": True, "activation": "relu_squared"},
    "scaled embeddings": {"scale_embeddings": True, "position": "rope"},
}
OTHERS = {
    "post-norm": {"norm_placement": "post"},
    "alibi": {"position": "alibi"},
    "t5": {"position": "t5", "max_distance": 20},
    "shaw": {"position": "shaw", "max_distance": 4},
    "sinusoidal": {"position": "sinusoidal"},
    "window": {"position": "rope", "window": 4},
    "embedding norm": {"embedding_norm": True},
}


def build(**changes):
    shape = {"vocab_size": 31, "context_length": 16, "d_model": 24, "n_layers": 2, "n_heads": 4}
    config = TransformerConfig(**(shape | changes))
    return GPT(config, generator=torch.Generator().manual_seed(1)).eval()


def both(model, batch=1, count=6):
    """Logits after each of some tokens, one by one: by the flat pass, and by the model."""
    flat = one_token_pass(model)
    ids = torch.randint(31, (batch, 3 + count), generator=torch.Generator().manual_seed(2))
    results = []
    with torch.inference_mode():
        for read in (
            lambda one, cache: flat(one, cache),
            lambda one, cache: model(one, cache=cache, last_only=True).logits[:, -1],
        ):
            cache = model.new_cache(batch)
            model(ids[:, :3], cache=cache)
            results.append([read(ids[:, at : at + 1], cache) for at in range(3, 3 + count)])
    return results


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
@pytest.mark.parametrize("batch", [1, 3])
def test_it_computes_what_the_model_computes(shape, batch):
    flat, whole = both(build(**shape), batch)
    for ours, theirs in zip(flat, whole, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-6)
    assert not torch.equal(flat[0], flat[1])


@pytest.mark.parametrize("shape", OTHERS.values(), ids=OTHERS)
def test_it_is_not_offered_for_a_shape_that_it_does_not_know(shape):
    assert one_token_pass(build(**shape)) is None


def test_it_is_not_offered_for_what_is_no_gpt_or_computes_something_else():
    class Other(GPT):
        def forward(self, *args, **options):
            return super().forward(*args, **options)

    other = Other(build().config)
    assert one_token_pass(other) is None
    assert one_token_pass(object()) is None


@pytest.mark.parametrize("place", ["blocks.1.attention", "final_norm", "blocks.0.feedforward"])
def test_it_is_not_offered_where_somebody_listens(place):
    model = build()
    handle = model.get_submodule(place).register_forward_hook(lambda *_: None)
    assert one_token_pass(model) is None
    handle.remove()
    assert one_token_pass(model) is not None


def test_layers_that_somebody_has_put_in_place_of_the_linear_ones_are_called():
    """As adapters do, when a model is fine-tuned."""

    class Doubled(nn.Module):
        def __init__(self, inner):
            super().__init__()
            self.inner = inner

        def forward(self, x):
            return 2 * self.inner(x)

    model = build()
    before = both(model)[0]
    model.blocks[0].attention.output = Doubled(model.blocks[0].attention.output)
    flat, whole = both(model)
    for ours, theirs in zip(flat, whole, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-6)
    assert not torch.allclose(flat[0], before[0])


def test_it_sees_weights_that_are_changed_in_place():
    model = build()
    flat = one_token_pass(model)
    with torch.inference_mode():
        first = flat(torch.tensor([[1]]), model.new_cache())
        model.blocks[0].feedforward.narrow.weight.mul_(3)
        second = flat(torch.tensor([[1]]), model.new_cache())
        expected = model(torch.tensor([[1]])).logits[:, -1]
    assert not torch.allclose(first, second)
    torch.testing.assert_close(second, expected)


def test_past_the_last_place_there_is_a_sentence():
    model = build()
    flat, cache, one = one_token_pass(model), model.new_cache(capacity=20), torch.tensor([[1]])
    with torch.inference_mode():
        for _ in range(16):
            flat(one, cache)
        with pytest.raises(ValueError, match="places for 16"):
            flat(one, cache)
