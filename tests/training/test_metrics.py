import itertools
import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from llm_core.training.metrics import bigram_loss, perplexity, uniform_loss


def test_bigram_loss_equals_cross_entropy_of_a_table_of_counts():
    random = np.random.default_rng(0)
    vocab_size = 9
    train, validation = random.integers(0, 7, 500), random.integers(0, vocab_size, 90)
    counts = torch.zeros(vocab_size, vocab_size, dtype=torch.float64)
    for first, second in itertools.pairwise(train):
        counts[first, second] += 1
    prior = (torch.tensor(np.bincount(train, minlength=vocab_size)) + 1) / (500 + vocab_size)
    table = (counts + prior) / (counts.sum(1, keepdim=True) + 1)
    torch.testing.assert_close(table.sum(1), torch.ones(vocab_size, dtype=torch.float64))
    expected = F.cross_entropy(table.log()[validation[:-1]], torch.tensor(validation[1:]))
    assert bigram_loss(train, validation, vocab_size) == pytest.approx(float(expected))


def test_bigram_loss_of_a_text_that_pairs_foretell():
    ids = np.array([0, 1] * 5000)
    assert bigram_loss(ids, ids[:100], 2) < 1e-3


def test_bigram_loss_with_a_training_text_of_one_token():
    assert math.isfinite(bigram_loss(np.array([0]), np.array([0, 1]), 2))


def test_bigram_loss_needs_a_pair():
    with pytest.raises(ValueError, match="two validation tokens"):
        bigram_loss(np.array([0, 1]), np.array([1]), 2)


def test_perplexity_of_knowing_nothing_is_the_vocabulary():
    assert perplexity(uniform_loss(65)) == pytest.approx(65)
    assert math.isfinite(perplexity(1e6))
