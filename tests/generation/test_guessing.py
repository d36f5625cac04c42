"""The guessing game: its words, its options, and a score that rewards saying what one believes."""

import math

import numpy as np
import pytest
import torch

from llm_core.data.passages import tales
from llm_core.generation.guessing import bits_paid, make_rounds, text_probabilities
from llm_core.generation.measures import surprises
from llm_core.pretrained.registry import load


@pytest.fixture(scope="module")
def game():
    model, tokenizer = load("tiny")
    ids = tokenizer.encode(tales()[0].text)
    probabilities = text_probabilities(model, ids)
    return model, tokenizer, ids, probabilities, make_rounds(probabilities, ids, tokenizer)


def test_probabilities_agree_with_surprises(game):
    model, _, ids, probabilities, _ = game
    found = [-math.log2(probabilities[n, ids[n + 1]]) for n in range(len(ids) - 1)]
    np.testing.assert_allclose(found, surprises(model, torch.tensor(ids)), atol=1e-3)


def test_each_round_has_six_whole_words_among_them_the_one_that_comes(game):
    _, tokenizer, ids, probabilities, rounds = game
    assert len(rounds) == 8
    for each in rounds:
        words = [tokenizer.decode([option]) for option in each.options]
        assert len(set(words)) == 6
        assert all(word.startswith(" ") and word[1:].isalpha() for word in words)
        assert words == sorted(words, key=str.lower)
        assert each.options[each.right] == ids[each.place]
        given = probabilities[each.place - 1][list(each.options)]
        np.testing.assert_allclose(each.shares, (given / given.sum()).numpy(), rtol=1e-4)
        assert each.probability == pytest.approx(float(given[each.right]))
        assert each.bits == pytest.approx(-math.log2(each.shares[each.right]))
    places = [each.place for each in rounds]
    assert places == sorted(set(places))
    assert min(np.diff(places)) > 3  # spread over the text


def test_the_options_are_the_likeliest_words(game):
    _, tokenizer, _, probabilities, rounds = game
    each = rounds[3]
    distribution = probabilities[each.place - 1]
    least = min(float(distribution[o]) for n, o in enumerate(each.options) if n != each.right)
    for index in range(len(distribution)):
        word = tokenizer.token_bytes(index)
        if index not in each.options and word[:1] == b" " and word[1:].isalpha() and len(word) > 2:
            assert float(distribution[index]) <= least


def test_saying_what_one_believes_pays_the_least():
    believed = 0.7

    def expected(said):
        return believed * bits_paid(said, right=True) + (1 - believed) * bits_paid(
            said, right=False
        )

    assert min(np.arange(0.05, 1, 0.05), key=expected) == pytest.approx(believed)
    assert bits_paid(1 / 6, right=True) == pytest.approx(math.log2(6))
    assert bits_paid(1 / 6, right=False) == pytest.approx(math.log2(6))


@pytest.mark.parametrize("sure", [0.0, 1.0, float("nan"), -1.0])
def test_certainty_is_refused(sure):
    with pytest.raises(ValueError, match="nothing is certain"):
        bits_paid(sure, right=True)


def test_texts_without_words_and_too_long_ones_are_refused(game):
    model, tokenizer, ids, _, _ = game
    digits = tokenizer.encode("1 2 3 4 5 6 7 8 9")
    with pytest.raises(ValueError, match="no whole word"):
        make_rounds(text_probabilities(model, digits), digits, tokenizer)
    with pytest.raises(ValueError, match="model sees 128"):
        text_probabilities(model, ids * 2)
