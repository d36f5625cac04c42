"""Counted n-gram models against counting by hand with a dictionary, in exact fractions."""

from collections import Counter
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_core.models.ngram import count_ngrams, lower_order
from llm_core.training.metrics import bigram_loss

VOCAB = 5


def by_hand(ids, context, token, order, strength):
    """P(token | context), straight from the formula."""
    if order == 1:
        return Fraction(ids.count(token) + 1, len(ids) + VOCAB)
    shorter = by_hand(ids, context[1:] if len(context) == order - 1 else context, token,
                      order - 1, strength)  # fmt: skip
    if len(context) < order - 1:
        return shorter
    runs = Counter(tuple(ids[n : n + order]) for n in range(len(ids) - order + 1))
    counted = runs[(*context, token)]
    total = sum(count for run, count in runs.items() if run[:-1] == tuple(context))
    return (counted + strength * shorter) / (total + strength)


texts = st.lists(st.integers(0, VOCAB - 1), min_size=5, max_size=60)


@settings(max_examples=60, deadline=None)
@given(texts, texts, st.integers(1, 4), st.sampled_from([Fraction(1, 4), Fraction(1), Fraction(5)]))
def test_probabilities_are_those_of_the_formula(learnt, read, order, strength):
    model = count_ngrams(np.array(learnt), order, VOCAB, strength=float(strength))
    found = model.token_probabilities(np.array(read))
    for place in range(1, len(read)):
        context = read[max(0, place - order + 1) : place]
        expected = [float(by_hand(learnt, context, t, order, strength)) for t in range(VOCAB)]
        assert found[place - 1] == pytest.approx(expected[read[place]], rel=1e-9)
        whole = model.probabilities(np.array(read[:place]))
        np.testing.assert_allclose(whole, expected, rtol=1e-9)
        assert whole.sum() == pytest.approx(1)


def test_order_two_is_the_bigram_of_the_sandbox():
    ids = np.random.default_rng(0).integers(0, 40, 3000)
    model = count_ngrams(ids[:2500], 2, 50)
    assert model.loss(ids[2500:]) == pytest.approx(bigram_loss(ids[:2500], ids[2500:], 50))


def test_a_lower_order_is_what_counting_it_gives():
    ids = np.random.default_rng(1).integers(0, 6, 500)
    whole, short = count_ngrams(ids, 4, 6), count_ngrams(ids, 2, 6)
    read = np.random.default_rng(2).integers(0, 6, 50)
    np.testing.assert_array_equal(
        lower_order(whole, 2).token_probabilities(read), short.token_probabilities(read)
    )


def test_the_share_of_runs_never_seen():
    model = count_ngrams(np.array([0, 1, 2, 0, 1]), 2, 4)
    # 0 1, 1 3, 3 0, 0 1: two of the four pairs are new.
    assert model.unseen_share(np.array([0, 1, 3, 0, 1])) == 0.5


def test_writing_draws_from_the_probabilities_and_comes_again_with_its_seed():
    ids = np.array([0, 1, 0, 1, 0, 1, 2] * 30)
    model = count_ngrams(ids, 2, 3, strength=1e-9)
    assert model.write(np.array([0]), 5, seed=1) == model.write(np.array([0]), 5, seed=1)
    after_one = Counter(model.write(np.array([1]), 1, seed=seed)[0] for seed in range(600))
    assert set(after_one) == {0, 2}
    assert after_one[0] / 600 == pytest.approx(2 / 3, abs=0.07)


@pytest.mark.parametrize(
    ("ids", "order", "strength", "message"),
    [
        ([0, 1], 3, 1.0, "holds no run of 3"),
        ([0, 1], 0, 1.0, "1 to 10"),
        ([0, 1], 11, 1.0, "1 to 10"),
        ([0, 9], 1, 1.0, "between 0 and 4"),
        ([0, 1], 1, 0.0, "above 0"),
        ([0, 1], 1, float("nan"), "above 0"),
    ],
)
def test_what_cannot_be_counted_is_refused(ids, order, strength, message):
    with pytest.raises(ValueError, match=message):
        count_ngrams(np.array(ids), order, VOCAB, strength=strength)


def test_a_single_token_is_no_text_to_predict():
    with pytest.raises(ValueError, match="two tokens"):
        count_ngrams(np.array([0, 1]), 1, VOCAB).token_probabilities(np.array([1]))
