"""Recipes: how weights are changed by gradients, as data that the loop reads."""

from dataclasses import dataclass, field
from typing import Any

SCHEDULES = ("cosine", "wsd")
MATRIX_OPTIMIZERS = ("adamw", "muon")


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """The settings of model parts, optimizers and schedule.

    model: fields of TransformerConfig that go with the recipe; a run's own settings come first.
    learning_rate: AdamW's peak, reached after warmup_steps. The schedule "cosine" then takes it
    down to final_fraction of the peak at the last step; "wsd" holds it, and takes it down in the
    last decay_share of the steps. weight_decay acts on matrices only. clip_norm caps the length of
    the whole gradient.

    With matrix_optimizer "muon", the matrices inside the blocks are Muon's, and AdamW has the
    rest. matrix_learning_rate, momentum and newton_schulz_steps are Muon's own.
    """

    name: str
    learning_rate: float
    schedule: str = "cosine"
    final_fraction: float = 0.1
    decay_share: float = 0.4
    warmup_steps: int = 100
    weight_decay: float = 0.1
    beta1: float = 0.9
    beta2: float = 0.99
    clip_norm: float = 1.0
    matrix_optimizer: str = "adamw"
    matrix_learning_rate: float = 0.02
    momentum: float = 0.95
    newton_schulz_steps: int = 5
    model: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not (self.learning_rate > 0 and self.matrix_learning_rate > 0):
            raise ValueError(f"The learning rate must be above 0, not {self.learning_rate!r}.")
        for name in ("final_fraction", "decay_share"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} must lie in 0 to 1, not {getattr(self, name)!r}.")
        if self.warmup_steps < 0 or self.weight_decay < 0 or not self.clip_norm > 0:
            raise ValueError("Warm-up and weight decay must not be negative, nor clipping be 0.")
        if not all(0 <= rate < 1 for rate in (self.beta1, self.beta2, self.momentum)):
            raise ValueError("beta1, beta2 and momentum must be at least 0 and below 1.")
        if not 1 <= self.newton_schulz_steps <= 20:
            raise ValueError("newton_schulz_steps must lie in 1 to 20.")
        if self.schedule not in SCHEDULES or self.matrix_optimizer not in MATRIX_OPTIMIZERS:
            raise ValueError(
                f"The schedule must be one of {SCHEDULES}, and the optimizer of matrices "
                f"one of {MATRIX_OPTIMIZERS}."
            )


RECIPES = {
    # The way GPT-2 was trained. A tiny model bears a higher rate than the 6e-4 of a 124M one.
    "classic": Recipe(name="classic", learning_rate=3e-3),
    # What was found since: positions by turning (2021), norms without a mean (2019) and of
    # queries and keys (2020), squared ReLU (2021), blocks that begin as doing nothing, and Muon.
    "modern": Recipe(
        name="modern",
        learning_rate=1e-2,
        schedule="wsd",
        final_fraction=0.0,
        warmup_steps=20,
        weight_decay=0.0,
        matrix_optimizer="muon",
        momentum=0.8,
        newton_schulz_steps=3,
        model={
            "position": "rope",
            "norm": "rmsnorm",
            "qk_norm": True,
            "activation": "relu_squared",
            "zero_init_projections": True,
        },
    ),
}
