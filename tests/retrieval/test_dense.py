"""Searching by vectors against plain numpy, and packing them into bytes."""

import numpy as np
import pytest

from llm_core.retrieval.dense import LEVELS, DenseIndex, pack
from llm_core.retrieval.ranking import best


def unit_vectors(count, width=24, seed=1):
    vectors = np.random.default_rng(seed).standard_normal((count, width))
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def test_the_nearest_are_those_of_plain_numpy():
    vectors, questions = unit_vectors(300), unit_vectors(20, seed=2)
    index = DenseIndex(vectors)
    assert len(index) == 300
    for question in questions:
        cosines = [
            float(np.sum(v * question) / np.sqrt(np.sum(v**2) * np.sum(question**2)))
            for v in vectors
        ]
        scores = index.scores(question)
        np.testing.assert_allclose(scores, cosines, atol=1e-6)
        naive = sorted(range(300), key=lambda place: -cosines[place])[:10]
        assert [hit.passage for hit in best(scores, 10)] == naive


def test_packed_vectors_are_near_and_of_length_one():
    vectors = unit_vectors(200, 384)
    packed = pack(vectors)
    assert packed.levels.dtype == np.int8
    assert np.abs(packed.levels.astype(int)).max() <= LEVELS
    unpacked = packed.unpack()
    np.testing.assert_allclose(np.linalg.norm(unpacked, axis=1), 1, atol=1e-6)
    assert np.abs(packed.levels * packed.step - vectors).max() <= packed.step / 2 + 1e-7
    assert (unpacked * vectors).sum(axis=1).min() > 0.999
    cosines = np.abs(unpacked @ unpacked[:20].T - vectors @ vectors[:20].T)
    assert cosines.max() < 0.02
    finer = pack(vectors, steps=16).unpack()
    assert np.abs(finer - vectors).mean() < np.abs(unpacked - vectors).mean()


def test_vectors_of_zeros_stay_zeros():
    assert not pack(np.zeros((3, 8))).unpack().any()


def test_damaged_or_foreign_vectors_are_refused():
    for damaged in (np.ones(4), [[1.0, np.nan]], [[np.inf, 0.0]]):
        with pytest.raises(ValueError, match="index is damaged"):
            DenseIndex(damaged)
    with pytest.raises(ValueError, match="different encoders"):
        DenseIndex(unit_vectors(3)).scores(np.ones(5))
