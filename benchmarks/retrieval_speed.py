"""How long a question takes among 20,000 passages, once they are indexed.

    python benchmarks/retrieval_speed.py [--passages 20000] [--threads 1] [--without-encoder]

Real passages of the State of the Union addresses, cut shorter than the course's so that there are
enough, and our own questions. Their vectors are drawn, not encoded: the time of a product does not
depend on its numbers. Each figure is the median over all questions, from the scores to the ten
best. The baseline, measured in the same run, is plain numpy: counts of each passage looked up one
by one, a product, and a full sort. The aim: hybrid, its question encoded, in less than 150 ms.
"""

import argparse
import statistics
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))  # run from anywhere, without installing

import numpy as np
import torch

from llm_core.pretrained.minilm import load_minilm
from llm_core.retrieval.bm25 import K1, B, BM25Index, find_words
from llm_core.retrieval.chunks import cut_documents
from llm_core.retrieval.dense import DenseIndex
from llm_core.retrieval.documents import state_of_the_union
from llm_core.retrieval.encoder import WIDTH, embedder
from llm_core.retrieval.evaluation import load_questions
from llm_core.retrieval.ranking import best, hybrid_scores

SIZE, OVERLAP = 800, 150  # characters: the course's are 1,100 and 200
AIM = 150.0  # ms
BEST = 10


class PlainBM25:
    """BM25 as one would write it first: every count of every passage, for every word."""

    def __init__(self, texts: Sequence[str]) -> None:
        self.counts = [Counter(find_words(text)) for text in texts]
        lengths = np.array([sum(count.values()) for count in self.counts])
        self.damping = K1 * (1 - B + B * lengths / lengths.mean())

    def scores(self, question: str) -> np.ndarray:
        """Return the score of each passage (N,)."""
        scores = np.zeros(len(self.counts))
        for word in find_words(question):
            held = np.array([count[word] for count in self.counts])
            passages = int((held > 0).sum())
            idf = np.log1p((len(held) - passages + 0.5) / (passages + 0.5))
            scores += idf * held / (held + self.damping)
        return scores


def first(scores: np.ndarray) -> np.ndarray:
    """The best by a full sort."""
    return np.argsort(-scores, kind="stable")[:BEST]


def median_ms(ask: Callable[[int], Any], count: int) -> tuple[float, float]:
    """Return the median and the slowest of one call a question, in milliseconds."""
    ask(0)  # whatever is set up only once
    taken = []
    for place in range(count):
        started = time.perf_counter()
        ask(place)
        taken.append(1000 * (time.perf_counter() - started))
    return statistics.median(taken), max(taken)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--passages", type=int, default=20_000)
    parser.add_argument("--threads", type=int, default=1, help="more only wait for each other")
    parser.add_argument("--without-encoder", action="store_true", help="do not load MiniLM")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    texts = cut_documents(state_of_the_union(), size=SIZE, overlap=OVERLAP).texts()
    texts = texts[: options.passages]
    questions = [question.text for question in load_questions()]
    rng = np.random.default_rng(1)
    vectors = rng.standard_normal((len(texts), WIDTH)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    started = time.perf_counter()
    words = BM25Index(texts)
    print(f"{len(texts):,} passages, {len(questions)} questions, {options.threads} threads")
    print(f"index of the words: {time.perf_counter() - started:.1f} s, once")
    dense, plain = DenseIndex(vectors), PlainBM25(texts)
    if options.without_encoder:
        asked = vectors[rng.choice(len(texts), len(questions))]

        def encode(place: int) -> np.ndarray:
            return asked[place]
    else:
        embed = embedder(load_minilm())

        def encode(place: int) -> np.ndarray:
            return np.asarray(embed([questions[place]])[0])

        asked = np.stack([encode(place) for place in range(len(questions))])

    def hybrid(place: int) -> Any:
        vector = encode(place)
        return best(hybrid_scores(words.scores(questions[place]), dense.scores(vector)), BEST)

    wrong = sum(
        not np.allclose(words.scores(text), plain.scores(text), atol=1e-4) for text in questions[:9]
    )
    print(f"scores that differ from plain numpy's: {wrong}")
    figures: dict[str, Callable[[int], Any]] = {
        "BM25": lambda n: best(words.scores(questions[n]), BEST),
        "BM25, plain numpy": lambda n: first(plain.scores(questions[n])),
        "question's vector": encode,
        "dense": lambda n: best(dense.scores(asked[n]), BEST),
        "dense, plain numpy": lambda n: first(vectors @ asked[n]),
        "hybrid with its vector": hybrid,
    }
    for name, ask in figures.items():
        median, slowest = median_ms(ask, len(questions))
        print(f"{name}: median {median:.2f} ms, slowest {slowest:.2f} ms")
    print(f"aim for hybrid with its vector: {AIM:.0f} ms, {'met' if median < AIM else 'missed'}")


if __name__ == "__main__":
    main()
