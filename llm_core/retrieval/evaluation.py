"""Measure a search on questions whose answers' places are known. Imports no torch."""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from llm_core.retrieval.chunks import Passages
from llm_core.retrieval.ranking import rank_of
from llm_core.retrieval.search import VECTORS, Searcher

KINDS = {"same": "the passage's words", "plain": "as one would ask", "other": "other words"}
FAR, NEAR = "far off", "near by"  # kinds of questions without an answer
_ABSENT = {"far": FAR, "near": NEAR}
QUESTIONS = Path(__file__).parent / "shipped" / "questions.toml"


@dataclass(frozen=True)
class Question:
    """A question, and words of the text that answer it.

    evidence: quotes, each of which answers by itself; none if the text holds no answer. kind: one
    of the values of `KINDS`, or `FAR` or `NEAR` if there is no answer. answer: a sentence of ours.
    """

    text: str
    kind: str
    evidence: tuple[str, ...] = ()
    answer: str = ""


def load_questions(path: Path = QUESTIONS) -> tuple[Question, ...]:
    """Return our questions on the addresses: each passage in every kind, then those unanswered."""
    with path.open("rb") as file:
        entries = tomllib.load(file)
    asked = [
        Question(entry[key], kind, tuple(entry["evidence"]), entry["answer"])
        for entry in entries["passage"]
        for key, kind in KINDS.items()
    ]
    absent = [Question(entry["text"], _ABSENT[entry["kind"]]) for entry in entries["absent"]]
    return (*asked, *absent)


def answering(passages: Passages, question: Question) -> list[int]:
    """Return the passages that hold one of the quotes that answer a question."""
    return sorted({each for quote in question.evidence for each in passages.holding(quote)})


def recall_at(ranks: Sequence[int | None], k: int) -> float:
    """Return the share of questions with an answering passage among the first k.

    ranks: the best rank of an answering passage for each question, from 1; None for not found.
    Where one passage holds the answer, this is the recall. Raises ValueError without a question.
    """
    if not ranks:
        raise ValueError("There is no question to measure with.")
    return sum(rank is not None and rank <= k for rank in ranks) / len(ranks)


def mean_reciprocal_rank(ranks: Sequence[int | None]) -> float:
    """Return the mean of 1 / rank over the questions; what was not found counts 0.

    Voorhees, "The TREC-8 Question Answering Track Report" (1999). Raises ValueError without one.
    """
    if not ranks:
        raise ValueError("There is no question to measure with.")
    return sum(0.0 if rank is None else 1 / rank for rank in ranks) / len(ranks)


def measures(ranks: Sequence[int | None], ks: Sequence[int] = (1, 5, 10)) -> Mapping[str, float]:
    """Return recall at each k, and the mean reciprocal rank, by name."""
    found = {f"recall@{k}": recall_at(ranks, k) for k in ks}
    return found | {"MRR": mean_reciprocal_rank(ranks)}


@dataclass(frozen=True)
class Outcome:
    """What came of a question, by way to search.

    ranks: the best rank of an answering passage, None if it was not found or there is none. best:
    the highest score of all passages.
    """

    question: Question
    ranks: dict[str, int | None]
    best: dict[str, float]


def run_questions(
    searcher: Searcher, questions: Sequence[Question], vectors: Mapping[str, NDArray[np.float32]]
) -> list[Outcome]:
    """Search for each question in every way that can be gone; vectors: of the questions, by text.

    By words, and in what is fused of two lists, a passage with a score of 0 was not found at all.
    """
    outcomes = []
    answers: dict[tuple[str, ...], list[int]] = {}  # several questions ask for the same
    for question in questions:
        if question.evidence not in answers:
            answers[question.evidence] = answering(searcher.passages, question)
        right = answers[question.evidence]
        ranks: dict[str, int | None] = {}
        best = {}
        for method, scores in searcher.search(question.text, vectors.get(question.text)).items():
            listed = [each for each in right if method == VECTORS or scores[each] > 0]
            ranks[method] = rank_of(scores, listed)
            best[method] = float(scores.max())
        outcomes.append(Outcome(question, ranks, best))
    return outcomes
