"""One token's way, held against the model itself and against the logit lens."""

import itertools

import pytest
import torch

from llm_core.inspection.journey import follow_token, stream_lengths
from llm_core.inspection.lens import logit_lens
from llm_core.models.config import TransformerConfig
from llm_core.models.gpt import GPT

SHAPE = {"vocab_size": 43, "context_length": 16, "d_model": 32, "n_layers": 3, "n_heads": 4}
IDS = torch.tensor([1, 5, 2, 40, 7, 7, 3])


def build(**changes):
    return GPT(TransformerConfig(**(SHAPE | changes))).eval()


VARIANTS = [
    {},
    {"norm_placement": "post"},
    {"position": "rope", "norm": "rmsnorm"},
    {"embedding_norm": True},
]


@pytest.mark.parametrize("changes", VARIANTS)
@pytest.mark.parametrize("place", [0, 4, 6])
@torch.no_grad()
def test_the_way_ends_where_the_model_does(changes, place):
    model = build(**changes)
    stages = follow_token(model, IDS, place, k=4)
    assert [(stage.name, stage.block) for stage in stages] == [
        ("embedding", None),
        *((name, block) for block in range(3) for name in ("attention", "feedforward")),
        ("output", None),
    ]
    logits = model(IDS[None]).logits[0, place]
    torch.testing.assert_close(model.scores(stages[-1].after), logits)
    best, ids = logits.softmax(-1).topk(4)
    assert torch.equal(stages[-1].ids, ids)
    torch.testing.assert_close(stages[-1].probabilities, best)
    assert stages[-1].of_answer == pytest.approx(float(best[0]))


@pytest.mark.parametrize("changes", VARIANTS)
@torch.no_grad()
def test_each_stage_begins_where_the_last_one_ended_and_adds(changes):
    model, place = build(**changes), 3
    stages = follow_token(model, IDS, place)
    for before, after in itertools.pairwise(stages):
        assert torch.equal(before.after, after.before)
    first = stages[0]
    torch.testing.assert_close(first.before, model.token_embedding(IDS[place]))
    if changes.get("position") == "rope":
        assert first.added is None
    else:
        torch.testing.assert_close(first.added, model.positions.weight[place], atol=1e-6, rtol=1e-4)
    for stage in stages[1:-1]:
        block = model.blocks[stage.block]
        total = stage.before + stage.added
        if changes.get("norm_placement") == "post":
            total = getattr(block, f"{stage.name}_norm")(total)
        torch.testing.assert_close(stage.after, total)
    feedforward = stages[2]
    block = model.blocks[0]
    read = feedforward.before
    if changes.get("norm_placement") != "post":
        read = block.feedforward_norm(read)
    torch.testing.assert_close(feedforward.added, block.feedforward(read))


def test_guesses_after_blocks_are_those_of_the_logit_lens():
    model = build()
    layers = logit_lens(model, IDS, k=5)
    stages = follow_token(model, IDS, 5, k=5)
    for layer, stage in zip(layers, [stages[0], *stages[2::2]], strict=False):
        assert torch.equal(layer.ids[5], stage.ids)
        torch.testing.assert_close(layer.probabilities[5], stage.probabilities)
        assert stage.length == pytest.approx(float(layer.length[5]))


def test_later_tokens_change_nothing():
    model = build()
    alone, among = follow_token(model, IDS[:4], 3), follow_token(model, IDS, 3)
    for left, right in zip(alone, among, strict=True):
        torch.testing.assert_close(left.after, right.after)


@pytest.mark.parametrize("place", [-1, 7])
def test_a_place_outside_of_the_text_is_refused(place):
    with pytest.raises(ValueError, match=f"no place {place} in a text of 7"):
        follow_token(build(), IDS, place)


def test_stream_lengths_are_the_means_of_the_lens():
    model = build()
    expected = [float(layer.length.mean()) for layer in logit_lens(model, IDS)]
    assert stream_lengths(model, IDS) == pytest.approx(expected)


def test_post_norm_keeps_the_stream_at_the_root_of_its_width():
    first, *after_blocks = stream_lengths(build(norm_placement="post"), IDS)
    assert first < 1
    assert after_blocks == pytest.approx([32**0.5] * 3, rel=1e-2)
