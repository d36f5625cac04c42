"""Do things of one kind have like vectors? Measured, not judged by eye. Needs no torch."""

from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike


@dataclass(frozen=True)
class GroupMeasure:
    """How far vectors fall into given groups.

    within, between: the mean cosine of two members of one group, and of two groups; alike: the
    share of members whose nearest other member is of their own group.
    """

    within: float
    between: float
    alike: float


def measure_groups(vectors: ArrayLike, groups: Sequence[Hashable]) -> GroupMeasure:
    """Measure vectors (N, C), of which `groups` names the group of each.

    Raises ValueError if the two do not fit, or if there are no two groups of two members.
    """
    matrix = np.asarray(vectors, dtype=np.float64)
    names = {name: number for number, name in enumerate(dict.fromkeys(groups))}
    labels = np.array([names[name] for name in groups])
    if len(labels) != len(matrix):
        raise ValueError(f"{len(matrix)} vectors need as many groups, not {len(labels)}.")
    if len(names) < 2 or np.bincount(labels).min() < 2:
        raise ValueError("To be compared, there must be two groups with two members each.")
    units = matrix / np.linalg.norm(matrix, axis=1, keepdims=True)
    cosines = units @ units.T
    same = labels[:, None] == labels[None]
    others = ~np.eye(len(labels), dtype=bool)
    nearest = np.where(others, cosines, -np.inf).argmax(axis=1)
    return GroupMeasure(
        within=float(cosines[same & others].mean()),
        between=float(cosines[~same].mean()),
        alike=float((labels[nearest] == labels).mean()),
    )


def chance_alike(groups: Sequence[Hashable]) -> float:
    """Return `alike` as it would be on average if vectors were drawn without regard to groups."""
    count = len(groups)
    pairs = sum(size * (size - 1) for size in Counter(groups).values())
    return pairs / (count * (count - 1))
