"""Principal axes against scikit-learn, neighbours against its own search."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.decomposition import PCA
from sklearn.neighbors import NearestNeighbors

from llm_core.inspection.projection import principal_axes, shared_neighbours


def draw(rows, columns, seed):
    spread = np.linspace(3, 0.5, columns)  # no two directions alike
    return np.random.default_rng(seed).normal(size=(rows, columns)) * spread + 1


def signs(ours, theirs):
    """Of each direction, whether it is the opposite of the other's."""
    return np.sign((ours * theirs).sum(axis=1))


@settings(max_examples=40, deadline=None)
@given(rows=st.integers(5, 60), columns=st.integers(2, 20), seed=st.integers(0, 1000))
def test_axes_are_scikit_learns_up_to_sign(rows, columns, seed):
    points = draw(rows, columns, seed)
    k = min(rows - 1, columns, 3)
    theirs = PCA(n_components=k, svd_solver="full").fit(points)
    ours = principal_axes(points, k)
    np.testing.assert_allclose(ours.center, theirs.mean_, atol=1e-12)
    np.testing.assert_allclose(ours.shares, theirs.explained_variance_ratio_, atol=1e-10)
    turn = signs(ours.directions, theirs.components_)
    np.testing.assert_allclose(ours.directions * turn[:, None], theirs.components_, atol=1e-7)
    others = draw(7, columns, seed + 1)
    np.testing.assert_allclose(ours.project(others) * turn, theirs.transform(others), atol=1e-6)


def test_the_sign_is_always_the_same():
    points = draw(30, 6, 3)
    first, second = principal_axes(points, 4), principal_axes(points[::-1], 4)
    np.testing.assert_allclose(first.directions, second.directions, atol=1e-9)
    largest = np.abs(first.directions).argmax(axis=1)
    assert (first.directions[range(4), largest] > 0).all()


def test_all_axes_change_no_distance():
    points = draw(20, 5, 4)
    placed = principal_axes(points, 5).project(points)
    before = np.linalg.norm(points[:, None] - points, axis=-1)
    np.testing.assert_allclose(np.linalg.norm(placed[:, None] - placed, axis=-1), before)


def test_too_many_directions_are_refused():
    with pytest.raises(ValueError, match=r"4 points of 9 numbers have no 5 directions"):
        principal_axes(np.ones((4, 9)), 5)
    assert principal_axes(np.ones((4, 9)), 1).shares.tolist() == [0]


def test_shared_neighbours_are_those_of_a_search():
    full, short = draw(80, 8, 5), draw(80, 8, 5)[:, :3]
    rows = np.arange(0, 80, 7)

    def near(vectors):
        search = NearestNeighbors(n_neighbors=7, metric="cosine").fit(vectors)
        return [
            {*found} - {row}
            for row, found in zip(
                rows, search.kneighbors(vectors[rows], return_distance=False), strict=True
            )
        ]

    expected = np.mean([len(a & b) / 6 for a, b in zip(near(full), near(short), strict=True)])
    assert shared_neighbours(full, short, rows, k=6) == pytest.approx(expected)
    assert shared_neighbours(full, full, rows, k=6) == 1
    assert 0 < expected < 1
