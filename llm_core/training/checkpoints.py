"""Save a run so that it can be used, or go on, exactly as it was.

A checkpoint is a folder `checkpoint-00000500` with weights.safetensors, optimizer.safetensors,
config.json (the run's), tokenizer.json and state.json. Every random choice of a run (which
windows a step reads, what dropout drops) follows from the seed and the step's number alone, so
these two are all there is to keep of data order and random states.
"""

import shutil
import tempfile
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from llm_core.models.gpt import GPT
from llm_core.tokenizers.loading import load_tokenizer
from llm_core.tokenizers.protocol import Tokenizer
from llm_core.training.checkpoint_index import (
    DamagedCheckpointError,
    checkpoint_name,
    checkpoint_step,
    list_checkpoints,
    newest_whole,
    read_files,
    write_files,
)
from llm_core.training.config import RunConfig
from llm_core.training.state import TrainingState, prepare


def save_checkpoint(state: TrainingState, out: Path) -> Path:
    """Write the state into a new folder below `out` and return it; of the older ones some go.

    Raises OSError if the disk is full or cannot be written; the older checkpoints then stay.
    """
    target = out / checkpoint_name(state.step)
    if target.exists() and _is_whole(target):  # the same run at the same step: nothing changed
        return target
    content = {
        "config.json": state.config.to_json().encode(),
        "tokenizer.json": _tokenizer_bytes(state.tokenizer),
        "weights.safetensors": save(_plain(state.model.state_dict())),
        "optimizer.safetensors": save(_plain(optimizer_tensors(state))),
    }
    facts: dict[str, object] = {
        "text_sha256": state.text_digest,
        "precision": state.precision,
        "threads": state.threads,
        "validation_loss": state.validation_loss,
    }
    if state.config.stop_minutes is not None:  # else the same run gives the same files, always
        facts["seconds"] = state.seconds
    write_files(out, state.step, content, facts)
    for old in superfluous(list_checkpoints(out), state.config.keep_checkpoints):
        shutil.rmtree(old, ignore_errors=True)
    return target


def superfluous(checkpoints: list[Path], keep: int) -> list[Path]:
    """Return those of `checkpoints`, oldest first, that must go for `keep` to stay.

    The newest stays, and the one before it, should the disk have damaged that; with room for four,
    the first weights too. Of the others, those go that lie closest to their neighbours: what is
    left spreads over the run.
    """
    left = list(checkpoints)
    while len(left) > max(2, keep):
        steps = [checkpoint_step(each) for each in left]
        first = int(keep >= 4 and steps[0] == 0)
        gaps = {
            i: steps[i + 1] - (steps[i - 1] if i else 0) for i in range(first, len(steps) - 2)
        }  # how wide a hole each would leave
        left.pop(min(gaps, key=lambda i: (gaps[i], i)))
    return [each for each in checkpoints if each not in left]


def load_checkpoint(checkpoint: Path) -> TrainingState:
    """Return the run as it stood.

    Raises DamagedCheckpointError if a file is not what was written, and ValueError if the run's
    text has changed.
    """
    content, facts = read_files(checkpoint)
    config = RunConfig.from_json(content["config.json"].decode())
    if config.tuned:
        raise ValueError("This run is a fine-tuning: it can be used, but not trained on from here.")
    tokenizer = load_tokenizer(checkpoint / "tokenizer.json")
    if facts["threads"] and config.device == "cpu":
        torch.set_num_threads(int(facts["threads"]))  # another number rounds sums otherwise
    state = prepare(config, tokenizer, precision=facts["precision"])
    if facts["text_sha256"] != state.text_digest:
        raise ValueError("The text of this run has changed since: it cannot go on with another.")
    restore(state, _tensors(content, "weights"), _tensors(content, "optimizer"))
    state.step = int(facts["step"])
    state.seconds = float(facts.get("seconds") or 0.0)
    state.validation_loss = facts.get("validation_loss")
    return state


def load_newest(out: Path) -> TrainingState:
    """Return the run as it stood at its newest checkpoint that is whole.

    Damaged ones after that are removed, and `note` of the state says so. Raises ValueError if
    there is no checkpoint, or none that is whole.
    """
    state, damaged = newest_whole(out, load_checkpoint)
    for checkpoint in damaged:
        shutil.rmtree(checkpoint, ignore_errors=True)
    if damaged:
        state.note = (
            f"The checkpoint of step {checkpoint_step(damaged[0]):,} was damaged: it went on "
            f"from the one before, of step {state.step:,}."
        )
    return state


def load_model(checkpoint: Path) -> tuple[GPT, Tokenizer]:
    """Return the model (on the CPU, in evaluation mode) and its tokenizer, without the text.

    Raises DamagedCheckpointError if a file is not what was written.
    """
    content, _ = read_files(checkpoint)
    config = RunConfig.from_json(content["config.json"].decode())
    tokenizer = load_tokenizer(checkpoint / "tokenizer.json")
    model = GPT(config.transformer(tokenizer.vocab_size))
    model.load_state_dict(_tensors(content, "weights"))
    return model.eval(), tokenizer


def load_newest_model(out: Path) -> tuple[GPT, Tokenizer]:
    """Return model and tokenizer of the newest checkpoint below `out` that is whole."""
    return newest_whole(out, load_model)[0]


def optimizer_tensors(state: TrainingState) -> dict[str, Tensor]:
    """Name the optimizers' tensors by the parameter that they belong to."""
    return {
        f"{name}/{key}": value
        for name, parameter in state.model.named_parameters()
        for optimizer in state.optimizers
        for key, value in optimizer.state.get(parameter, {}).items()
    }


def restore(state: TrainingState, weights: dict[str, Tensor], moments: dict[str, Tensor]) -> None:
    """Put weights, and the optimizers' tensors as `optimizer_tensors` names them, into `state`.

    The tensors are taken over where they are on the device already: give copies. Raises
    DamagedCheckpointError if they do not fit the model.
    """
    try:
        state.model.load_state_dict(weights)
        parameters = dict(state.model.named_parameters())
        owner = {
            id(parameter): optimizer
            for optimizer in state.optimizers
            for group in optimizer.param_groups
            for parameter in group["params"]
        }
        for full_name, tensor in moments.items():
            name, key = full_name.rsplit("/", 1)
            parameter = parameters[name]
            # A count of steps stays where its optimizer keeps it: fused ones on the device.
            owner[id(parameter)].state[parameter][key] = tensor.to(parameter.device)
    except (RuntimeError, KeyError, ValueError) as error:
        raise DamagedCheckpointError("The weights do not fit the model.") from error


def _is_whole(checkpoint: Path) -> bool:
    try:
        read_files(checkpoint)
    except DamagedCheckpointError:
        return False
    return True


def _plain(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}


def _tensors(content: dict[str, bytes], name: str) -> dict[str, Tensor]:
    try:
        tensors: dict[str, Tensor] = load(content[f"{name}.safetensors"])
    except SafetensorError as error:
        raise DamagedCheckpointError(f"{name}.safetensors is damaged.") from error
    return tensors


def _tokenizer_bytes(tokenizer: Tokenizer) -> bytes:
    """Tokenizers write themselves into a file: return what they would write."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "tokenizer.json"
        tokenizer.save(path)
        return path.read_bytes()
