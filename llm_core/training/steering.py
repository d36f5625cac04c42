"""Change a run while it trains, or after it has ended: what the changes are. Imports no torch.

Whoever wants a change writes it into the run's config in the record. The worker reads that now and
then, and writes back after which step the change came into force: from then on the config fixes
every loss again.
"""

import time
from collections.abc import Callable
from dataclasses import replace

from llm_core.training.config import RunConfig
from llm_core.training.database import RecordError
from llm_core.training.points import PointLog
from llm_core.training.runs import Run, RunState, RunStore
from llm_core.training.stepping import held_after

_CHECK_SECONDS = 0.2
_HOLD_SECONDS = 120.0  # a run that is stepped through keeps its place for so long
_HOLD_CHECK_SECONDS = 0.05
_MOST_CHANGES = 200
_LONGEST_TITLE = 80


def with_rate(factor: float, *, since: int) -> Callable[[RunConfig], RunConfig]:
    """Return the change after which the recipe's rates count `factor` times, after step `since`."""

    def change(config: RunConfig) -> RunConfig:
        if len(config.rate_changes) >= _MOST_CHANGES:
            raise ValueError("The learning rate of this run has been changed often enough.")
        # The last change may lie ahead: the run was set back, or the record is a moment old.
        earlier = [each for each in config.rate_changes if each[0] <= since]
        return replace(config, rate_changes=(*earlier, (since, factor)))

    return change


def with_steps(steps: int, *, taken: int) -> Callable[[RunConfig], RunConfig]:
    """Return the change after which the run takes `steps` in all, having taken `taken`.

    Raises ValueError for steps that have been taken already.
    """

    def change(config: RunConfig) -> RunConfig:
        if steps <= taken:
            raise ValueError(f"It has taken {taken:,} steps already: ask for more than that.")
        if steps == config.steps:
            return config
        earlier = [each for each in config.earlier_steps if each[0] <= taken]
        if taken and (not earlier or earlier[-1][0] < taken):
            earlier.append((taken, config.steps))
        return replace(config, steps=steps, earlier_steps=tuple(earlier))

    return change


def settled(config: RunConfig, known: RunConfig, step: int) -> RunConfig:
    """Return `config` with what `known` has not yet put in force after `step`.

    Of several new rates the last one counts.
    """
    if config.rate_changes != known.rate_changes:
        kept = tuple(each for each in known.rate_changes if each[0] <= step)
        wanted = config.rate_changes[-1][1] if config.rate_changes else 1.0
        config = replace(config, rate_changes=(*kept, (step, wanted)))
    if config.steps != known.steps:
        before = tuple(each for each in known.earlier_steps if each[0] < step)
        until = ((step, known.steps),) if step else ()
        config = replace(config, earlier_steps=(*before, *until), steps=max(config.steps, step))
    return config


def without_goals(config: RunConfig) -> RunConfig:
    """Return a config whose run ends at its last step, and not sooner."""
    return replace(config, stop_minutes=None, stop_loss=None)


def checked_title(title: str) -> str:
    """Return a title without needless space; ValueError if it is empty, long or not printable."""
    title = " ".join(title.split())
    if not title or len(title) > _LONGEST_TITLE or not title.isprintable():
        raise ValueError(f"A run's name needs 1 to {_LONGEST_TITLE} letters that can be printed.")
    return title


class Steering:
    """What a worker's training loop asks before each step: the run's config as it stands now.

    A run that is stepped through waits in here. `leave` says whether the worker is to end.
    `paused_after` is the step after which it was decided to pause, None before that.
    """

    def __init__(
        self,
        store: RunStore,
        run: Run,
        points: PointLog,
        *,
        leave: Callable[[], bool] = lambda: False,
    ) -> None:
        self.paused_after: int | None = None
        self._store, self._run_id, self._points = store, run.id, points
        self._config = run.config
        self._leave = leave
        self._checked = time.monotonic()
        self._folder = store.run_folder(run.id)
        self._hold = held_after(self._folder)
        self._mark_last()

    def __call__(self, step: int) -> RunConfig | None:
        """Return the config after `step` steps, or None to pause there.

        The record is looked at a few times a second.
        """
        left = step < self._config.steps
        if self._hold is not None and left and not self._wait(step):
            self.paused_after = step
            return None
        last = step >= self._config.steps  # a wish for more must not come a moment too late
        if last or time.monotonic() - self._checked > _CHECK_SECONDS:
            self._checked = time.monotonic()
            try:
                self._look(step)
            except RecordError:
                return self._config  # it goes on as it was
        return self._config

    def _wait(self, step: int) -> bool:
        """Wait until the next step may be taken; False if the run is to give up its place."""
        until = time.monotonic() + _HOLD_SECONDS
        while self._hold is not None and step >= self._hold:
            time.sleep(_HOLD_CHECK_SECONDS)
            if self._leave() or time.monotonic() > until or self._wanted_elsewhere():
                return False
            self._hold = held_after(self._folder)
        self._checked = 0.0  # what was changed meanwhile holds from the next step on
        self._mark_last()
        return True

    def _wanted_elsewhere(self) -> bool:
        """Whether the run is asked to stop, or somebody waits for its place."""
        if time.monotonic() - self._checked < _CHECK_SECONDS:
            return False
        self._checked = time.monotonic()
        try:
            waiting = any(run.state is RunState.QUEUED for run in self._store.active())
            return waiting or self._store.stop_requested(self._run_id)
        except RecordError:
            return False

    def _mark_last(self) -> None:
        """The step before a pause gets a point of the curve, as the run's last one does."""
        self._points.steps = self._config.steps if self._hold is None else self._hold

    def _look(self, step: int) -> None:
        now = self._store.get(self._run_id)
        if now is None or now.config == self._config:
            return
        known = self._config
        run = self._store.change_config(self._run_id, lambda config: settled(config, known, step))
        if run is not None:
            self._config = run.config
            self._mark_last()
