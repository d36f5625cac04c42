"""The parts of a machine, against the modules that torch builds and the operations it counts."""

import pytest
import torch
from hypothesis import given, settings
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from llm_core.inspection.anatomy import anatomy
from llm_core.inspection.counting import count_parameters, forward_flops
from llm_core.inspection.trace import trace_model
from llm_core.models.config import preset
from llm_core.models.presets import PUBLISHED_VOCAB_SIZES
from tests.inspection.shapes import build, configs

T, S = 11, 7


def inputs(config):
    def ids(count):
        return torch.zeros(1, count, dtype=torch.long)

    return (ids(S), ids(T)) if config.kind == "encoder-decoder" else (ids(T),)


def take_apart(config):
    return {part.id: part for part in anatomy(config, length=T, source_length=S)}


def modules(model, part):
    """The modules that a part stands for, one for each copy; None where it is not one module."""
    if part.name not in ("attention", "cross_attention", "feedforward"):
        return None
    stack = getattr(model, part.stack) if part.stack else model
    return [getattr(block, part.name) for block in stack.blocks]


@settings(max_examples=100, deadline=None)
@given(config=configs())
def test_all_parts_together_are_the_model(config):
    parts = take_apart(config).values()
    assert sum(part.all_parameters for part in parts) == count_parameters(config)
    flops = forward_flops(config, length=T, source_length=S)
    assert sum(part.all_flops for part in parts) == sum(flops.values())


@settings(max_examples=40, deadline=None)
@given(config=configs())
def test_a_part_is_the_module_of_its_name(config):
    model = build(config).eval()
    with (
        FlopCounterMode(display=False) as counter,
        sdpa_kernel(SDPBackend.MATH),
        torch.no_grad(),
    ):
        model(*inputs(config))
    counted = {name: sum(each.values()) for name, each in counter.get_flop_counts().items()}
    for part in take_apart(config).values():
        found = modules(model, part)
        if found is None:
            continue
        assert part.copies == len(found)
        # Shaw's tables of distances are a part of their own: the positions.
        own = [p for n, p in found[0].named_parameters() if not n.startswith("position.")]
        assert part.parameters == sum(p.numel() for p in own)
        stack = f"{part.stack}." if part.stack else ""
        assert part.flops == counted[f"{type(model).__name__}.{stack}blocks.0.{part.name}"]


@settings(max_examples=40, deadline=None)
@given(config=configs())
def test_shapes_are_those_that_come_by(config):
    model = build(config).eval()
    _, trace = trace_model(model, *inputs(config))
    seen = 0
    for part in take_apart(config).values():
        stack = f"{part.stack}." if part.stack else ""
        for step in part.steps:
            assert len(step.axes) == len(step.shape)
            name = f"{stack}blocks.0.{part.name}.{step.name}"
            if name in trace and part.name != "norm":
                assert step.shape == tuple(trace[name].shape[1:]), name
                seen += 1
        weights = {"W of q, k, v": "query_key_value", "W of output": "output",
                   "W to widen": "widen", "W to narrow": "narrow"}  # fmt: skip
        for step in part.steps:
            if step.name in weights:
                module = getattr(modules(model, part)[0], weights[step.name])
                assert step.shape == tuple(module.weight.T.shape)
    assert seen >= 8  # q, k, v, scores, weights, heads, output; activations and output


def test_gpt2_in_numbers_known_by_heart():
    config = preset("gpt2", vocab_size=PUBLISHED_VOCAB_SIZES["gpt2"])
    parts = {part.id: part for part in anatomy(config, length=1024)}
    assert parts["embedding"].parameters == 50257 * 768
    assert parts["positions"].parameters == 1024 * 768
    assert parts["attention"].parameters == 4 * 768**2 + 4 * 768
    assert parts["feedforward"].parameters == 8 * 768**2 + 5 * 768
    assert (parts["norm"].parameters, parts["norm"].copies) == (2 * 768, 25)
    assert parts["output"].parameters == 0
    assert list(parts) == ["embedding", "positions", "attention", "norm", "feedforward", "output"]
    assert sum(part.all_parameters for part in parts.values()) == 124_439_808


def test_the_source_is_as_long_as_the_text_unless_said_otherwise():
    config = preset("t5-small", vocab_size=100)
    assert anatomy(config, length=9) == anatomy(config, length=9, source_length=9)
    assert anatomy(config, length=9) != anatomy(config, length=9, source_length=8)


@pytest.mark.parametrize("name", ["smollm2-135m", "bert", "transformer"])
def test_two_stacks_are_told_apart_and_one_has_plain_names(name):
    config = preset(name, vocab_size=PUBLISHED_VOCAB_SIZES[name])
    ids = [part.id for part in anatomy(config, length=8)]
    assert len(set(ids)) == len(ids)
    assert ("decoder.cross_attention" in ids) == (name == "transformer")
    assert ("attention" in ids) == (name != "transformer")
