"""Save a run so that it can be used, or go on, exactly as it was.

A checkpoint is a folder `checkpoint-00000500` with weights.safetensors, optimizer.safetensors,
config.json (the run's), tokenizer.json and state.json. It is written under another name and
renamed when complete, so that a folder of that name is always whole.
"""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from llm_core.models.gpt import GPT
from llm_core.tokenizers.character import CharacterTokenizer
from llm_core.training.checkpoint_index import checkpoint_name, list_checkpoints
from llm_core.training.config import RunConfig
from llm_core.training.state import TrainingState, prepare

KEPT = 2  # the newest, and one before it should the disk have damaged that


def save_checkpoint(state: TrainingState, out: Path) -> Path:
    """Write the state into a new folder below `out` and return it; older ones but one go."""
    out.mkdir(parents=True, exist_ok=True)
    target = out / checkpoint_name(state.step)
    if target.exists():  # the same run at the same step: nothing has changed
        return target
    partial = out / f".{target.name}.{os.getpid()}.partial"
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir()
    save_file(_contiguous(state.model.state_dict()), partial / "weights.safetensors")
    save_file(_optimizer_tensors(state), partial / "optimizer.safetensors")
    state.config.save(partial / "config.json")
    state.tokenizer.save(partial / "tokenizer.json")
    facts = {"step": state.step, "text_sha256": state.text_digest}
    (partial / "state.json").write_text(json.dumps(facts), encoding="utf-8")
    partial.rename(target)
    for old in list_checkpoints(out)[:-KEPT]:
        shutil.rmtree(old, ignore_errors=True)
    return target


def load_checkpoint(checkpoint: Path) -> TrainingState:
    """Return the run as it stood; raise ValueError if a file is damaged or its text has changed."""
    config = RunConfig.load(checkpoint / "config.json")
    tokenizer = CharacterTokenizer.load(checkpoint / "tokenizer.json")
    state = prepare(config, tokenizer)
    facts = json.loads((checkpoint / "state.json").read_text(encoding="utf-8"))
    if facts["text_sha256"] != state.text_digest:
        raise ValueError("The text of this run has changed since: it cannot go on with another.")
    _read_weights(state.model, checkpoint)
    _restore_optimizer(state, _read_tensors(checkpoint / "optimizer.safetensors"))
    state.step = int(facts["step"])
    return state


def load_model(checkpoint: Path) -> tuple[GPT, CharacterTokenizer]:
    """Return the model (on the CPU, in evaluation mode) and its tokenizer, without the text.

    Raises ValueError if a file is damaged.
    """
    config = RunConfig.load(checkpoint / "config.json")
    tokenizer = CharacterTokenizer.load(checkpoint / "tokenizer.json")
    model = GPT(config.transformer(tokenizer.vocab_size))
    _read_weights(model, checkpoint)
    return model.eval(), tokenizer


def _contiguous(tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {name: tensor.detach().contiguous() for name, tensor in tensors.items()}


def _optimizer_tensors(state: TrainingState) -> dict[str, torch.Tensor]:
    """Name the optimizer's tensors by the parameter that they belong to."""
    return {
        f"{name}/{key}": value.detach().contiguous()
        for name, parameter in state.model.named_parameters()
        for key, value in state.optimizer.state[parameter].items()
    }


def _restore_optimizer(state: TrainingState, tensors: dict[str, torch.Tensor]) -> None:
    parameters = dict(state.model.named_parameters())
    for full_name, tensor in tensors.items():
        name, key = full_name.rsplit("/", 1)
        parameter = parameters[name]
        state.optimizer.state[parameter][key] = tensor.to(parameter.device)


def _read_weights(model: GPT, checkpoint: Path) -> None:
    tensors = _read_tensors(checkpoint / "weights.safetensors")
    _or_damaged(checkpoint, lambda: model.load_state_dict(tensors))


def _read_tensors(path: Path) -> dict[str, torch.Tensor]:
    tensors: dict[str, torch.Tensor] = _or_damaged(path, lambda: load_file(path))
    return tensors


def _or_damaged(path: Path, read: Callable[[], Any]) -> Any:
    try:
        return read()
    except (SafetensorError, RuntimeError, OSError) as error:
        raise ValueError(f"{path.name} is damaged or incomplete.") from error
