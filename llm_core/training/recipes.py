"""Recipes: how weights are changed by gradients, as data that the loop reads."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """The settings of optimizer and schedule.

    learning_rate is the peak, reached after warmup_steps; a cosine then takes it down to
    final_fraction of the peak at the last step. weight_decay acts on matrices only. clip_norm
    caps the length of the whole gradient.
    """

    name: str
    learning_rate: float
    final_fraction: float = 0.1
    warmup_steps: int = 100
    weight_decay: float = 0.1
    beta1: float = 0.9
    beta2: float = 0.99
    clip_norm: float = 1.0

    def __post_init__(self) -> None:
        if not self.learning_rate > 0:
            raise ValueError(f"The learning rate must be above 0, not {self.learning_rate!r}.")
        if not 0 <= self.final_fraction <= 1:
            raise ValueError(f"final_fraction must lie in 0 to 1, not {self.final_fraction!r}.")
        if self.warmup_steps < 0 or self.weight_decay < 0 or not self.clip_norm > 0:
            raise ValueError("Warm-up and weight decay must not be negative, nor clipping be 0.")
        if not (0 <= self.beta1 < 1 and 0 <= self.beta2 < 1):
            raise ValueError("beta1 and beta2 must be at least 0 and below 1.")


# The way GPT-2 was trained. A tiny model bears a higher rate than the 6e-4 of a 124M one.
RECIPES = {"classic": Recipe(name="classic", learning_rate=3e-3)}
