"""What a training loop reports. Imports no torch: pages and databases read these too."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class StartEvent:
    """The run is ready. Losses in nats per token: of knowing nothing, and of pair counts.

    `trigram_loss` is that of counts of three tokens; `peak_flops` are the floating-point operations
    a second that this machine reaches in large matrix products: 0 where they were not measured.
    `note`, if any, says what happened on the way: a damaged checkpoint was passed over.
    """

    step: int
    vocab_size: int
    parameters: int
    train_tokens: int
    validation_tokens: int
    uniform_loss: float
    bigram_loss: float
    device: str
    precision: str = "float32"
    note: str = ""
    trigram_loss: float = 0.0
    peak_flops: float = 0.0


@dataclass(frozen=True)
class StepEvent:
    """One step was taken. `loss` is its batch's, before the step, in nats per token.

    `tokens` and `seconds` add up the steps that this call of `train` took: no evaluation, no
    sampling, nothing that the receiver does.
    """

    step: int
    loss: float
    learning_rate: float
    gradient_norm: float
    tokens: int
    seconds: float


@dataclass(frozen=True)
class EvalEvent:
    """Validation loss after `step` steps, in nats per token, over `tokens` targets."""

    step: int
    loss: float
    tokens: int


@dataclass(frozen=True)
class SampleEvent:
    """What the model writes after `step` steps when it starts from `prompt`."""

    step: int
    prompt: str
    text: str


@dataclass(frozen=True)
class LayerEvent:
    """How large the weights are after `step` steps, and how far that step moved them, by layer.

    weights: the Euclidean norm of all weights of the embeddings, of each layer, and of the output,
    in this order (0 for a part without weights of its own); updates: the norm of the step's change
    of them, as a share of that.
    """

    step: int
    weights: tuple[float, ...]
    updates: tuple[float, ...]


@dataclass(frozen=True)
class AnswerEvent:
    """How many of `asked` held-out questions of a toy task it answers right after `step` steps.

    `text` holds the first of them with its answers, a line each.
    """

    step: int
    right: int
    asked: int
    text: str


@dataclass(frozen=True)
class CheckpointEvent:
    """The run was saved in `path` after `step` steps."""

    step: int
    path: Path


Event = (
    StartEvent | StepEvent | EvalEvent | SampleEvent | LayerEvent | AnswerEvent | CheckpointEvent
)


def layer_names(count: int) -> list[str]:
    """Name the parts that a LayerEvent of `count` numbers tells of."""
    return ["embeddings", *(f"layer {n}" for n in range(1, count - 1)), "output"]
