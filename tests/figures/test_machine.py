"""The drawing of the machine goes the way that the code computes."""

import pytest
import torch

from llm_core.models.config import TransformerConfig
from llm_core.models.encoder import Encoder
from llm_core.models.encoder_decoder import EncoderDecoder
from llm_core.models.gpt import GPT
from pages.figures.machine import computing_order, machine_drawing

CLASSES = {"decoder": GPT, "encoder": Encoder, "encoder-decoder": EncoderDecoder}
LABELS = {
    "embedding": "E", "positions": "P", "attention": "A", "cross_attention": "X", "norm": "N",
    "feedforward": "F", "output": "O", "in": "in", "out": "out", "source": "source",
}  # fmt: skip


def draw(kind, placement, **options):
    options = {"n_layers": 5, "n_heads": 4, "labels": LABELS} | options
    return machine_drawing(kind, placement=placement, **options)


def called(kind, placement):
    """The parts of a real model with one block, in the order in which they run."""
    config = TransformerConfig(
        kind=kind, vocab_size=9, context_length=8, d_model=8, n_layers=1, n_heads=2,
        norm_placement=placement,
    )  # fmt: skip
    model, order = CLASSES[kind](config).eval(), []
    for name, module in model.named_modules():
        last = name.rpartition(".")[2]
        if last in ("attention", "cross_attention", "feedforward") or last.endswith("norm"):
            stack = name.split(".")[0] if kind == "encoder-decoder" else ""
            module.register_forward_hook(lambda *_, node=f"{stack}:{last}": order.append(node))
    ids = torch.zeros(1, 3, dtype=torch.long)
    model(*([ids, ids] if kind == "encoder-decoder" else [ids]))
    return order


@pytest.mark.parametrize("kind", CLASSES)
@pytest.mark.parametrize("placement", ["pre", "post"])
def test_parts_follow_each_other_as_in_the_real_model(kind, placement):
    drawing = draw(kind, placement)
    order = computing_order(drawing)
    expected = called(kind, placement)
    drawn = [node for node in order if node in expected]
    for stack in ("", "encoder", "decoder"):
        assert [node for node in drawn if node.split(":")[0] == stack] == [
            node for node in expected if node.split(":")[0] == stack
        ]
    norms = [n["id"] for n in drawing["nodes"] if n["kind"] == "box" and n["text"] == "N"]
    assert sorted(norms) == sorted(node for node in expected if node.endswith("norm"))


def edges_to(drawing, node):
    return {(edge["from"], edge["kind"]) for edge in drawing["edges"] if edge["to"] == node}


def test_pre_norm_reads_a_copy_and_post_norm_normalises_the_sum():
    pre, post = draw("decoder", "pre"), draw("decoder", "post")
    assert edges_to(pre, ":attention+") == {(":attention", "stream"), (":positions", "round")}
    assert edges_to(pre, ":attention") == {(":attention_norm", "stream")}
    assert edges_to(pre, ":feedforward+") == {(":feedforward", "stream"), (":attention+", "round")}
    assert edges_to(post, ":attention") == {(":positions", "stream")}
    assert edges_to(post, ":attention_norm") == {(":attention+", "stream")}
    assert (":attention_norm", "round") in edges_to(post, ":feedforward+")
    ids = [node["id"] for node in post["nodes"]]
    assert ":final_norm" not in ids
    assert ":final_norm" in [node["id"] for node in pre["nodes"]]


@pytest.mark.parametrize("placement", ["pre", "post"])
def test_the_bridge_leads_from_the_encoders_end_to_cross_attention(placement):
    drawing = draw("encoder-decoder", placement)
    end = "encoder:final_norm" if placement == "pre" else "encoder:feedforward_norm"
    assert (end, "across") in edges_to(drawing, "decoder:cross_attention")
    assert [frame["text"] for frame in drawing["frames"]] == ["encoder, 5 ×", "decoder, 5 ×"]


@pytest.mark.parametrize("kind", CLASSES)
@pytest.mark.parametrize("placement", ["pre", "post"])
def test_nothing_overlaps_and_all_lies_inside(kind, placement):
    rows = {"decoder.norm": [("x", "1")], "norm": [("x", "1"), ("y", "2")]}
    drawing = draw(kind, placement, rows=rows, embedding_norm=kind == "encoder")
    boxes = [node for node in drawing["nodes"] if node["kind"] == "box"]
    for left in boxes:
        assert 0 <= left["x"] < left["x"] + left["width"] <= drawing["width"]
        assert 0 <= left["y"] < left["y"] + left["height"] <= drawing["height"]
        for right in boxes:
            if left is not right and left["x"] == right["x"]:
                assert (
                    left["y"] + left["height"] < right["y"]
                    or right["y"] + right["height"] < left["y"]
                )
    for edge in drawing["edges"]:
        for x, y in edge["points"]:
            assert 0 <= x <= drawing["width"]
            assert 0 <= y <= drawing["height"]
    opened = [box for box in boxes if box["rows"]]
    assert len(opened) == 1  # of the norms only the first one opens
    assert opened[0]["height"] > 38


def test_an_attention_shows_its_heads():
    heads = {n["text"]: n["heads"] for n in draw("decoder", "pre")["nodes"] if n["kind"] == "box"}
    assert heads == {"E": 0, "P": 0, "N": 0, "A": 4, "F": 0, "O": 0}


@pytest.mark.parametrize(("kind", "placement"), [("robot", "pre"), ("decoder", "sideways")])
def test_what_cannot_be_drawn_is_refused(kind, placement):
    with pytest.raises(ValueError, match="robot|sideways"):
        draw(kind, placement)


def test_a_circle_has_no_order():
    drawing = {"nodes": [{"id": "a"}, {"id": "b"}],
               "edges": [{"from": "a", "to": "b"}, {"from": "b", "to": "a"}]}  # fmt: skip
    with pytest.raises(ValueError, match="circle"):
        computing_order(drawing)
