"""What a classifier has to beat: the commonest label, and counted words.

The words' weights are TF-IDF and the classifier on them is logistic regression, computed as
scikit-learn's TfidfVectorizer and LogisticRegression compute them with their defaults.
"""

import math
import re
from collections import Counter
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from llm_core.data.labelled_texts import Labelled, LabelledTexts

_WORD = re.compile(r"(?u)\b\w\w+\b")  # two letters or more, as in scikit-learn
_ITERATIONS = 200


@dataclass(frozen=True)
class Baseline:
    """A classifier's share right on the test texts, and what it says of each."""

    accuracy: float
    said: tuple[int, ...]


def majority(texts: LabelledTexts) -> Baseline:
    """Always say the label that is commonest in training; of several, the first."""
    counts = Counter(each.label for each in texts.train)
    label = min(counts, key=lambda each: (-counts[each], each))
    return _measured(texts, [label] * len(texts.test))


def counted_words(texts: LabelledTexts, *, strength: float = 1.0) -> Baseline:
    """Logistic regression on TF-IDF; `strength` is scikit-learn's C, the inverse of its penalty."""
    words = word_places([each.text for each in texts.train])
    if not words:
        return majority(texts)
    idf = _inverse_frequencies(texts.train, words)
    x = _vectors(texts.train, words, idf)
    y = torch.tensor([each.label for each in texts.train])
    weight, bias = _logistic_regression(x, y, len(texts.labels), strength)
    scores = F.linear(_vectors(texts.test, words, idf), weight, bias)
    return _measured(texts, scores.argmax(dim=-1).tolist())


def word_places(texts: list[str]) -> dict[str, int]:
    """Return a place for every word of the texts, in alphabetical order."""
    return {
        word: place
        for place, word in enumerate(sorted(set(_WORD.findall(" ".join(texts).lower()))))
    }


def _inverse_frequencies(texts: tuple[Labelled, ...], words: dict[str, int]) -> Tensor:
    """ln((1 + n) / (1 + texts with the word)) + 1: a word that is everywhere says little."""
    counts = torch.zeros(len(words), dtype=torch.float64)
    for each in texts:
        for word in set(_WORD.findall(each.text.lower())):
            counts[words[word]] += 1
    return torch.log((1 + len(texts)) / (1 + counts)) + 1


def _vectors(texts: tuple[Labelled, ...], words: dict[str, int], idf: Tensor) -> Tensor:
    """Count each text's known words, weigh them, and bring each row to length 1; (N, W)."""
    x = torch.zeros(len(texts), len(words), dtype=torch.float64)
    for row, each in enumerate(texts):
        for word in _WORD.findall(each.text.lower()):
            if word in words:
                x[row, words[word]] += 1
    return F.normalize(x * idf, dim=-1)


def _logistic_regression(
    x: Tensor, y: Tensor, n_labels: int, strength: float
) -> tuple[Tensor, Tensor]:
    """Minimise strength · summed cross-entropy + ½ ‖weight‖²: a convex problem, solved by L-BFGS.

    x (N, W) and y (N,); returns weight (K, W) and bias (K,). With two labels, scikit-learn gives
    one of them a score of 0; to the same penalty that is a weight of ½ on each side.
    """
    weight = torch.zeros(n_labels, x.shape[1], dtype=torch.float64, requires_grad=True)
    bias = torch.zeros(n_labels, dtype=torch.float64, requires_grad=True)
    penalty = 1.0 if n_labels == 2 else 0.5
    optimizer = torch.optim.LBFGS(
        [weight, bias],
        max_iter=_ITERATIONS,
        tolerance_grad=1e-5,
        tolerance_change=1e-12,
        line_search_fn="strong_wolfe",
    )

    def objective() -> Tensor:
        optimizer.zero_grad()
        errors = F.cross_entropy(F.linear(x, weight, bias), y, reduction="sum")
        total: Tensor = strength * errors + penalty * weight.square().sum()
        total.backward()  # type: ignore[no-untyped-call]
        return total

    optimizer.step(objective)  # type: ignore[no-untyped-call]
    return weight.detach(), bias.detach()


def _measured(texts: LabelledTexts, said: list[int]) -> Baseline:
    right = sum(each.label == label for each, label in zip(texts.test, said, strict=True))
    return Baseline(right / len(said), tuple(said))


def chance_interval(accuracy: float, count: int) -> float:
    """Return how far an accuracy measured on `count` texts may be off: two standard errors."""
    return 2 * math.sqrt(accuracy * (1 - accuracy) / count)
