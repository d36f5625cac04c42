"""Counted n-gram models: what language models were before neural networks. NumPy only.

A model of order n looks at the n - 1 tokens before the next one, and at nothing else. All that it
knows are counts of the runs of n tokens in a text.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Ids = NDArray[np.int64]
MOST_TOKENS = 10  # of a run, at the most


@dataclass(frozen=True)
class Runs:
    """All different runs of some number of tokens in a text, and how often each occurs.

    first: of a run that is one token longer, the number of its beginning among the runs one token
    shorter; last: its last token. Both (R,), sorted by first, then last; counts (R,).
    """

    first: Ids
    last: Ids
    counts: Ids

    def __len__(self) -> int:
        return len(self.counts)


@dataclass(frozen=True)
class NGramModel:
    """Counts, and how they become probabilities.

    P(w | context) = (count(context w) + strength · P(w | shorter context)) / (count(context) +
    strength): what was counted, leaning on the model that sees one token less, the more so the
    rarer the context. Below the single tokens lies the even distribution, 1 / vocab_size, so no
    token is ever impossible. This is interpolated smoothing with a Dirichlet prior (MacKay and
    Peto 1995); order 2 and strength 1 give the bigram of `training.metrics.bigram_loss`.
    """

    order: int
    vocab_size: int
    strength: float
    runs: tuple[Runs, ...]  # of 1 token, of 2, … of `order` tokens

    def probabilities(self, context: Ids) -> NDArray[np.float64]:
        """Return the distribution (V,) of the token after `context` (T,); its end counts."""
        shared: NDArray[np.float64] = (
            np.bincount(self.runs[0].last, self.runs[0].counts, self.vocab_size) + 1
        ) / (self.runs[0].counts.sum() + self.vocab_size)
        used = min(self.order - 1, len(context))
        for length in range(1, used + 1):
            number = self._find(context[len(context) - length :])
            if number < 0:
                break  # never seen: longer contexts neither
            runs = self.runs[length]
            low, high = np.searchsorted(runs.first, [number, number + 1])
            counted = np.bincount(runs.last[low:high], runs.counts[low:high], self.vocab_size)
            shared = (counted + self.strength * shared) / (counted.sum() + self.strength)
        return shared

    def token_probabilities(self, ids: Ids) -> NDArray[np.float64]:
        """Return what each of ids (T,) but the first had as its probability, (T - 1,).

        Contexts reach back to the start of `ids`. Raises ValueError if there are less than two.
        """
        if len(ids) < 2:
            raise ValueError("To be predicted, a text needs at least two tokens.")
        numbers = _lookup(self.runs[0], np.zeros(len(ids), dtype=np.int64), ids, self.vocab_size)
        counts = np.where(numbers >= 0, self.runs[0].counts[numbers], 0)
        found: NDArray[np.float64] = (counts + 1) / (self.runs[0].counts.sum() + self.vocab_size)
        for length in range(1, self.order):
            # Runs of length + 1 tokens that end at each place, by their first `length` tokens.
            followed = self._followed(length)
            before = np.concatenate([[-1], numbers[:-1]])
            total = np.where(before >= 0, followed[before], 0)
            numbers = _lookup(self.runs[length], before, ids, self.vocab_size)
            counts = np.where(numbers >= 0, self.runs[length].counts[numbers], 0)
            found = (counts + self.strength * found) / (total + self.strength)
        return found[1:]

    def loss(self, ids: Ids) -> float:
        """Return the mean loss in nats per token over ids (T,)."""
        return float(-np.log(self.token_probabilities(ids)).mean())

    def unseen_share(self, ids: Ids) -> float:
        """Return the share of runs of `order` tokens in ids (T,) that were never counted."""
        numbers = _lookup(self.runs[0], np.zeros(len(ids), dtype=np.int64), ids, self.vocab_size)
        for length in range(1, self.order):
            before = np.concatenate([[-1], numbers[:-1]])
            numbers = _lookup(self.runs[length], before, ids, self.vocab_size)
        return float((numbers[self.order - 1 :] < 0).mean())

    def write(self, prompt: Ids, tokens: int, *, seed: int) -> list[int]:
        """Continue a prompt (T,) by `tokens` tokens, each drawn from `probabilities`."""
        chance = np.random.default_rng(seed)
        ids = list(prompt)
        for _ in range(tokens):
            context = np.array(ids[-(self.order - 1) :] if self.order > 1 else [], dtype=np.int64)
            shares = self.probabilities(context).cumsum()
            ids.append(int(np.searchsorted(shares, chance.random() * shares[-1], side="right")))
        return [int(index) for index in ids[len(prompt) :]]

    def _followed(self, length: int) -> Ids:
        """How often each run of `length` tokens was followed by any token."""
        runs = self.runs[length]
        return np.bincount(runs.first, runs.counts, minlength=len(self.runs[length - 1])).astype(
            np.int64
        )

    def _find(self, context: Ids) -> int:
        """Return the number of the run of these tokens; -1 if it was never counted."""
        number = np.zeros(1, dtype=np.int64)
        for runs, index in zip(self.runs, context, strict=False):
            number = _lookup(runs, number, np.array([index]), self.vocab_size)
        return int(number[0])


def count_ngrams(ids: Ids, order: int, vocab_size: int, *, strength: float = 1.0) -> NGramModel:
    """Count all runs of 1 to `order` tokens in ids (N,).

    Raises ValueError for an order that the text is too short for, for a strength that is not above
    0, and for ids outside the vocabulary.
    """
    if not 1 <= order <= MOST_TOKENS:
        raise ValueError(f"An n-gram holds 1 to {MOST_TOKENS} tokens, not {order}.")
    if not 0 < strength < float("inf"):
        raise ValueError("The strength of the smoothing must be above 0.")
    if len(ids) < order:
        raise ValueError(f"A text of {len(ids)} tokens holds no run of {order}.")
    if ids.min() < 0 or ids.max() >= vocab_size:
        raise ValueError(f"Token ids must lie between 0 and {vocab_size - 1}.")
    numbers = np.zeros(len(ids), dtype=np.int64)  # of the run that ends before each place
    found = []
    for length in range(order):
        keys = numbers * vocab_size + ids[length:]
        different, inverse, counts = np.unique(keys, return_inverse=True, return_counts=True)
        found.append(Runs(different // vocab_size, different % vocab_size, counts))
        numbers = inverse[:-1].astype(np.int64)
    return NGramModel(order, vocab_size, strength, tuple(found))


def lower_order(model: NGramModel, order: int) -> NGramModel:
    """Return the model that looks at fewer tokens, from the same counts."""
    if not 1 <= order <= model.order:
        raise ValueError(f"There are counts of runs of 1 to {model.order} tokens, not of {order}.")
    return NGramModel(order, model.vocab_size, model.strength, model.runs[:order])


def _lookup(runs: Runs, first: Ids, last: Ids, vocab_size: int) -> Ids:
    """Return the number of each run (first, last), -1 where there is none or no first."""
    keys = runs.first * vocab_size + runs.last
    wanted = first * vocab_size + last
    places = np.searchsorted(keys, wanted).clip(max=len(keys) - 1)
    found: Ids = np.where((first >= 0) & (keys[places] == wanted), places, -1)
    return found
