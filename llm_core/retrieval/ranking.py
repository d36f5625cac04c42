"""Order passages by their scores, and join the orders of several ways to search.

Reciprocal rank fusion: Cormack, Clarke and Büttcher, "Reciprocal Rank Fusion outperforms Condorcet
and individual Rank Learning Methods" (2009). Imports no torch.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

RRF_K = 60  # of the paper: how little the very first ranks stand out
DEPTH = 100  # ranks of each way that are joined


@dataclass(frozen=True)
class Hit:
    """A passage that was found: its number and its score."""

    passage: int
    score: float


def best(scores: ArrayLike, k: int) -> list[Hit]:
    """Return the k highest of scores (N,), the highest first; of equals, the earlier passage."""
    scores = np.asarray(scores)
    k = min(k, len(scores))
    if k < 1:
        return []
    # All that may be among the k: equals at the limit are ordered by their number below.
    limit = np.partition(scores, len(scores) - k)[len(scores) - k]
    candidates = np.flatnonzero(scores >= limit)
    order = candidates[np.lexsort((candidates, -scores[candidates]))][:k]
    return [Hit(int(passage), float(scores[passage])) for passage in order]


def rank_of(scores: NDArray[np.floating], passages: Sequence[int]) -> int | None:
    """Return the best rank, from 1, that one of `passages` has; None if there are none."""
    if not len(passages):
        return None
    ranks = []
    for passage in passages:
        score = scores[passage]
        before = int((scores > score).sum()) + int((scores[:passage] == score).sum())
        ranks.append(before + 1)
    return min(ranks)


def fuse(rankings: Sequence[Sequence[int]], count: int, *, k: int = RRF_K) -> NDArray[np.float64]:
    """Return a score for each of `count` passages: the sum of 1 / (k + rank) over the rankings.

    A ranking lists passages, the best first; where it does not list one, it adds nothing. Scores
    of different kinds need not be comparable for that: only the ranks count.
    """
    scores = np.zeros(count)
    for ranking in rankings:
        places = np.asarray(ranking, dtype=np.int64)
        scores[places] += 1 / (k + np.arange(1, len(places) + 1))
    return scores


def hybrid_scores(
    words: NDArray[np.floating], vectors: NDArray[np.floating], *, depth: int = DEPTH
) -> NDArray[np.float64]:
    """Fuse the `depth` best by words and by vectors, scores (N,) each.

    What holds none of the question's words has a score of 0 there, and is not ranked by it.
    """
    by_words = [hit.passage for hit in best(words, depth) if hit.score > 0]
    by_vectors = [hit.passage for hit in best(vectors, depth)]
    return fuse([by_words, by_vectors], len(words))
