import pytest
import torch

from llm_core.layers.trace import Trace, note, part


def test_names_say_where_a_tensor_comes_from():
    trace = Trace()
    block = part(part(trace, "blocks.0"), "attention")
    x = torch.ones(2)
    assert note(block, "q", x) is x
    note(trace, "logits", x)
    assert list(trace) == ["blocks.0.attention.q", "logits"]
    assert list(block) == ["q"]
    assert len(block) == 1
    assert block["q"] is trace["blocks.0.attention.q"] is x
    with pytest.raises(KeyError):
        trace["q"]


def test_without_a_trace_nothing_happens():
    x = torch.ones(2)
    assert part(None, "blocks.0") is None
    assert note(None, "q", x) is x


def test_only_what_is_asked_for_is_kept():
    trace = Trace(only=("*.weights", "logits"))
    note(trace.at("blocks.3"), "weights", torch.ones(1))
    note(trace.at("blocks.3"), "q", torch.ones(1))
    assert list(trace) == ["blocks.3.weights"]
    assert trace.wants("logits")
    assert trace.at("blocks.9").wants("weights")
    assert not trace.at("blocks.9").wants("scores")


def test_an_edit_changes_what_the_model_goes_on_with():
    trace = Trace(only=(), edits={"blocks.1.q": lambda q: q * 0})
    assert trace.at("blocks.1").wants("q")
    assert torch.equal(note(trace.at("blocks.1"), "q", torch.ones(3)), torch.zeros(3))
    assert torch.equal(note(trace.at("blocks.0"), "q", torch.ones(3)), torch.ones(3))
    assert not trace
