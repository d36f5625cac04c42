"""Our own tiny GPT, which is in the repository: a model to look inside at once, without a download.

GPT-2's shape with 4 layers of 4 heads, 96 numbers a token, and a context of 128 tokens; it was
trained on the corpus tiny_tales, whose words are its tokens. It is kept at several steps of its
training, from the random start on. checkpoints/README.md has the command that made it.
Imports torch only when a model is asked for.
"""

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llm_core.models.config import TransformerConfig
from llm_core.tokenizers.bpe import BPETokenizer

if TYPE_CHECKING:
    from llm_core.models.gpt import GPT

CORPUS = "tiny_tales"
FOLDER = Path(__file__).parent / "checkpoints" / "tiny"
WINDOWS_A_STEP = 16  # as benchmarks/pretrained_tiny.py trained it
TUNED_FOLDER = FOLDER.parent / "tiny_instructions"  # the same, tuned to follow instructions
_CONFIG, _TOKENIZER = "config.json", "tokenizer.json"


@dataclass(frozen=True)
class Snapshot:
    """The model after so many steps; its loss in nats per token over the validation split."""

    step: int
    validation_loss: float


def snapshots(folder: Path = FOLDER) -> tuple[Snapshot, ...]:
    """Return what is kept of the training, in order: the random start first, the result last."""
    return tuple(Snapshot(**each) for each in _read(folder)["snapshots"])


def snapshot_steps(folder: Path = FOLDER) -> tuple[int, ...]:
    """Return the steps after which the model is kept: 0 is the random start."""
    return tuple(snapshot.step for snapshot in snapshots(folder))


def tiny_config(folder: Path = FOLDER) -> TransformerConfig:
    """Return the model's shape, without loading any of it."""
    return TransformerConfig(**_read(folder)["model"])


def load_tiny(step: int | None = None, *, folder: Path = FOLDER) -> tuple["GPT", BPETokenizer]:
    """Return the model after `step` steps (all of them, if not given) and its tokenizer.

    The model is on the CPU, in float32 and in evaluation mode. Raises ValueError for a step that
    is not kept.
    """
    from safetensors.torch import load_file

    from llm_core.models.gpt import GPT
    from llm_core.models.initialisation import without_weights

    steps = snapshot_steps(folder)
    step = steps[-1] if step is None else step
    if step not in steps:
        raise ValueError(f"Step {step} of the tiny GPT is not kept, only {steps}.")
    state = {name: tensor.float() for name, tensor in load_file(_weights(folder, step)).items()}
    with without_weights():
        model = GPT(tiny_config(folder))
    model.load_state_dict(state, assign=True)
    return model.eval(), BPETokenizer.load(folder / _TOKENIZER)


def save_snapshot(model: "GPT", snapshot: Snapshot, tokenizer: BPETokenizer, folder: Path) -> None:
    """Add a snapshot to `folder`, in float16; later steps than it are dropped from the list."""
    from safetensors.torch import save_file

    folder.mkdir(parents=True, exist_ok=True)
    state = {name: tensor.detach().half() for name, tensor in model.state_dict().items()}
    save_file(state, _weights(folder, snapshot.step))
    tokenizer.save(folder / _TOKENIZER)
    earlier = snapshots(folder) if (folder / _CONFIG).exists() else ()
    kept = [*(each for each in earlier if each.step < snapshot.step), snapshot]
    content = {
        "model": dataclasses.asdict(model.config),
        "snapshots": [dataclasses.asdict(each) for each in kept],
    }
    (folder / _CONFIG).write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def _weights(folder: Path, step: int) -> Path:
    return folder / f"step-{step:05d}.safetensors"


def _read(folder: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((folder / _CONFIG).read_text(encoding="utf-8"))
    return content


def tokens_read(step: int) -> int:
    """Return how many tokens the training had read after `step` steps, repeated ones included."""
    return step * WINDOWS_A_STEP * int(_read(FOLDER)["model"]["context_length"])
