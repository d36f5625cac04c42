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


def ranks_by_method(
    searcher: Searcher, questions: Sequence[Question], vectors: Mapping[str, NDArray[np.float32]]
) -> dict[str, list[int | None]]:
    """Return for each way to search the best rank of an answering passage for each question.

    vectors: those of the questions by their text. By words, and in what is fused of two lists, a
    passage with a score of 0 was not found at all.
    """
    ranks: dict[str, list[int | None]] = {}
    for question in questions:
        right = answering(searcher.passages, question)
        found = searcher.search(question.text, vectors.get(question.text))
        for method, scores in found.items():
            listed = [each for each in right if method == VECTORS or scores[each] > 0]
            ranks.setdefault(method, []).append(rank_of(scores, listed))
    return ranks
