"""What a training loop reports. Imports no torch: pages and databases read these too."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class StartEvent:
    """The run is ready. Losses in nats per token: of knowing nothing, and of pair counts.

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
class CheckpointEvent:
    """The run was saved in `path` after `step` steps."""

    step: int
    path: Path


Event = StartEvent | StepEvent | EvalEvent | SampleEvent | CheckpointEvent
