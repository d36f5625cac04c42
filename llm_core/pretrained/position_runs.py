"""One experiment, kept: the same tiny GPT trained with each way of telling it where tokens stand.

Seven runs on the same text with the same seed; only `position` differs. Each model was trained on
windows of 64 tokens and then read windows of up to 256. What is kept are the loss curves, the
loss at each place of the long windows, and the weights. checkpoints/README.md has the command.
Imports torch only when a model is asked for.
"""

import dataclasses
import functools
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llm_core.models.config import POSITIONS, TransformerConfig
from llm_core.tokenizers.bpe import BPETokenizer

if TYPE_CHECKING:
    from torch import Tensor

    from llm_core.models.gpt import GPT

FOLDER = Path(__file__).parent / "checkpoints" / "positions"
CONTEXT, LONGEST = 64, 256  # tokens of a window: in training, and when it is evaluated
EVALUATION_STRIDE = 32  # tokens between two windows of the evaluation
RESULTS, _TOKENIZER = "results.json", "tokenizer.json"


@dataclass(frozen=True)
class PositionRun:
    """One run. Losses in nats per token.

    position: the name that TransformerConfig knows; training, validation: (step, loss) pairs of
    the curves; by_place: the mean loss of the token after place 0, 1, ... of a long window, as
    far as the model can read. scaled_by_place: the same with RoPE's places divided by
    LONGEST / CONTEXT, without further training; empty for the others.
    """

    position: str
    parameters: int
    training: tuple[tuple[int, float], ...]
    validation: tuple[tuple[int, float], ...]
    by_place: tuple[float, ...]
    scaled_by_place: tuple[float, ...] = ()


@dataclass(frozen=True)
class Experiment:
    """All runs, in the order of POSITIONS; how they were made; how many windows were read."""

    runs: tuple[PositionRun, ...]
    model: dict[str, Any]
    recipe: str
    corpus: str
    steps: int
    batch_size: int
    seed: int
    windows: int

    def run(self, position: str) -> PositionRun:
        """Return the run of that position type; raise ValueError if there is none."""
        for run in self.runs:
            if run.position == position:
                return run
        raise ValueError(f"No run was kept with positions {position!r}: choose of {POSITIONS}.")


def load_experiment(folder: Path = FOLDER) -> Experiment:
    """Return what was measured; no model is loaded."""
    path = folder / RESULTS
    return _read(path, path.stat().st_mtime_ns)


def load_position_model(
    position: str,
    *,
    rope_base: float = 10_000.0,
    rope_scaling: float = 1.0,
    folder: Path = FOLDER,
) -> tuple["GPT", BPETokenizer]:
    """Return the trained model of that position type, on the CPU in float32, and the tokenizer.

    The base and scaling of "rope" can be others than in training, 10,000 and 1. Raises ValueError
    for a type that is not kept.
    """
    from safetensors.torch import load_file

    from llm_core.models.gpt import GPT
    from llm_core.models.initialisation import without_weights

    experiment = load_experiment(folder)
    experiment.run(position)
    tokenizer = load_position_tokenizer(folder)
    rope = {"rope_base": rope_base, "rope_scaling": rope_scaling}
    shape = experiment.model | rope | {"position": position}
    state = {name: tensor.float() for name, tensor in load_file(_weights(folder, position)).items()}
    with without_weights():
        model = GPT(TransformerConfig(**shape, vocab_size=tokenizer.vocab_size))
    model.load_state_dict(state, assign=True)
    return model.eval().requires_grad_(False), tokenizer


def load_position_tokenizer(folder: Path = FOLDER) -> BPETokenizer:
    """Return the tokenizer that all runs share."""
    return BPETokenizer.load(folder / _TOKENIZER)


def save_position_model(model: "GPT", tokenizer: BPETokenizer, folder: Path) -> None:
    """Keep a trained model in float16, and the tokenizer."""
    from safetensors.torch import save_file

    folder.mkdir(parents=True, exist_ok=True)
    state = {name: tensor.detach().half() for name, tensor in model.state_dict().items()}
    save_file(state, _weights(folder, model.config.position))
    tokenizer.save(folder / _TOKENIZER)


def save_experiment(experiment: Experiment, folder: Path) -> None:
    """Keep what was measured, a run a line."""
    content = dataclasses.asdict(experiment)
    runs = content.pop("runs")
    head = json.dumps(content, indent=2).removesuffix("\n}")
    lines = ",\n".join("    " + json.dumps(run, separators=(",", ":")) for run in runs)
    text = f'{head},\n  "runs": [\n{lines}\n  ]\n}}\n'
    (folder / RESULTS).write_text(text, encoding="utf-8")


def loss_by_place(
    model: "GPT", ids: "Tensor", *, longest: int = LONGEST, stride: int = EVALUATION_STRIDE
) -> "Tensor":
    """Return the mean loss of the token that follows each place of a window, (T,), in nats.

    Windows of `longest` tokens begin at every multiple of `stride` in ids (N,). T is `longest`;
    for a model with learned positions it is the context length, as there are no vectors for places
    beyond. The windows are the same for every model. Raises ValueError for fewer ids than
    one window and its last target.
    """
    import torch
    import torch.nn.functional as F

    places = len(evaluation_starts(len(ids), longest=longest, stride=stride))
    readable = longest
    if model.config.position == "learned":
        readable = min(longest, model.config.context_length)
    windows = ids.unfold(0, longest + 1, stride)[:places, : readable + 1]
    total = torch.zeros(readable, dtype=torch.float64)
    with torch.inference_mode():
        for batch in torch.split(windows, 32):
            logits = model(batch[:, :-1]).logits.transpose(1, 2)
            total += F.cross_entropy(logits, batch[:, 1:], reduction="none").double().sum(dim=0)
    return total / len(windows)


def evaluation_starts(
    length: int, *, longest: int = LONGEST, stride: int = EVALUATION_STRIDE
) -> range:
    """Return where windows begin in a text of `length` tokens; ValueError if it is too short."""
    if length <= longest:
        raise ValueError(f"The text has {length} tokens; a window of {longest} needs one more.")
    return range(0, length - longest, stride)


def mean_between(losses: Sequence[float], first: int, last: int) -> float | None:
    """Return the mean loss at places first ... last - 1; None if the model cannot read so far."""
    return None if last > len(losses) else sum(losses[first:last]) / (last - first)


@functools.lru_cache(maxsize=4)
def _read(path: Path, modified: int) -> Experiment:
    content = json.loads(path.read_text(encoding="utf-8"))
    runs = tuple(
        PositionRun(**{name: _tuples(value) for name, value in run.items()})
        for run in content.pop("runs")
    )
    return Experiment(runs=runs, **content)


def _tuples(value: Any) -> Any:
    return tuple(map(_tuples, value)) if isinstance(value, list) else value


def _weights(folder: Path, position: str) -> Path:
    return folder / f"{position}.safetensors"
