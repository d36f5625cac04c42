"""What every tokenizer of the course can do, whatever its pieces are."""

from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray


class Tokenizer(Protocol):
    """Turns text into token ids and back."""

    @property
    def vocab_size(self) -> int:
        """Number of different ids; ids run from 0 to vocab_size - 1."""

    def encode(self, text: str) -> list[int]:
        """Ids of `text`. Raises ValueError for text that the tokenizer cannot express."""

    def encode_array(self, text: str) -> NDArray[np.int64]:
        """The same ids as `encode`, shape (tokens,), quickly for megabytes of text."""

    def decode(self, ids: list[int]) -> str:
        """Text of `ids`. Raises ValueError for an id outside the vocabulary."""

    def save(self, path: Path) -> None:
        """Write the tokenizer to `path` as JSON."""
