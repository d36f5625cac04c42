"""Writes what happens in a training into the record, while that can be used. Imports no torch."""

import contextlib
import time
from collections import deque
from collections.abc import Callable

from llm_core.training.database import RecordError
from llm_core.training.events import (
    AnswerEvent,
    EvalEvent,
    Event,
    LayerEvent,
    SampleEvent,
    StartEvent,
    StepEvent,
)
from llm_core.training.points import PointLog
from llm_core.training.runs import Run, RunState, RunStore

_PATIENCE_SECONDS = 60.0  # with a record that cannot be used


class Recorder:
    """Writes events down in their order, those too that could not be written when they came."""

    def __init__(self, store: RunStore, run: Run) -> None:
        self._store, self._run_id = store, run.id
        self.points = PointLog(run.config.log_interval, run.config.steps)
        self._waiting: deque[Callable[[], object]] = deque()

    def add(self, event: Event) -> None:
        """Write one event of the loop into the database."""
        store, run_id = self._store, self._run_id
        match event:
            case StartEvent():
                self._waiting.append(lambda: store.record_start(run_id, event))
            case StepEvent():
                if point := self.points.add(event):
                    self._waiting.append(lambda: store.record_point(run_id, point))
            case EvalEvent():
                self._waiting.append(lambda: store.record_evaluation(run_id, event))
            case SampleEvent():
                self._waiting.append(lambda: store.record_sample(run_id, event))
            case LayerEvent() | AnswerEvent():
                self._waiting.append(lambda: store.record_measured(run_id, event))
        with contextlib.suppress(RecordError):
            self._write()

    def finish(self, state: RunState, reason: str = "") -> None:
        """Write how the run ended, trying for a while; raises RecordError if it cannot be."""
        deadline = time.monotonic() + _PATIENCE_SECONDS
        self._waiting.append(lambda: self._store.finish(self._run_id, state, reason))
        while True:
            try:
                self._write()
                return
            except RecordError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(1)

    def _write(self) -> None:
        while self._waiting:
            self._waiting[0]()
            self._waiting.popleft()
