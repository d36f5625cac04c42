import pytest
import torch

from llm_core.training.config import RunConfig

TINY = {"n_layers": 1, "n_heads": 2, "d_model": 16, "context_length": 8, "bias": False}

torch.set_num_threads(1)  # models this small only wait for a second thread


@pytest.fixture(autouse=True)
def one_thread(monkeypatch):
    """Processes that a test starts compute in one thread too."""
    monkeypatch.setenv("OMP_NUM_THREADS", "1")


@pytest.fixture
def text_file(tmp_path):
    path = tmp_path / "text.txt"
    path.write_text("the cat sat on the mat. the dog sat on the log.\n" * 40)
    return path


@pytest.fixture
def tiny_run(text_file):
    """Make a config of a run of a second, with changes."""

    def make(**changes):
        settings = {
            "text_path": str(text_file),
            "model": dict(TINY),
            "steps": 30,
            "batch_size": 4,
            "log_interval": 5,
            "eval_interval": 10,
            "checkpoint_interval": 10,
            "device": "cpu",
        }
        return RunConfig(**(settings | changes))

    return make
