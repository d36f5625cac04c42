"""The process that trains: python -m llm_core.training.worker --folder DIR --run ID

It writes what happens into the run's database, and ends when it is done, when it is asked to
stop, and when its server is gone (then its standard input closes), keeping what was learnt.
"""

import argparse
import contextlib
import os
import sys
import threading
import time
import traceback
from pathlib import Path

from llm_core.training.checkpoint_index import list_checkpoints
from llm_core.training.events import EvalEvent, Event, SampleEvent, StartEvent, StepEvent
from llm_core.training.points import PointLog
from llm_core.training.runs import Run, RunState, RunStore

_STOP_CHECK_SECONDS = 0.2
_NICENESS = 10  # pages come first


class ServerWatch:
    """Notices that the process at the other end of standard input is gone."""

    def __init__(self, store: RunStore, run_id: str) -> None:
        self.gone = threading.Event()
        self.ready = threading.Event()  # from here on the training loop looks at `gone`
        self._store, self._run_id = store, run_id
        threading.Thread(target=self._watch, daemon=True).start()

    def _watch(self) -> None:
        # Not through sys.stdin: Python would wait for that buffer's lock when it shuts down.
        while os.read(sys.stdin.fileno(), 1):
            pass
        self.gone.set()
        if not self.ready.is_set():  # nothing learnt yet, so nothing to save
            self._store.finish(self._run_id, RunState.INTERRUPTED)
            os._exit(0)


def work(store: RunStore, run: Run, watch: ServerWatch) -> RunState:
    """Train `run` and record it; return the state it ended in."""
    # Imported here: a worker whose server dies while torch loads must notice.
    from llm_core.training.loop import train

    folder = store.run_folder(run.id)
    resume = folder if list_checkpoints(folder) else None
    log = PointLog(run.config.log_interval, run.config.steps)
    checked = time.monotonic()
    with contextlib.closing(train(run.config, resume=resume, out=folder)) as events:
        for event in events:
            record(store, run.id, event, log)
            watch.ready.set()
            if watch.gone.is_set():
                return RunState.INTERRUPTED
            if time.monotonic() - checked > _STOP_CHECK_SECONDS:
                checked = time.monotonic()
                if store.stop_requested(run.id):
                    return RunState.STOPPED
    return RunState.DONE


def record(store: RunStore, run_id: str, event: Event, log: PointLog) -> None:
    """Write one event of the loop into the database."""
    match event:
        case StartEvent():
            store.record_start(run_id, event)
        case StepEvent():
            if point := log.add(event):
                store.record_point(run_id, point)
        case EvalEvent():
            store.record_evaluation(run_id, event)
        case SampleEvent():
            store.record_sample(run_id, event)


def main() -> None:
    """Work on one run, and record how it ended even if it fails."""
    parser = argparse.ArgumentParser(prog="python -m llm_core.training.worker")
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--run", required=True)
    options = parser.parse_args()
    if hasattr(os, "nice"):
        os.nice(_NICENESS)
    store = RunStore(options.folder)
    run = store.get(options.run)
    if run is None:
        raise SystemExit(f"There is no run {options.run}.")
    watch = ServerWatch(store, run.id)
    try:
        store.finish(run.id, work(store, run, watch))
    except Exception as error:
        traceback.print_exc()  # into the run's log
        store.finish(run.id, RunState.FAILED, failure_sentence(error))
        raise SystemExit(1) from None


def failure_sentence(error: Exception) -> str:
    """Say in one sentence why a run failed."""
    if isinstance(error, MemoryError) or "alloc" in str(error).lower():
        return "The machine ran out of memory: try a smaller model, context or batch."
    if isinstance(error, OSError):
        return f"The run's files could not be read or written: {error.strerror or error}."
    return str(error) or type(error).__name__


if __name__ == "__main__":
    main()
