"""Ranks and reciprocal rank fusion against counts, and the three ways to search together."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_core.retrieval.chunks import Document, cut_documents
from llm_core.retrieval.dense import DenseIndex
from llm_core.retrieval.ranking import best, fuse, hybrid_scores, rank_of
from llm_core.retrieval.search import BOTH, METHODS, VECTORS, WORDS, make_searcher

SCORES = st.lists(st.integers(-3, 3), min_size=1, max_size=40).map(lambda s: np.array(s, float))


@given(scores=SCORES, k=st.integers(0, 50))
def test_the_best_are_those_of_a_stable_sort(scores, k):
    naive = sorted(range(len(scores)), key=lambda place: (-scores[place], place))[:k]
    assert [(hit.passage, hit.score) for hit in best(scores, k)] == [
        (place, scores[place]) for place in naive
    ]


@given(scores=SCORES, places=st.lists(st.integers(0, 1000), max_size=4))
def test_a_rank_is_the_place_in_that_order(scores, places):
    passages = [place % len(scores) for place in places]
    order = [hit.passage for hit in best(scores, len(scores))]
    expected = min((order.index(passage) + 1 for passage in passages), default=None)
    assert rank_of(scores, passages) == expected


@given(
    rankings=st.lists(st.permutations(range(12)).map(lambda order: order[:7]), max_size=4),
    k=st.integers(1, 100),
)
def test_fused_scores_are_sums_of_reciprocal_ranks(rankings, k):
    expected = [
        sum(1 / (k + order.index(passage) + 1) for order in rankings if passage in order)
        for passage in range(12)
    ]
    np.testing.assert_allclose(fuse(rankings, 12, k=k), expected)


def test_hybrid_ranks_by_words_only_what_holds_a_word():
    words, vectors = np.array([0.0, 3.0, 0.0, 5.0]), np.array([0.9, 0.1, 0.8, 0.2])
    expected = [1 / 61, 1 / 62 + 1 / 64, 1 / 62, 1 / 61 + 1 / 63]
    np.testing.assert_allclose(hybrid_scores(words, vectors), expected)
    shallow = hybrid_scores(words, vectors, depth=1)
    np.testing.assert_allclose(shallow, [1 / 61, 0, 0, 1 / 61])


def test_a_question_is_searched_in_every_way_that_can_be_gone():
    passages = cut_documents([Document("a", "The owl sat. " * 30), Document("b", "A bell. " * 30)])
    vectors = np.eye(len(passages), 4)
    searcher = make_searcher(passages, DenseIndex(vectors))
    found = searcher.search("Where is the bell?", vectors[0])
    assert tuple(found) == METHODS
    np.testing.assert_array_equal(found[WORDS], searcher.words.scores("Where is the bell?"))
    np.testing.assert_array_equal(found[VECTORS], vectors @ vectors[0])
    np.testing.assert_array_equal(found[BOTH], hybrid_scores(found[WORDS], found[VECTORS]))
    assert tuple(searcher.search("bell", None)) == (WORDS,)
    assert tuple(make_searcher(passages).search("bell", vectors[0])) == (WORDS,)
    with pytest.raises(ValueError, match="Write a question first"):
        searcher.search("  ", None)
    with pytest.raises(ValueError, match="make the index anew"):
        make_searcher(passages, DenseIndex(np.eye(9)))
