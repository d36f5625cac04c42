"""Attention by hand, against torch's own; and every spelled-out sum, read back and computed."""

import re

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from pages.widgets.attention_cells import (
    number,
    output_cell,
    projected_cell,
    scaled_cell,
    score_cell,
    weight_cell,
)
from pages.widgets.attention_hand import (
    head_stages,
    make_hand,
    multi_head,
    read_words,
    simple_stages,
)

WORDS = ("The", "owl", "saw", "the", "owl")


@pytest.fixture(params=[4, 8])
def hand(request):
    return make_hand(WORDS, request.param, 7)


def test_vectors_have_one_decimal_and_equal_words_are_equal(hand):
    assert torch.equal(hand.x, hand.x.round(decimals=1))
    assert torch.equal(hand.x[1], hand.x[4])
    assert not torch.equal(hand.x[0], hand.x[3])  # a capital letter makes another word
    assert hand.labels == ["The", "owl (2)", "saw", "the", "owl (5)"]


def test_the_code_on_screen_makes_these_numbers(hand):
    names = {}
    exec(hand.code, names)
    for name in ("x", "w_q", "w_k", "w_v", "w_o"):
        assert torch.equal(names[name], getattr(hand, name))


@settings(max_examples=20, deadline=None)
@given(
    words=st.lists(st.sampled_from(["a", "b", "c", "d", "e", "f"]), min_size=3, max_size=6),
    seed=st.integers(0, 999),
    causal=st.booleans(),
)
def test_one_head_is_torchs_own(words, seed, causal):
    hand = make_hand(tuple(words), 4, seed)
    stages = head_stages(hand, causal=causal)
    q, k, v = (hand.x @ w for w in (hand.w_q, hand.w_k, hand.w_v))
    expected = F.scaled_dot_product_attention(q[None], k[None], v[None], is_causal=causal)
    np.testing.assert_allclose(stages.output, expected[0].numpy(), atol=1e-12)
    np.testing.assert_allclose(stages.weights.sum(axis=1), 1)
    assert (stages.weights[stages.masked == -np.inf] == 0).all()


def test_simplified_attention_has_no_weights_and_no_scale(hand):
    stages = simple_stages(hand)
    weights = torch.softmax(hand.x @ hand.x.T, dim=-1)
    np.testing.assert_allclose(stages.weights, weights.numpy())
    np.testing.assert_allclose(stages.output, (weights @ hand.x).numpy())


@pytest.mark.parametrize("n_heads", [1, 2, 4])
def test_several_heads_are_torchs_multi_head_attention(hand, n_heads):
    heads, output = multi_head(hand, n_heads)
    theirs = torch.nn.MultiheadAttention(hand.width, n_heads, bias=False, batch_first=True).double()
    with torch.no_grad():
        theirs.in_proj_weight.copy_(torch.cat([hand.w_q, hand.w_k, hand.w_v], dim=1).T)
        theirs.out_proj.weight.copy_(hand.w_o.T)
        later = torch.ones(len(WORDS), len(WORDS), dtype=torch.bool).triu(1)
        x = hand.x[None]
        expected, weights = theirs(x, x, x, attn_mask=later, average_attn_weights=False)
    np.testing.assert_allclose(output, expected[0].numpy(), atol=1e-12)
    for head, stages in enumerate(heads):
        np.testing.assert_allclose(stages.weights, weights[0, head].numpy(), atol=1e-12)


@pytest.mark.parametrize("sentence", ["", "two words", "a b c d e f g", "a b unbelievably-long"])
def test_too_few_too_many_or_too_long_is_refused(sentence):
    with pytest.raises(ValueError, match=r"3 to 6 words|12 letters"):
        read_words(sentence)


def computed(formula):
    """What a formula on screen comes to, and what it says that it comes to."""
    plain = re.sub(r"<[^>]+>", "", formula).replace("−", "-").replace("·", "*")
    *_, terms, result = plain.split(" = ")
    return eval(terms.replace("√4", "2").replace("√8", "8**.5")), float(result)


def test_every_cell_tells_a_sum_that_is_right(hand):
    stages, labels = head_stages(hand, causal=False), hand.labels
    explained = {
        "q": (
            projected_cell(hand.x.numpy(), hand.w_q.numpy(), labels, letter="q", role="query"),
            stages.q,
        ),
        "score": (score_cell(stages, labels), stages.products),
        "scaled": (scaled_cell(stages, labels), stages.scores),
        "weight": (weight_cell(stages, labels), stages.weights),
        "output": (output_cell(stages, labels), stages.output),
    }
    for explain, matrix in explained.values():
        for row, column in np.ndindex(*matrix.shape):
            terms, result = computed(explain(row, column))
            assert result == pytest.approx(matrix[row, column], abs=6e-4)
            assert terms == pytest.approx(result, abs=2e-2)  # of terms with three decimals


def test_a_masked_cell_says_why(hand):
    stages = head_stages(hand, causal=True)
    assert "comes later" in scaled_cell(stages, hand.labels)(0, 1)
    assert "−∞" in weight_cell(stages, hand.labels)(0, 1)
    assert "−∞" in weight_cell(stages, hand.labels, from_q=True)(0, 1)


def test_words_are_no_markup():
    hand = make_hand(("<b>x</b>", "&amp;", "c"), 4, 0)
    stages = head_stages(hand, causal=True)
    for explain in (
        projected_cell(hand.x.numpy(), hand.w_q.numpy(), hand.labels, letter="q", role="query"),
        score_cell(stages, hand.labels),
        scaled_cell(stages, hand.labels),
        weight_cell(stages, hand.labels, from_q=True),
        output_cell(stages, hand.labels),
    ):
        for row, column in np.ndindex(3, 3):
            assert "<b>x" not in explain(row, column)


@pytest.mark.parametrize(
    ("value", "shown"), [(0.12345, "0.123"), (-1.0, "−1"), (-0.0001, "0"), (2.5, "2.5")]
)
def test_numbers_are_short(value, shown):
    assert number(value) == shown
