"""Look at many-dimensional vectors along the few directions in which they differ most.

Principal component analysis: "On lines and planes of closest fit to systems of points in space"
(Pearson, 1901). Needs no torch.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class PrincipalAxes:
    """Directions at right angles, those along which the points differ most first.

    center (C,): the points' mean; directions (k, C), each of length 1; shares (k,): of the points'
    variance. Fitted once, they place the points of any other moment on the same axes.
    """

    center: Floats
    directions: Floats
    shares: Floats

    def project(self, points: ArrayLike) -> Floats:
        """Place points (..., C) on the axes, (..., k); the center comes to 0."""
        placed: Floats = (np.asarray(points, dtype=np.float64) - self.center) @ self.directions.T
        return placed


def principal_axes(points: ArrayLike, k: int) -> PrincipalAxes:
    """Fit the k principal axes of points (N, C).

    A direction and its opposite fit equally well: of the two, the one whose largest number is
    positive is returned. Raises ValueError if the points have fewer than k directions.
    """
    matrix = np.asarray(points, dtype=np.float64)
    if not 1 <= k <= min(matrix.shape):
        raise ValueError(
            f"{matrix.shape[0]} points of {matrix.shape[1]} numbers have no {k} directions."
        )
    center = matrix.mean(axis=0)
    _, lengths, directions = np.linalg.svd(matrix - center, full_matrices=False)
    largest = np.abs(directions).argmax(axis=1)
    directions = directions * np.sign(directions[np.arange(len(directions)), largest])[:, None]
    variances = lengths**2
    shares = variances / max(float(variances.sum()), np.finfo(np.float64).tiny)
    return PrincipalAxes(center, directions[:k], shares[:k])


def shared_neighbours(
    first: ArrayLike, second: ArrayLike, rows: ArrayLike, *, k: int = 10
) -> float:
    """Return what share of the k nearest neighbours of `rows` two sets of vectors agree on.

    first (N, C) and second (N, D) hold the same things in the same order, rows (n,) which of them
    to ask for; nearness is the cosine, and nobody is a neighbour of its own.
    """
    rows = np.asarray(rows)
    near = [_nearest(np.asarray(vectors), rows, k) for vectors in (first, second)]
    return float(np.mean([len({*a} & {*b}) / k for a, b in zip(*near, strict=True)]))


def _nearest(vectors: NDArray[np.floating], rows: NDArray[np.intp], k: int) -> NDArray[np.intp]:
    lengths = np.linalg.norm(vectors, axis=1)
    units = vectors / np.where(lengths > 0, lengths, 1)[:, None]
    scores = units[rows] @ units.T
    scores[np.arange(len(rows)), rows] = -np.inf
    found: NDArray[np.intp] = np.argpartition(scores, -k, axis=1)[:, -k:]
    return found
