"""Light snapshots of a run's weights: taken while it trains, loaded to be looked at."""

import contextlib
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save

from llm_core.models.gpt import GPT
from llm_core.tokenizers.loading import load_tokenizer
from llm_core.tokenizers.protocol import Tokenizer
from llm_core.training.checkpoint_index import DamagedCheckpointError
from llm_core.training.config import RunConfig
from llm_core.training.snapshot_index import (
    FOLDER,
    list_snapshots,
    planned_steps,
    snapshot_name,
    snapshot_step,
    superfluous_snapshots,
)
from llm_core.training.state import TrainingState


def snapshot_due(state: TrainingState) -> bool:
    """Whether the run plans to keep a snapshot after the steps that it has taken."""
    return state.step in planned_steps(state.config.steps, _parameters(state))


def save_snapshot(state: TrainingState, out: Path) -> None:
    """Keep the weights, in half precision, and let go of what becomes too many.

    A snapshot is for looking at: where the disk is full, there is none, and the run goes on.
    """
    folder = out / FOLDER
    weights = {
        name: tensor.detach().to("cpu", torch.float16).contiguous()
        for name, tensor in state.model.state_dict().items()
    }
    with contextlib.suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
        if not list_snapshots(out):
            state.config.save(folder / "config.json")
            state.tokenizer.save(folder / "tokenizer.json")
        partial = folder / f".{state.step}.partial"
        partial.write_bytes(save(weights))
        partial.replace(folder / snapshot_name(state.step))
        keep = len(planned_steps(state.config.steps, _parameters(state)))
        for old in superfluous_snapshots(list_snapshots(out), keep):
            old.unlink(missing_ok=True)


def load_snapshot(snapshot: Path) -> tuple[GPT, Tokenizer]:
    """Return the model (on the CPU, in evaluation mode) and its tokenizer.

    Raises DamagedCheckpointError if the file cannot be read, or is not that run's.
    """
    folder = snapshot.parent
    try:
        config = RunConfig.load(folder / "config.json")
        tokenizer = load_tokenizer(folder / "tokenizer.json")
        model = GPT(config.transformer(tokenizer.vocab_size))
        weights = load(snapshot.read_bytes())
        model.load_state_dict({name: each.float() for name, each in weights.items()})
    except (OSError, SafetensorError, RuntimeError, ValueError) as error:
        raise DamagedCheckpointError(
            f"The snapshot of step {snapshot_step(snapshot):,} cannot be read."
        ) from error
    return model.eval(), tokenizer


def _parameters(state: TrainingState) -> int:
    return sum(each.numel() for each in state.model.parameters())
