"""What a text is like: how surprised a model is by it, and how much it repeats itself."""

import math
from collections.abc import Hashable, Sequence
from typing import Protocol

import torch
from torch import Tensor

from llm_core.generation.reader import Model, check_prompt, device_of, reading


class Encoder(Protocol):
    """What measures need of a tokenizer."""

    def encode(self, text: str) -> list[int]:
        """Ids of `text`."""

    def decode(self, ids: list[int]) -> str:
        """Text of `ids`."""


def surprises(model: Model, ids: Tensor) -> list[float]:
    """Return how surprised the model is by each of ids (T,) but the first, in bits: -log2 p.

    Raises ValueError if the text is longer than the model's context.
    """
    check_prompt(model, ids.tolist())
    if len(ids) > model.config.context_length:
        raise ValueError(
            f"The text has {len(ids)} tokens, and the model sees {model.config.context_length}."
        )
    with reading(model):
        logits = model(ids[None].to(device_of(model))).logits[0, :-1].float().cpu()
    logs = logits.log_softmax(dim=-1).gather(-1, ids[1:, None].cpu())[:, 0]
    return [-log / math.log(2) for log in logs.tolist()]


def bits_a_character(model: Model, tokenizer: Encoder, text: str) -> float:
    """Return how surprised the model is by a text, in bits a character; see `surprises`.

    Its first token is not predicted, so neither its bits nor its characters count. A text longer
    than the context is read in pieces, and each begins with nothing but the last token before it.
    Unlike bits a token, this compares models with different tokenizers.
    """
    ids = tokenizer.encode(text)
    characters = len(text) - len(tokenizer.decode(ids[:1]))
    if characters < 1:
        raise ValueError("The text needs at least two tokens.")
    size = model.config.context_length
    starts = range(0, len(ids) - 1, size - 1)
    pieces = (torch.tensor(ids[start : start + size]) for start in starts)
    return sum(sum(surprises(model, piece)) for piece in pieces) / characters


def mean_log_probability(probabilities: Sequence[float]) -> float:
    """Return the mean of the natural logarithms; raise ValueError without any probability."""
    if not probabilities:
        raise ValueError("There is no token to take a mean of.")
    logs = torch.tensor(probabilities, dtype=torch.float64).log()
    return float(logs.mean())


def distinct_share(items: Sequence[Hashable], n: int) -> float:
    """Return how many of the runs of n neighbours are different, as a share of all of them.

    "distinct-n" in "A Diversity-Promoting Objective Function" (2016). A text too short for one
    run repeats nothing: 1.
    """
    runs = [tuple(items[start : start + n]) for start in range(len(items) - n + 1)]
    return len(set(runs)) / len(runs) if runs else 1.0


def repeated_share(items: Sequence[Hashable], n: int = 4) -> float:
    """Return the share of runs of n neighbours that came before in the same text."""
    return 1.0 - distinct_share(items, n)
