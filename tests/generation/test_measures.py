import math

import pytest
import torch
import torch.nn.functional as F

from llm_core.generation.measures import (
    bits_a_character,
    distinct_share,
    mean_log_probability,
    repeated_share,
    surprises,
)


def test_surprise_is_the_loss_in_bits(build):
    model, ids = build(), torch.tensor([3, 1, 4, 1, 5, 9])
    found = surprises(model, ids)
    with torch.no_grad():
        losses = F.cross_entropy(model(ids[None]).logits[0, :-1], ids[1:], reduction="none")
    assert found == pytest.approx((losses / math.log(2)).tolist(), abs=1e-5)
    with pytest.raises(ValueError, match="the model sees 12"):
        surprises(model, torch.zeros(13, dtype=torch.long))


class Letters:
    """A tokenizer whose tokens are letters: bits a character are then bits a token."""

    def encode(self, text):
        return [ord(letter) - ord("a") for letter in text]

    def decode(self, ids):
        return "".join(chr(index + ord("a")) for index in ids)


def test_bits_a_character_are_the_mean_surprise_and_long_texts_are_read_in_pieces(build):
    model, text = build(), "dbehibfafcebdfa"  # 15 letters; the model sees 12
    found = bits_a_character(model, Letters(), text[:12])
    ids = torch.tensor(Letters().encode(text))
    assert found == pytest.approx(sum(surprises(model, ids[:12])) / 11)
    pieces = surprises(model, ids[:12]) + surprises(model, ids[11:])
    assert len(pieces) == 14
    assert bits_a_character(model, Letters(), text) == pytest.approx(sum(pieces) / 14)
    with pytest.raises(ValueError, match="two tokens"):
        bits_a_character(model, Letters(), "a")


def test_runs_are_counted():
    words = "the owl saw the owl saw the owl".split()
    assert distinct_share(words, 1) == 3 / 8
    assert distinct_share(words, 2) == 3 / 7
    assert repeated_share(words, 4) == pytest.approx(2 / 5)
    assert repeated_share(words, 9) == 0


def test_the_mean_of_logarithms():
    assert mean_log_probability([1.0, math.exp(-3)]) == pytest.approx(-1.5)
    with pytest.raises(ValueError, match="no token"):
        mean_log_probability([])
