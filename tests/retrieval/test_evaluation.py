"""Recall and reciprocal ranks by hand, and our questions: every known passage exists."""

import numpy as np
import pytest

from llm_core.retrieval.chunks import Document, cut_documents
from llm_core.retrieval.dense import DenseIndex
from llm_core.retrieval.documents import state_of_the_union
from llm_core.retrieval.evaluation import (
    FAR,
    KINDS,
    NEAR,
    Question,
    answering,
    load_questions,
    mean_reciprocal_rank,
    measures,
    recall_at,
    run_questions,
)
from llm_core.retrieval.search import BOTH, VECTORS, WORDS, make_searcher


def test_measures_by_hand():
    ranks = [1, 3, None, 10, 6]
    assert [recall_at(ranks, k) for k in (1, 3, 5, 6, 10)] == [0.2, 0.4, 0.4, 0.6, 0.8]
    assert mean_reciprocal_rank(ranks) == pytest.approx((1 + 1 / 3 + 0 + 1 / 10 + 1 / 6) / 5)
    assert measures(ranks) == {
        "recall@1": 0.2, "recall@5": 0.4, "recall@10": 0.8, "MRR": pytest.approx(0.32),
    }  # fmt: skip
    for measure in (lambda: recall_at([], 1), lambda: mean_reciprocal_rank([])):
        with pytest.raises(ValueError, match="no question to measure"):
            measure()


def test_questions_are_run_in_every_way_and_what_holds_no_word_was_not_found():
    texts = ["The owl sat in the tower.", "The bell rang at noon.", "A fox ran home at last."]
    passages = cut_documents([Document(text, text) for text in texts])
    searcher = make_searcher(passages, DenseIndex(np.eye(3)))
    asked = [
        Question("owl", "plain", ("owl sat",)),
        Question("bird", "other", ("owl sat",)),
        Question("moon", FAR),
    ]
    vectors = {"owl": np.array([0.1, 0.9, 0.2]), "bird": np.array([0.5, 0.6, 0.4])}
    owl, bird, moon = run_questions(searcher, asked, vectors)
    assert owl.ranks == {WORDS: 1, VECTORS: 3, BOTH: 1}
    assert bird.ranks == {WORDS: None, VECTORS: 2, BOTH: 2}
    assert moon.ranks == {WORDS: None}
    assert (moon.best[WORDS], owl.best[VECTORS]) == (0, pytest.approx(0.9))


def test_our_questions_are_sixty_or_more_and_all_different():
    questions = load_questions()
    assert len({question.text for question in questions}) == len(questions)
    answered = [question for question in questions if question.evidence]
    assert len(answered) >= 60
    for kind in KINDS.values():
        assert sum(question.kind == kind for question in answered) == len(answered) / 3
    assert {q.kind for q in questions if not q.evidence} == {FAR, NEAR}
    assert all(question.answer for question in answered)


def test_every_known_passage_exists_in_the_addresses():
    """Each quote stands in some passage whole, and every question can be answered."""
    passages = cut_documents(state_of_the_union())
    quotes = {quote for question in load_questions() for quote in question.evidence}
    lost = [quote for quote in sorted(quotes) if not passages.holding(quote)]
    assert not lost
    found = answering(passages, load_questions()[0])
    assert found
    assert any(load_questions()[0].evidence[0] in passages.text(n) for n in found)
