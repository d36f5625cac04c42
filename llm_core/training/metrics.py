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
    single = np.bincount(train_ids, minlength=vocab_size)
    prior = (single + 1) / (len(train_ids) + vocab_size)
    followed = np.bincount(train_ids[:-1], minlength=vocab_size)
    # Pairs as one number each: with a big vocabulary a V x V table would not fit in memory.
    pairs, counts = np.unique(_pair_numbers(train_ids, vocab_size), return_counts=True)
    wanted = _pair_numbers(validation_ids, vocab_size)
    places = np.searchsorted(pairs, wanted).clip(max=max(0, len(pairs) - 1))
    pair_counts = np.where(pairs[places] == wanted, counts[places], 0) if len(pairs) else 0
    first, second = validation_ids[:-1], validation_ids[1:]
    probability = (pair_counts + prior[second]) / (followed[first] + 1)
    return float(-np.log(probability).mean())


def _pair_numbers(ids: NDArray[np.int64], vocab_size: int) -> NDArray[np.int64]:
    return ids[:-1] * vocab_size + ids[1:]
