"""Find passages whose vectors point the way that a question's vector does. Imports no torch.

Vectors of length 1 are compared by their dot product, the cosine of the angle between them. To
find the nearest, all are compared: at some ten thousand passages that takes milliseconds.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Vectors = NDArray[np.float32]
LEVELS = 127  # the highest step on either side of 0 that one byte holds


class DenseIndex:
    """The vectors (N, C) of N passages, each of length 1."""

    def __init__(self, vectors: ArrayLike) -> None:
        """Take the vectors; raise ValueError if they are no matrix, or not finite."""
        self.vectors: Vectors = np.ascontiguousarray(vectors, dtype=np.float32)
        if self.vectors.ndim != 2 or not np.isfinite(self.vectors).all():
            raise ValueError("The index is damaged: its vectors are no numbers. Make it anew.")

    def __len__(self) -> int:
        """Number of passages."""
        return len(self.vectors)

    def scores(self, question: ArrayLike) -> Vectors:
        """Return the cosine of each passage with a question's vector (C,): from -1 to 1, (N,).

        Raises ValueError for a vector of another width.
        """
        vector = np.asarray(question, dtype=np.float32)
        if vector.shape != self.vectors.shape[1:]:
            raise ValueError(
                f"The index holds vectors of {self.vectors.shape[1]} numbers, and the question's "
                f"has {vector.size}: they are of different encoders."
            )
        found: Vectors = self.vectors @ vector
        return found


@dataclass(frozen=True)
class PackedVectors:
    """Vectors in steps of one size: a byte a number, and it compresses well. levels: (N, C)."""

    levels: NDArray[np.int8]
    step: float

    def unpack(self) -> Vectors:
        """Return the vectors, made to length 1 again."""
        vectors = self.levels.astype(np.float32)
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        np.divide(vectors, np.maximum(lengths, 1e-12), out=vectors)
        return vectors


def pack(vectors: ArrayLike, *, steps: float = 8.0) -> PackedVectors:
    """Round vectors (N, C) to whole steps; `steps` of them make up a number of typical size.

    Few steps make a small file: with 8, a number takes 5 bits of information. Each is off by
    half a step at most, and hundreds of such errors nearly cancel in a dot product.
    """
    matrix = np.asarray(vectors, dtype=np.float32)
    step = float(np.sqrt(np.mean(matrix**2)) / steps) or 1.0
    levels = np.clip(np.rint(matrix / step), -LEVELS, LEVELS).astype(np.int8)
    return PackedVectors(levels, step)
