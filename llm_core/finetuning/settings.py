"""How a model is fine-tuned: which of its weights, how long, how fast. And what is reported.

Imports torch only when weights are chosen, so that pages can ask for settings without it.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import torch
    from torch import nn

# Which weights learn, in plain words; the peak learning rate that suits each.
TRAINED: Final = {
    "head": ("the head only", 2e-2),
    "last block": ("the last block and the head", 3e-3),
    "lora": ("LoRA and the head", 5e-3),
    "all": ("all weights", 1e-3),
}
_WARMUP_SHARE = 0.1  # of the steps
_LOWEST = 0.05  # of the peak rate, at the end
_WEIGHT_DECAY = 0.01


@dataclass(frozen=True, kw_only=True)
class FinetuneSettings:
    """One fine-tuning. One seed, one result.

    trained: a key of `TRAINED`; learning_rate: its own where None; rank: LoRA's, whose alpha is
    twice that; replay: share of each batch's rows that are windows of the pretraining text, for
    instructions only.
    """

    trained: str = "all"
    steps: int = 150
    batch_size: int = 16
    learning_rate: float | None = None
    rank: int = 8
    seed: int = 1337
    score_interval: int = 15
    replay: float = 0.0

    def __post_init__(self) -> None:
        if self.trained not in TRAINED:
            raise ValueError(
                f"There is no {self.trained!r} to train: choose of {', '.join(TRAINED)}."
            )
        for name in ("steps", "batch_size", "score_interval", "rank"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, not {getattr(self, name)!r}.")
        if self.learning_rate is not None and not self.learning_rate > 0:
            raise ValueError(f"The learning rate must be above 0, not {self.learning_rate!r}.")
        if not 0 <= self.replay < 1:
            raise ValueError(f"Replay is a share from 0 to below 1, not {self.replay!r}.")

    @property
    def peak(self) -> float:
        """The highest learning rate."""
        return TRAINED[self.trained][1] if self.learning_rate is None else self.learning_rate

    def rate(self, step: int) -> float:
        """The learning rate of a step, counted from 1: a short rise, then a straight fall."""
        rise = min(step / max(1.0, _WARMUP_SHARE * self.steps), 1.0)
        return self.peak * rise * max(_LOWEST, 1 - (step - 1) / self.steps)


@dataclass(frozen=True)
class Learned:
    """One step was taken; `loss` is its batch's, before the step, in nats.

    gradient_norm: of all that is trained, before it is clipped. tokens: read in this step; none
    where a frozen body has read the texts beforehand. seconds: of all steps so far.
    """

    step: int
    loss: float
    seconds: float
    gradient_norm: float
    tokens: int


def choose_trained(
    body: "nn.Module", settings: FinetuneSettings, generator: "torch.Generator"
) -> list["nn.Parameter"]:
    """Freeze what is not to learn of a GPT, and return what is; a head is the caller's own.

    "lora" puts its changes into `body`.
    """
    from llm_core.finetuning.lora import add_lora

    if settings.trained == "lora":
        rank = settings.rank
        return add_lora(body, rank=rank, alpha=2.0 * rank, generator=generator)
    body.requires_grad_(settings.trained == "all")
    if settings.trained == "last block":
        blocks: Any = body.blocks
        for part in (blocks[-1], body.final_norm):
            if part is not None:
                part.requires_grad_(True)
    return [parameter for parameter in body.parameters() if parameter.requires_grad]


def make_optimizer(
    parameters: list["nn.Parameter"], settings: FinetuneSettings
) -> "torch.optim.AdamW":
    """Return AdamW over what is trained; the step's rate is set before each step."""
    import torch

    return torch.optim.AdamW(parameters, lr=settings.peak, weight_decay=_WEIGHT_DECAY)


def take_step(
    loss: "torch.Tensor",
    optimizer: "torch.optim.Optimizer",
    parameters: list["nn.Parameter"],
    rate: float,
) -> float:
    """Follow the gradient of `loss` once, with its length clipped at 1; return that length."""
    import torch

    loss.backward()  # type: ignore[no-untyped-call]
    norm = torch.nn.utils.clip_grad_norm_(parameters, 1.0)
    for group in optimizer.param_groups:
        group["lr"] = rate
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)
    return float(norm)
