"""How many question-answer pairs a text holds for a model that predicts the next token."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class FreeLabels:
    """Characters and tokens of a text; each token but the first answers "what comes next?"."""

    characters: int
    tokens: int

    @property
    def pairs(self) -> int:
        """Some text, and the token after it."""
        return max(0, self.tokens - 1)


def count_free_labels(text: str, encode: Callable[[str], Sequence[int]]) -> FreeLabels:
    """Count what `encode`, a tokenizer's, makes of a text."""
    return FreeLabels(len(text), len(encode(text)))


def cost_by_hand(pairs: float, *, seconds: float, wage: float) -> tuple[float, float]:
    """Return the hours, and the pay, for labelling so many pairs by hand.

    seconds: for one label; wage: for an hour. Raises ValueError if either is negative.
    """
    if seconds < 0 or wage < 0:
        raise ValueError("Neither time nor pay can be negative.")
    hours = pairs * seconds / 3600
    return hours, hours * wage
