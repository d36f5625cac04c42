"""One question, three ways to search: by words, by vectors, by both. Imports no torch."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from llm_core.retrieval.bm25 import BM25Index
from llm_core.retrieval.chunks import Passages
from llm_core.retrieval.dense import DenseIndex
from llm_core.retrieval.ranking import hybrid_scores

WORDS, VECTORS, BOTH = "BM25", "dense", "hybrid"
METHODS = (WORDS, VECTORS, BOTH)
Scores = NDArray[np.floating]


@dataclass(frozen=True)
class Searcher:
    """Passages with their indexes; dense is None as long as their vectors are not there."""

    passages: Passages
    words: BM25Index
    dense: DenseIndex | None = None

    def search(self, question: str, vector: NDArray[np.float32] | None) -> dict[str, Scores]:
        """Return the scores (N,) of each way that can be gone; vectors need the question's.

        Raises ValueError for an empty question.
        """
        if not question.strip():
            raise ValueError("Write a question first.")
        found: dict[str, Scores] = {WORDS: self.words.scores(question)}
        if self.dense is not None and vector is not None:
            found[VECTORS] = self.dense.scores(vector)
            found[BOTH] = hybrid_scores(found[WORDS], found[VECTORS])
        return found


def make_searcher(passages: Passages, dense: DenseIndex | None = None) -> Searcher:
    """Index passages by their words; raise ValueError if the vectors are not theirs."""
    if dense is not None and len(dense) != len(passages):
        raise ValueError(
            f"There are {len(passages):,} passages and {len(dense):,} vectors: make the index anew."
        )
    return Searcher(passages, BM25Index(passages.texts()), dense)
