"""What tells how well a model predicts, and what to compare it with. No torch needed."""

import math

import numpy as np
from numpy.typing import NDArray


def perplexity(loss: float) -> float:
    """exp(loss): among how many equally likely tokens the model might as well be guessing."""
    return math.exp(min(loss, 700.0))  # exp(710) is more than a float holds


def uniform_loss(vocab_size: int) -> float:
    """ln(V), in nats per token: the loss of a model that knows nothing."""
    return math.log(vocab_size)


def bigram_loss(
    train_ids: NDArray[np.int64], validation_ids: NDArray[np.int64], vocab_size: int
) -> float:
    """Validation loss, in nats per token, of a model that looks at the last token only.

    P(b | a) = (count(a b) + λ P(b)) / (count(a) + λ), with P(b) = (count(b) + 1) / (N + V) and
    λ = 1: pairs counted in the training ids (N,), leaning on single counts for rare pairs
    (Bayesian smoothing with a unigram prior, MacKay and Peto 1995). Raises ValueError if there is
    no pair to predict.
    """
    if len(validation_ids) < 2:
        raise ValueError("A bigram model needs at least two validation tokens.")
    return float(-np.log(_after_one(train_ids, validation_ids, vocab_size)).mean())


def trigram_loss(
    train_ids: NDArray[np.int64], validation_ids: NDArray[np.int64], vocab_size: int
) -> float:
    """Validation loss, in nats per token, of a model that looks at the last two tokens only.

    P(c | a b) = (count(a b c) + λ P(c | b)) / (count(a b) + λ) with λ = 1, where P(c | b) is the
    bigram model's: the same smoothing once more. Raises ValueError if there is nothing to predict.
    """
    if len(validation_ids) < 3:
        raise ValueError("A trigram model needs at least three validation tokens.")
    shorter = _after_one(train_ids, validation_ids, vocab_size)[1:]
    pairs, wanted = (_numbers(ids, vocab_size, 2) for ids in (train_ids, validation_ids))
    triples = _counts(_numbers(train_ids, vocab_size, 3), _numbers(validation_ids, vocab_size, 3))
    followed = _counts(pairs[:-1], wanted[:-1])
    return float(-np.log((triples + shorter) / (followed + 1)).mean())


def _after_one(
    train_ids: NDArray[np.int64], validation_ids: NDArray[np.int64], vocab_size: int
) -> NDArray[np.float64]:
    """The bigram model's probability (M - 1,) of each validation token but the first."""
    single = np.bincount(train_ids, minlength=vocab_size)
    prior = (single + 1) / (len(train_ids) + vocab_size)
    followed = np.bincount(train_ids[:-1], minlength=vocab_size)
    pairs = _counts(_numbers(train_ids, vocab_size, 2), _numbers(validation_ids, vocab_size, 2))
    first, second = validation_ids[:-1], validation_ids[1:]
    probabilities: NDArray[np.float64] = (pairs + prior[second]) / (followed[first] + 1)
    return probabilities


def _counts(numbers: NDArray[np.int64], wanted: NDArray[np.int64]) -> NDArray[np.int64]:
    """How often each of `wanted` is among `numbers`. A table of V x V would not fit in memory."""
    found, counts = np.unique(numbers, return_counts=True)
    if not len(found):
        return np.zeros_like(wanted)
    places = np.searchsorted(found, wanted).clip(max=len(found) - 1)
    return np.where(found[places] == wanted, counts[places], 0)


def _numbers(ids: NDArray[np.int64], vocab_size: int, length: int) -> NDArray[np.int64]:
    """Each run of `length` tokens in ids (N,) as one number, (N - length + 1,)."""
    total = np.zeros(max(0, len(ids) - length + 1), dtype=np.int64)
    for place in range(length):
        total = total * vocab_size + ids[place : len(ids) - length + 1 + place]
    return total
