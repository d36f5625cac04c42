"""A game: guess the next word of a text against a model, with a score in bits.

Both are asked the same: which of a few words comes, and how likely is it? Whoever gave the right
word the probability p pays -log2 p bits, so it pays to be sure when one is right, and to say so
when one is not (a proper scoring rule: Good 1952). The idea to measure readers by guessing is
Shannon's ("Prediction and Entropy of Printed English", 1951).
"""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from llm_core.generation.reader import Model, check_prompt, device_of, reading

OPTIONS = 6
_FIRST = 6  # tokens that are read before the first guess
_WORD = re.compile(rb" [A-Za-z]{2,}")
_ENDS_WORD = re.compile(rb"[^A-Za-z'-]")


class TokenBytes(Protocol):
    """What the game needs of a tokenizer."""

    def token_bytes(self, index: int) -> bytes:
        """What one id stands for."""


@dataclass(frozen=True)
class Round:
    """One word to guess: the token at `place`.

    options: ids of the words to choose from, in the order of the alphabet; right: which of them
    comes. shares: the model's probabilities of the options, which are 1 together; probability:
    what the model gives the right token among all its tokens.
    """

    place: int
    options: tuple[int, ...]
    right: int
    shares: tuple[float, ...]
    probability: float

    @property
    def bits(self) -> float:
        """What the model pays."""
        return -math.log2(self.shares[self.right])


def bits_paid(sure: float, *, right: bool, options: int = OPTIONS) -> float:
    """Return what somebody pays who gave one option the probability `sure`.

    The rest is shared out evenly among the others. Raises ValueError if `sure` is not between 0
    and 1.
    """
    if not 0 < sure < 1:
        raise ValueError("How sure you are must lie between 0 and 1: nothing is certain.")
    return -math.log2(sure if right else (1 - sure) / (options - 1))


def text_probabilities(model: Model, ids: Sequence[int]) -> Tensor:
    """Return the model's distribution of each next token: row t (V,) is what may follow t.

    Raises ValueError if the text is longer than the model's context.
    """
    check_prompt(model, list(ids))
    if len(ids) > model.config.context_length:
        raise ValueError(
            f"The text has {len(ids)} tokens, and the model sees {model.config.context_length}."
        )
    with reading(model):
        logits = model(torch.tensor([list(ids)]).to(device_of(model))).logits[0]
    return logits.float().softmax(dim=-1).cpu()


def make_rounds(
    probabilities: Tensor,
    ids: Sequence[int],
    tokenizer: TokenBytes,
    *,
    rounds: int = 8,
    options: int = OPTIONS,
) -> tuple[Round, ...]:
    """Choose words of a text to guess, evenly spread, with the likeliest other words beside each.

    probabilities: (T, V), as `text_probabilities` gives them. Only whole words of one token are
    guessed. Raises ValueError if the text has no such word.
    """
    pieces = [tokenizer.token_bytes(index) for index in ids]
    places = [
        place
        for place in range(_FIRST, len(ids) - 1)
        if _WORD.fullmatch(pieces[place]) and _ENDS_WORD.match(pieces[place + 1])
    ]
    if not places:
        raise ValueError("This text has no whole word to guess.")
    count = min(rounds, len(places))
    chosen = [places[(2 * n + 1) * len(places) // (2 * count)] for n in range(count)]
    return tuple(_round(probabilities[p - 1], p, ids[p], tokenizer, options) for p in chosen)


def _round(
    distribution: Tensor, place: int, token: int, tokenizer: TokenBytes, options: int
) -> Round:
    others: list[int] = []
    for index in distribution.argsort(descending=True).tolist():
        if len(others) == options - 1:
            break
        if index != token and _WORD.fullmatch(tokenizer.token_bytes(index)):
            others.append(index)
    words = sorted([token, *others], key=lambda index: tokenizer.token_bytes(index).lower())
    given = distribution[words].double()
    shares = (given / given.sum()).tolist()
    return Round(place, tuple(words), words.index(token), tuple(shares), float(distribution[token]))
