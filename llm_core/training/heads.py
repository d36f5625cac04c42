"""A classifier's head, as it lies in a run's folder beside the checkpoints of its body."""

import json
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import load, save
from torch import Tensor

from llm_core.training.checkpoint_index import write_synced
from llm_core.training.head_files import LABELS, WEIGHTS, has_head
from llm_core.training.tensor_files import TensorFacts, read_header

TENSOR = "score.weight"  # as transformers calls it
_MOST_LABELS, _LONGEST = 100, 200


@dataclass(frozen=True)
class Head:
    """weight (K, C): its product with a text's last vector is a score for each of the K labels."""

    weight: Tensor
    labels: tuple[str, ...]

    def to_files(self) -> dict[str, bytes]:
        """Return the files' content by name."""
        weight = self.weight.detach().float().contiguous()
        labels = json.dumps(self.labels, ensure_ascii=False)
        return {WEIGHTS: save({TENSOR: weight}), LABELS: labels.encode()}

    @classmethod
    def from_files(cls, content: dict[str, bytes]) -> "Head":
        """Read what `to_files` wrote; ValueError for anything else."""
        try:
            labels = json.loads(content[LABELS])
        except (ValueError, RecursionError) as error:
            raise ValueError(f"{LABELS} cannot be read.") from error
        if not (isinstance(labels, list) and 2 <= len(labels) <= _MOST_LABELS):
            raise ValueError(f"{LABELS} holds no list of labels.")
        if not all(isinstance(each, str) and len(each) <= _LONGEST for each in labels):
            raise ValueError(f"{LABELS} holds a label that is none.")
        facts = read_header(content[WEIGHTS], WEIGHTS)
        shape = facts[TENSOR].shape if TENSOR in facts else ()
        if len(shape) != 2 or facts != {TENSOR: TensorFacts("F32", (len(labels), shape[1]))}:
            raise ValueError(f"{WEIGHTS} holds no row of weights for each label.")
        weight = load(content[WEIGHTS])[TENSOR]
        if not bool(torch.isfinite(weight).all()):
            raise ValueError(f"{WEIGHTS} holds values that are no numbers.")
        return cls(weight, tuple(labels))


def write_head(folder: Path, head: Head) -> None:
    """Put a head into a run's folder."""
    for name, data in head.to_files().items():
        write_synced(folder / name, data)


def read_head(folder: Path) -> Head | None:
    """Return the head of a run's folder, None if its model has none; ValueError if damaged."""
    if not has_head(folder):
        return None
    return Head.from_files({name: (folder / name).read_bytes() for name in (WEIGHTS, LABELS)})
