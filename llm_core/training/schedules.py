"""How the learning rate changes over a run."""

import math


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
