"""How the learning rate changes over a run."""

import math

from llm_core.training.config import RunConfig
from llm_core.training.recipes import Recipe


def planned_share(config: RunConfig, step: int) -> float:
    """Return which share of its peak each learning rate has at `step`, after all changes."""
    steps = config.planned_steps(step)
    return config.rate_factor(step) * learning_rate_share(config.recipe, step, steps=steps)


def learning_rate_share(recipe: Recipe, step: int, *, steps: int) -> float:
    """Return which share of its peak each learning rate of `recipe` has at `step` (1 = first)."""
    if recipe.schedule == "wsd":
        return warmup_stable_decay(
            step,
            steps=steps,
            warmup_steps=recipe.warmup_steps,
            decay_share=recipe.decay_share,
            final_fraction=recipe.final_fraction,
        )
    return cosine_with_warmup(
        step,
        steps=steps,
        peak=1.0,
        warmup_steps=recipe.warmup_steps,
        final_fraction=recipe.final_fraction,
    )


def cosine_with_warmup(
    step: int, *, steps: int, peak: float, warmup_steps: int, final_fraction: float
) -> float:
    """Learning rate of `step` (1 is the first): a straight rise to `peak`, then half a cosine.

    The rate reaches final_fraction · peak at the last of `steps`. A warm-up longer than a tenth
    of the run is cut to that, so that a short run still sees the full rate.
    """
    warmup_steps = min(warmup_steps, steps // 10)
    if step <= warmup_steps:
        return peak * step / warmup_steps
    progress = (step - warmup_steps) / max(1, steps - warmup_steps)
    cosine = (1 + math.cos(math.pi * min(1.0, progress))) / 2
    return peak * (final_fraction + (1 - final_fraction) * cosine)


def warmup_stable_decay(
    step: int, *, steps: int, warmup_steps: int, decay_share: float, final_fraction: float
) -> float:
    """Share of the peak at `step`: a straight rise, then the peak, then a straight fall.

    The fall takes the last decay_share of `steps` and ends at final_fraction. Until it begins,
    nothing depends on how long the run is. Follows "MiniCPM" (2024).
    """
    warmup_steps = min(warmup_steps, steps // 10)
    if step <= warmup_steps:
        return step / warmup_steps
    decay_steps = max(1, round(decay_share * steps))
    left = min(1.0, (steps - step) / decay_steps)
    return final_fraction + (1 - final_fraction) * left
