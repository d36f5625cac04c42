"""Our own tiny translator, which is in the repository: dates in words to ISO dates.

An encoder and a decoder of one block each, 48 numbers a token. It is kept at several steps of its
training, from the random start on. checkpoints/README.md has the command that made it. Imports
torch only when a model is asked for.
"""

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llm_core.data.tasks import Task, find_task
from llm_core.models.config import TransformerConfig

if TYPE_CHECKING:
    from llm_core.models.encoder_decoder import EncoderDecoder

FOLDER = Path(__file__).parent / "checkpoints" / "translator"
_CONFIG = "config.json"


@dataclass(frozen=True)
class TranslatorSnapshot:
    """The model after so many steps; `right`: its share of unseen dates right to the last sign."""

    step: int
    right: float


def translator_snapshots(folder: Path = FOLDER) -> tuple[TranslatorSnapshot, ...]:
    """Return what is kept of the training, in order: the random start first, the result last."""
    return tuple(TranslatorSnapshot(**each) for each in _read(folder)["snapshots"])


def translator_steps(folder: Path = FOLDER) -> tuple[int, ...]:
    """Return the steps after which the model is kept: 0 is the random start."""
    return tuple(snapshot.step for snapshot in translator_snapshots(folder))


def load_translator(
    step: int | None = None, *, folder: Path = FOLDER
) -> tuple["EncoderDecoder", Task]:
    """Return the model after `step` steps (all of them, if not given), and what it translates.

    The model is on the CPU, in float32 and in evaluation mode. Raises ValueError for a step that
    is not kept.
    """
    from safetensors.torch import load_file

    from llm_core.models.encoder_decoder import EncoderDecoder
    from llm_core.models.initialisation import without_weights

    steps = translator_steps(folder)
    step = steps[-1] if step is None else step
    if step not in steps:
        raise ValueError(f"Step {step} of the translator is not kept, only {steps}.")
    content = _read(folder)
    task = find_task(content["task"])
    assert list(task.tokens) == content["tokens"], "the task has other tokens than were trained on"
    state = {name: tensor.float() for name, tensor in load_file(_weights(folder, step)).items()}
    with without_weights():
        model = EncoderDecoder(TransformerConfig(**content["model"]))
    model.load_state_dict(state, assign=True)
    return model.eval(), task


def save_translator(
    model: "EncoderDecoder", snapshot: TranslatorSnapshot, task: Task, folder: Path
) -> None:
    """Add a snapshot to `folder`, in float16; later steps than it are dropped from the list."""
    from safetensors.torch import save_file

    folder.mkdir(parents=True, exist_ok=True)
    state = {name: tensor.detach().half() for name, tensor in model.state_dict().items()}
    save_file(state, _weights(folder, snapshot.step))
    earlier = translator_snapshots(folder) if (folder / _CONFIG).exists() else ()
    kept = [*(each for each in earlier if each.step < snapshot.step), snapshot]
    content = {
        "task": task.name,
        "tokens": task.tokens,
        "model": dataclasses.asdict(model.config),
        "snapshots": [dataclasses.asdict(each) for each in kept],
    }
    (folder / _CONFIG).write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def _weights(folder: Path, step: int) -> Path:
    return folder / f"step-{step:05d}.safetensors"


def _read(folder: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((folder / _CONFIG).read_text(encoding="utf-8"))
    return content
