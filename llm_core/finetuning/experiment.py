"""The fine-tunings of the tiny GPT that the lesson shows: their data and settings, in one place."""

import json
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol

from llm_core.data.splits import split_by_position
from llm_core.data.tale_instructions import Instruction, make_instructions
from llm_core.data.tiny_tales import tiny_tales
from llm_core.finetuning.settings import FinetuneSettings

if TYPE_CHECKING:
    from torch import Tensor

INSTRUCTIONS: Final = 400
UNSEEN_INSTRUCTIONS: Final = 120
INSTRUCTION_SETTINGS: Final = FinetuneSettings(
    trained="all", steps=400, batch_size=16, learning_rate=1e-3, score_interval=40
)
_MEASURED = Path(__file__).parent / "measured"
_CHARACTERS = 60_000  # of each part of the tales: enough to replay from, and to measure on


class Encoder(Protocol):
    """Whatever turns a text into ids."""

    def encode(self, text: str) -> list[int]: ...


def instruction_parts(count: int = INSTRUCTIONS) -> tuple[list[Instruction], list[Instruction]]:
    """Return what is learnt from, and what is only asked afterwards, of words kept back."""
    return make_instructions(count), make_instructions(UNSEEN_INSTRUCTIONS, 7, unseen=True)


def pretraining_text(tokenizer: Encoder) -> tuple["Tensor", "Tensor"]:
    """Return ids (N,) of tales that the tiny GPT was pretrained on, and (M,) that it was not."""
    import torch

    train, validation = _pretraining_parts()
    return torch.tensor(tokenizer.encode(train)), torch.tensor(tokenizer.encode(validation))


@lru_cache(maxsize=1)
def _pretraining_parts() -> tuple[str, str]:
    train, validation = split_by_position(tiny_tales())
    return train[:_CHARACTERS], validation[:_CHARACTERS]


def measured(name: str) -> Any:
    """Return what benchmarks/finetuning.py measured: "layers" or "forgetting"."""
    return json.loads((_MEASURED / f"{name}.json").read_text(encoding="utf-8"))
