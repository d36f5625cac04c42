"""Measures of positions, against the models' own forward pass and the papers' formulas."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_core.inspection.positions import (
    first_scores,
    order_differences,
    place_similarity,
    random_stack,
    rope_arrows,
    rope_similarity,
    row_training,
    share_last_bucket,
)
from llm_core.inspection.trace import trace_model
from llm_core.models.config import POSITIONS, TransformerConfig
from llm_core.models.gpt import GPT

RELATIVE = ("none", "shaw", "t5", "alibi", "rope")


def make_model(position):
    config = TransformerConfig(
        vocab_size=11, context_length=24, d_model=16, n_layers=2, n_heads=2, position=position
    )
    model = GPT(config, generator=torch.Generator().manual_seed(1)).eval()
    with torch.no_grad():  # louder than a fresh model, so that differences are seen
        for parameter in model.parameters():
            if parameter.ndim > 1:
                parameter.mul_(20)
    return model


@settings(max_examples=15, deadline=None)
@given(order=st.permutations(range(6)), seed=st.integers(0, 50))
def test_a_bag_of_words_is_a_bag_whatever_the_order(order, seed):
    moved = order_differences([0, 1, 2, 1, 3, 4], order, position="none", seed=seed)
    assert moved.shape == (6,)
    assert float(moved.max()) < 1e-5


@pytest.mark.parametrize("position", [name for name in POSITIONS if name != "none"])
def test_every_position_notices_another_order(position):
    moved = order_differences([0, 1, 2, 3, 4], [4, 2, 0, 1, 3], position=position)
    assert float(moved.max()) > 0.05


def test_behind_a_causal_mask_order_shows_even_without_positions():
    moved = order_differences([0, 1, 2, 3], [0, 2, 1, 3], position="none", causal=True)
    assert float(moved[0]) < 1e-5  # the first word still sees itself alone
    assert float(moved[1:3].min()) > 0.05


def test_a_words_output_is_compared_with_its_own():
    """Recomputed: each row of the shuffled text with the row that the same word had before."""
    order, tokens = [2, 0, 1], [0, 1, 2]
    x = torch.randn(3, 32, generator=torch.Generator().manual_seed(5))
    stack = random_stack("learned", causal=False, seed=5, places=3)
    with torch.inference_mode():
        before, after = stack.read(x[None])[0], stack.read(x[order][None])[0]
    expected = [float((after[now] - before[was]).abs().max()) for now, was in enumerate(order)]
    assert order_differences(tokens, order, position="learned", seed=5).tolist() == pytest.approx(
        expected
    )


@pytest.mark.parametrize("order", [[0, 0, 1], [0, 1], [1, 2, 3]])
def test_what_is_no_order_is_refused(order):
    with pytest.raises(ValueError, match="name every place"):
        order_differences([0, 1, 2], order, position="none")


@pytest.mark.parametrize("position", POSITIONS)
@pytest.mark.parametrize("start", [0, 7])
def test_scores_at_a_place_are_those_of_the_model_on_a_longer_text(position, start):
    model, ids = make_model(position), torch.tensor([3, 1, 4, 1, 5])
    filler = torch.full((start,), 9)
    _, trace = trace_model(
        model, torch.cat([filler, ids])[None], only=("blocks.0.attention.scores",)
    )
    expected = trace["blocks.0.attention.scores"][0][:, start:, start:]
    torch.testing.assert_close(
        first_scores(model, ids, start=start), expected, atol=1e-4, rtol=1e-4
    )


@pytest.mark.parametrize("position", POSITIONS)
def test_moving_a_text_changes_absolute_scores_only(position):
    model, ids = make_model(position), torch.tensor([3, 1, 4, 1, 5])
    change = float((first_scores(model, ids, start=9) - first_scores(model, ids)).abs().max())
    assert (change < 1e-3) == (position in RELATIVE)


@pytest.mark.parametrize("position", [name for name in POSITIONS if name != "none"])
def test_positions_add_something_to_the_scores(position):
    model, ids = make_model(position), torch.tensor([3, 1, 4])
    added = first_scores(model, ids) - first_scores(model, ids, placed=False)
    assert float(added.abs().max()) > 0.05
    if position in ("alibi", "t5"):
        bias = model.positions(torch.arange(3), torch.arange(3))
        torch.testing.assert_close(added, bias, atol=1e-4, rtol=1e-4)


def test_no_text_and_no_row_are_told():
    model = make_model("learned")
    with pytest.raises(ValueError, match="empty text"):
        first_scores(model, torch.tensor([], dtype=torch.long))
    with pytest.raises(ValueError, match="places for 24"):
        first_scores(model, torch.tensor([1, 2]), start=23)


def test_likeness_of_places_is_numpys():
    table = torch.randn(7, 5)
    np.testing.assert_allclose(place_similarity(table).diagonal(), np.ones(7), atol=1e-6)
    centred = table.numpy() - table.numpy().mean(axis=0)
    lengths = np.linalg.norm(centred, axis=1)
    np.testing.assert_allclose(
        place_similarity(table), centred @ centred.T / np.outer(lengths, lengths), atol=1e-5
    )
    plain = place_similarity(table, centred=False)
    assert float(plain[0, 1]) == pytest.approx(
        float(torch.nn.functional.cosine_similarity(table[0], table[1], dim=0)), abs=1e-6
    )


def test_a_row_is_pulled_by_texts_that_reach_it_only():
    model = make_model("learned").requires_grad_(False)
    texts = [torch.tensor([1, 2, 3, 4]), torch.tensor([5, 6]), torch.tensor([7])]
    counts, pulls = row_training(model, texts)
    assert counts[:4].tolist() == [2, 1, 1, 0]
    assert (pulls > 0).tolist() == [True] * 3 + [False] * 21
    assert not any(parameter.requires_grad for parameter in model.parameters())
    other = make_model("learned")
    logits = other(texts[0][None, :-1]).logits[0]
    torch.nn.functional.cross_entropy(logits, texts[0][1:], reduction="sum").backward()
    assert float(pulls[2]) == pytest.approx(float(other.positions.weight.grad[2].norm()), rel=1e-4)


def test_a_text_longer_than_the_table_is_cut():
    counts, _ = row_training(make_model("learned"), [torch.ones(60, dtype=torch.long)])
    assert counts.tolist() == [1] * 24
    with pytest.raises(ValueError, match="learned"):
        row_training(make_model("rope"), [])


def test_ranges_that_were_never_trained_take_the_last_trained_number():
    model = make_model("t5")
    repaired = share_last_bucket(model, trained=10)  # farthest: 9 back, a bucket of its own
    before, after = model.positions.weight, repaired.positions.weight
    assert torch.equal(after[:10], before[:10])
    assert torch.equal(after[10:], before[9].expand(22, 2))
    assert not torch.equal(before[10:], after[10:])  # the model itself is as it was
    ids = torch.arange(10)[None]
    assert torch.equal(model(ids).logits, repaired(ids).logits)
    with pytest.raises(ValueError, match="T5"):
        share_last_bucket(make_model("rope"), trained=10)


@pytest.mark.parametrize(("base", "scaling"), [(10_000.0, 1.0), (50.0, 4.0)])
def test_arrows_turn_by_the_papers_angles(base, scaling):
    places = [0, 1, 17]
    for pair in range(4):
        tips = rope_arrows(pair=pair, places=places, d_head=8, base=base, scaling=scaling)
        for (x, y), place in zip(tips.tolist(), places, strict=True):
            angle = place / scaling * base ** (-2 * pair / 8)
            assert (x, y) == pytest.approx((math.cos(angle), math.sin(angle)), abs=1e-5)
    with pytest.raises(ValueError, match="pairs 0 to 3"):
        rope_arrows(pair=4, places=[0], d_head=8)


def test_likeness_over_the_distance_is_the_mean_cosine():
    curve = rope_similarity(50, d_head=8, base=100.0, scaling=2.0)
    for distance in (0, 1, 31):
        turns = [distance / 2 * 100 ** (-2 * pair / 8) for pair in range(4)]
        expected = sum(map(math.cos, turns)) / 4
        assert float(curve[distance]) == pytest.approx(expected, abs=1e-5)
