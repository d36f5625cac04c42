"""What tests of kept fine-tunings share."""

import pytest
import torch

from llm_core.data.tiny_tales import tiny_tales
from llm_core.finetuning import trainings
from llm_core.pretrained.tiny import load_tiny
from llm_core.training.runs import RunStore


@pytest.fixture
def few_tales(monkeypatch):
    ids = torch.tensor(load_tiny()[1].encode(tiny_tales(6_000, seed=99)))
    monkeypatch.setattr(trainings, "pretraining_text", lambda tokenizer: (ids, ids))


@pytest.fixture
def store(tmp_path):
    return RunStore(tmp_path / "store")
