"""The process that trains: python -m llm_core.training.worker --folder DIR --run ID

It writes what happens into the run's database, and ends when it is done, when it is asked to
stop, when its time is up, and when its server is gone (then its standard input closes), keeping
what was learnt. While the database cannot be used, it goes on training, and writes later.
"""

import argparse
import contextlib
import errno
import os
import sys
import threading
import time
import traceback
from collections.abc import Iterator
from pathlib import Path

from llm_core.training.checkpoint_index import list_checkpoints
from llm_core.training.database import RecordError
from llm_core.training.events import StartEvent
from llm_core.training.limits import Limits
from llm_core.training.recorder import Recorder
from llm_core.training.runs import Run, RunState, RunStore
from llm_core.training.steering import Steering
from llm_core.training.worker_process import DISK_FULL_CODE, NICENESS

_STOP_CHECK_SECONDS = 0.2


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
            with contextlib.suppress(RecordError):
                self._store.finish(self._run_id, RunState.INTERRUPTED)
            os._exit(0)


def work(
    store: RunStore, run: Run, watch: ServerWatch, recorder: Recorder, limits: Limits
) -> tuple[RunState, str]:
    """Train `run` and record it; return the state it ended in, and why."""
    # Imported here: a worker whose server dies while torch loads must notice.
    from llm_core.training.divergence import TrainingDivergedError
    from llm_core.training.goals import EndEvent
    from llm_core.training.loop import train

    folder = store.run_folder(run.id)
    resume = folder if list_checkpoints(folder) else None
    started = checked = time.monotonic()
    steering = Steering(store, run, recorder.points, leave=watch.gone.is_set)
    reason = ""
    try:
        training = train(run.config, resume=resume, out=folder, steer=steering, inside=True)
        with contextlib.closing(training) as events:
            for event in events:
                if isinstance(event, EndEvent):
                    reason = event.reason
                    continue
                if isinstance(event, StartEvent):
                    check_size(limits, run, event)
                recorder.add(event)
                watch.ready.set()
                if watch.gone.is_set():
                    return RunState.INTERRUPTED, ""
                now = time.monotonic()
                if limits.max_minutes and now - started > 60 * limits.max_minutes:
                    return RunState.STOPPED, (
                        f"The time allowed here, {limits.max_minutes} minutes, is up. What it "
                        "learnt is kept, and it may go on when it has queued again."
                    )
                if now - checked > _STOP_CHECK_SECONDS:
                    checked = now
                    if _asked_to_stop(store, run):
                        return RunState.STOPPED, paused_sentence(event.step)
    except TrainingDivergedError as error:
        return RunState.DIVERGED, str(error)
    if steering.paused_after is None:
        return RunState.DONE, reason
    if watch.gone.is_set():
        return RunState.INTERRUPTED, ""
    return RunState.STOPPED, paused_sentence(steering.paused_after)


def check_size(limits: Limits, run: Run, start: StartEvent) -> None:
    """Raise ValueError for a run above the limits, now that its size is known for certain."""
    limits.check_run(
        run.config,
        parameters=start.parameters,
        vocab_size=start.vocab_size,
        free=sys.maxsize,  # it is all taken by now
    )


def paused_sentence(step: int) -> str:
    """Say that a run was paused, and where."""
    return f"It was paused after {step:,} steps: what it has learnt is kept."


def main() -> None:
    """Work on one run, and record how it ended even if it fails."""
    parser = argparse.ArgumentParser(prog="python -m llm_core.training.worker")
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--run", required=True)
    options = parser.parse_args()
    _step_back()
    store = RunStore(options.folder)
    run = store.get(options.run)
    if run is None:
        raise SystemExit(f"There is no run {options.run}.")
    watch, recorder = ServerWatch(store, run.id), Recorder(store, run)
    code = 0
    try:
        with only_worker(store.run_folder(run.id)):
            state, reason = work(store, run, watch, recorder, Limits.from_environment())
    except Exception as error:
        traceback.print_exc()  # into the run's log
        state, reason = RunState.FAILED, failure_sentence(error)
        full = isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)
        code = DISK_FULL_CODE if full else 1
    try:
        recorder.finish(state, reason)
    except RecordError as error:
        print(error, file=sys.stderr)
    raise SystemExit(code)


@contextlib.contextmanager
def only_worker(folder: Path) -> Iterator[None]:
    """Make sure that no other process works on the run; OSError if one does."""
    with (folder / "worker.lock").open("w") as lock:
        with contextlib.suppress(ImportError):  # Windows
            import fcntl

            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield


def failure_sentence(error: Exception) -> str:
    """Say in one sentence why a run failed."""
    text = str(error)
    if isinstance(error, MemoryError) or "out of memory" in text or "allocate memory" in text:
        return "The machine ran out of memory: try a smaller model, context or batch."
    if isinstance(error, OSError):
        return (
            f"The run's files could not be read or written: {error.strerror or error}. "
            "What was saved before is kept."
        )
    return text or type(error).__name__


def _asked_to_stop(store: RunStore, run: Run) -> bool:
    try:
        return store.stop_requested(run.id)
    except RecordError:
        return False


def _step_back() -> None:
    """Let pages come first, and let the system choose this process if memory runs out."""
    if hasattr(os, "nice"):
        os.nice(NICENESS)
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("800")


if __name__ == "__main__":
    main()
