"""Points of a training curve: the steps of a log interval in one."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from llm_core.training.config import RunConfig
from llm_core.training.events import StepEvent


@dataclass(frozen=True)
class Point:
    """Means over the steps since the last point; `seconds` of training since the run was started.

    Losses in nats per token.
    """

    step: int
    loss: float
    learning_rate: float
    gradient_norm: float
    tokens_per_second: float
    seconds: float


class PointLog:
    """Collects steps and gives a point at the first step, at each interval and at the last."""

    def __init__(self, interval: int, steps: int) -> None:
        self.interval = interval
        self.steps = steps
        self._since: list[StepEvent] = []
        self._before = (0, 0.0)  # tokens and seconds when the last point was given

    def add(self, event: StepEvent) -> Point | None:
        """Take a step in; return the point that it completes, if it does."""
        self._since.append(event)
        if event.step not in (1, self.steps) and event.step % self.interval:
            return None
        tokens = event.tokens - self._before[0]
        seconds = event.seconds - self._before[1]
        count = len(self._since)
        point = Point(
            step=event.step,
            loss=sum(each.loss for each in self._since) / count,
            learning_rate=event.learning_rate,
            gradient_norm=sum(each.gradient_norm for each in self._since) / count,
            tokens_per_second=tokens / seconds,
            seconds=event.seconds,
        )
        self._since, self._before = [], (event.tokens, event.seconds)
        return point


def seconds_left(points: Sequence[Point], config: RunConfig) -> float | None:
    """Seconds that the steps still to come will take, at the speed of the last five points.

    None before there is a speed: the very first step is slower than all others. The texts of a
    fine-tuning differ in length: there it is the steps that count.
    """
    if len(points) < 2:
        return None
    if config.tuned:
        return (config.steps - points[-1].step) * points[-1].seconds / points[-1].step
    recent = points[-5:] if len(points) > 5 else points[1:]
    speed = sum(point.tokens_per_second for point in recent) / len(recent)
    return (config.steps - points[-1].step) * tokens_per_step(config) / speed


def tokens_per_step(config: RunConfig) -> int:
    """Return how many tokens a step of the run reads."""
    return config.windows_a_step * config.transformer(vocab_size=2).context_length


def elapsed_seconds(points: Sequence[Point]) -> list[float]:
    """Return for each point the seconds of training until then, over all parts of a run.

    A run that was paused counts its own from 0 again.
    """
    before = 0.0
    elapsed: list[float] = []
    for number, point in enumerate(points):
        if number and point.seconds < points[number - 1].seconds:
            before = elapsed[-1]
        elapsed.append(before + point.seconds)
    return elapsed


def seconds_at(points: Sequence[Point], steps: Sequence[float]) -> list[float]:
    """Return when, in seconds of training, a run had taken so many steps; 0 before all points."""
    if not points:
        return [0.0] * len(steps)
    known = [0, *(point.step for point in points)]
    seconds: list[float] = np.interp(steps, known, [0.0, *elapsed_seconds(points)]).tolist()
    return seconds


def step_at(points: Sequence[Point], seconds: float) -> int:
    """Return which step a run was at after so many seconds of training; 0 before all points."""
    if not points:
        return 0
    known = [0, *(point.step for point in points)]
    return round(float(np.interp(seconds, [0.0, *elapsed_seconds(points)], known)))
