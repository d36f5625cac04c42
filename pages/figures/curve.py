"""A curve of something measured, and how it is thinned before it travels to the browser."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

MOST_POINTS = 300  # of a curve: more than a screen shows, and each costs bytes at every tick


@dataclass(frozen=True)
class Curve:
    """Losses in nats per token, or other numbers, and the steps after which they were measured.

    In order; along another axis than steps, the places on that.
    """

    steps: Sequence[float]
    losses: Sequence[float]

    def __post_init__(self) -> None:
        """Raise ValueError where a step has no loss, or a loss no step."""
        if len(self.steps) != len(self.losses):
            counts = f"{len(self.steps)} steps, {len(self.losses)} losses"
            raise ValueError(f"A curve needs one loss a step; here are {counts}.")

    def finite(self) -> "Curve":
        """The curve without the points where training broke down (not a number, infinite)."""
        if all(map(math.isfinite, self.losses)):  # a live page asks this every second
            return self
        pairs = [p for p in zip(self.steps, self.losses, strict=True) if math.isfinite(p[1])]
        return Curve([step for step, _ in pairs], [loss for _, loss in pairs])


@dataclass(frozen=True)
class Axis:
    """Along what curves are drawn. word: of one place on it; tick and place: plotly's formats."""

    title: str
    word: str
    tick: str = ",d"
    place: str = ",d"


STEPS = Axis("training step", "step")
TOKENS = Axis("tokens seen", "tokens", "~s", ".3s")
SECONDS = Axis("seconds of training", "seconds", ",d", ",.1f")


def thin(curve: Curve, most: int = MOST_POINTS) -> Curve:
    """Leave points out until at most `most` are left (at least 4), and no peak or dip is lost.

    Kept are the first point, the last, and the lowest and the highest of every bucket between.
    Buckets double in size as a run grows, so the points that are shown rarely change places.
    """
    count = len(curve.steps)
    if count <= most:
        return curve
    size = 1
    while 2 * math.ceil((count - 2) / size) + 2 > most:
        size *= 2
    kept = [0]
    for start in range(1, count - 1, size):
        bucket = range(start, min(start + size, count - 1))
        kept += sorted(
            {min(bucket, key=curve.losses.__getitem__), max(bucket, key=curve.losses.__getitem__)}
        )
    kept.append(count - 1)
    return Curve([curve.steps[i] for i in kept], [curve.losses[i] for i in kept])


def rounded(value: float) -> float:
    """Five significant digits: finer than a pixel, and short in the message to the browser."""
    return float(f"{value:.5g}")
