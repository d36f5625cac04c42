"""GloVe: one fixed vector a word, learned from which words stand near which in 6 billion words.

"GloVe: Global Vectors for Word Representation" (Pennington, Socher and Manning, 2014). Needs no
torch. The matrix is mapped from its file: what nobody asks for takes no memory, and the machine
may take back the rest.
"""

import functools
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.compute as pc  # type: ignore[import-untyped]
import pyarrow.parquet as pq  # type: ignore[import-untyped]
from numpy.typing import ArrayLike, NDArray

from llm_core.pretrained.assets import Progress, fetch

NAME = "glove"
_MATRIX, _INDEX = "glove_6B_50d_emb.npy", "glove_6B_index.parquet"


@dataclass(frozen=True)
class WordNeighbour:
    """A word, and the cosine of the angle between its vector and what was asked for."""

    word: str
    similarity: float


class WordVectors:
    """Words, the most frequent first, with a vector each: the rows of `matrix` (words, numbers)."""

    def __init__(self, words: Sequence[str], matrix: NDArray[np.float32]) -> None:
        """Raise ValueError unless there are as many words as rows."""
        if len(words) != len(matrix):
            raise ValueError(f"{len(words)} words cannot share {len(matrix)} vectors.")
        # A column of Arrow: 5 MB for 400,000 words, where strings and a dict of Python take 60.
        self._words = words if isinstance(words, pa.Array) else pa.array(words, pa.string())
        self.matrix = matrix

    def __len__(self) -> int:
        return len(self._words)

    def __contains__(self, word: str) -> bool:
        return self._find(word) >= 0

    @functools.cached_property
    def lengths(self) -> NDArray[np.float32]:
        """The length of each vector, (words,); read once, for all searches."""
        squares = np.zeros(len(self), dtype=np.float32)
        for column in self.matrix.T:  # one by one: the matrix is never copied
            squares += column * column
        return np.sqrt(squares)

    def row(self, word: str) -> int:
        """Return a word's row, its rank by frequency; upper case is read as lower case.

        Raises ValueError for a word that has no vector.
        """
        row = self._find(word)
        if row < 0:
            raise ValueError(f"{word!r} has no vector: it is not among the {len(self):,} words.")
        return row

    def word(self, row: int) -> str:
        """Return the word of a row."""
        return str(self._words[row])

    def words(self, most: int) -> list[str]:
        """Return the `most` frequent words."""
        listed: list[str] = self._words[:most].to_pylist()
        return listed

    def vector(self, word: str) -> NDArray[np.float32]:
        """Return a copy of a word's vector, (numbers,); ValueError for a word that has none."""
        return np.array(self.matrix[self.row(word)])

    def unit(self, word: str) -> NDArray[np.float32]:
        """Return a word's vector, brought to length 1."""
        vector = self.vector(word)
        unit: NDArray[np.float32] = vector / np.linalg.norm(vector)
        return unit

    def similarity(self, first: str, second: str) -> float:
        """Return the cosine of the angle between the vectors of two words."""
        return float(self.unit(first) @ self.unit(second))

    def similarities(self, vector: ArrayLike, *, among: int | None = None) -> NDArray[np.float32]:
        """Return the cosine between `vector` and those of all words, or the `among` most frequent.

        Raises ValueError for a vector of length 0, which points nowhere.
        """
        vector = np.asarray(vector, dtype=np.float32)
        length = np.linalg.norm(vector)
        if not length > 0:
            raise ValueError("A vector of zeros points nowhere: it has no neighbours.")
        scores: NDArray[np.float32] = self.matrix[:among] @ (vector / length)
        scores /= self.lengths[:among]
        return scores

    def nearest(
        self,
        vector: ArrayLike,
        *,
        k: int = 10,
        without: Collection[str] = (),
        among: int | None = None,
    ) -> list[WordNeighbour]:
        """Return the k words whose vectors point most nearly where `vector` points.

        `without` leaves words out, such as the one that was asked for; `among` looks at so many of
        the most frequent only. Raises ValueError for a vector of length 0.
        """
        scores = self.similarities(vector, among=among)
        rows = [row for row in map(self._find, without) if 0 <= row < len(scores)]
        scores[rows] = -np.inf
        k = min(k, len(scores) - len(set(rows)))
        if k < 1:
            return []
        best = np.argpartition(scores, -k)[-k:]
        ordered = best[np.lexsort((best, -scores[best]))]  # the more frequent of equals first
        return [WordNeighbour(self.word(int(row)), float(scores[row])) for row in ordered]

    def analogy(
        self, first: str, second: str, third: str, *, k: int = 5, among: int | None = None
    ) -> list[WordNeighbour]:
        """Return what is to `third` as `second` to `first`: neighbours of second - first + third.

        The vectors are brought to length 1 first. The three words themselves are left out: without
        that, `third` or `second` would nearly always win. Follows "Linguistic Regularities in
        Continuous Space Word Representations" (Mikolov, Yih and Zweig, 2013).
        """
        target = self.unit(second) - self.unit(first) + self.unit(third)
        return self.nearest(target, k=k, without=(first, second, third), among=among)

    def _find(self, word: str) -> int:
        row: int = pc.index(self._words, word.lower()).as_py()
        return row


def load_glove(*, on_progress: Callable[[Progress], None] | None = None) -> WordVectors:
    """Return the 400,000 words and their vectors of 50 numbers, mapped from the file.

    Raises ValueError, saying what to install, if the files cannot be had.
    """
    folder = fetch(NAME, on_progress=on_progress)
    words = pq.read_table(folder / _INDEX)["index"].combine_chunks()
    matrix = np.load(folder / _MATRIX, mmap_mode="r")
    return WordVectors(words, np.asarray(matrix))  # an ordinary view of the same mapped memory
