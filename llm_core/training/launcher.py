"""Start training processes, stop them, and notice when one has died. Imports no torch."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil

from llm_core.training.config import RunConfig
from llm_core.training.runs import Run, RunState, RunStore

_ROOT = Path(__file__).parents[2]
_PATIENCE_SECONDS = 10.0  # a worker that does not stop when asked is ended after this


class Launcher:
    """The workers of one server. Thread-safe; they end when this object's process does."""

    def __init__(self, store: RunStore, *, most: int | None = None) -> None:
        """Allow `most` workers at once (default: one a core)."""
        self.store = store
        self.most = most or os.cpu_count() or 1
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._lock = threading.Lock()

    def launch(self, config: RunConfig, *, owner: str, title: str, text: str | None = None) -> Run:
        """Record a new run and start its process; ValueError if all places are taken."""
        with self._lock:
            self._require_place()
            run = self.store.create(config, owner=owner, title=title, text=text)
            self._start(run)
        return run

    def resume(self, run: Run) -> None:
        """Let an ended run go on from its last checkpoint; ValueError if all places are taken."""
        with self._lock:
            self._require_place()
            self._wait_for_end(run)  # it records its end a moment before its process is gone
            self.store.restart(run.id)
            self._start(run)

    def _require_place(self) -> None:
        if sum(self.check(run).active for run in self.store.active()) >= self.most:
            places = f"All {self.most} training places are" if self.most > 1 else "The one place is"
            raise ValueError(f"{places} taken at the moment: try again in a few minutes.")

    def _wait_for_end(self, run: Run) -> None:
        if process := self._processes.get(run.id):
            process.wait(_PATIENCE_SECONDS)
            self._forget(run)
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while _alive(run) and time.monotonic() < deadline:  # another server's
            time.sleep(0.05)

    def _start(self, run: Run) -> None:
        process = self._spawn(run)
        self._processes[run.id] = process
        self.store.set_process(run.id, process.pid, _process_start(process.pid))

    def stop(self, run: Run) -> None:
        """Ask a run to stop; one that has not begun to learn is ended at once."""
        self.store.request_stop(run.id)
        if run.state is RunState.STARTING:
            _end(run)
            self.store.finish(run.id, RunState.STOPPED)

    def check(self, run: Run) -> Run:
        """Return the run as it stands; one whose process has died is recorded as failed."""
        if not run.active:
            self._forget(run)
            return run
        if run.pid is None and time.time() - run.launched < _PATIENCE_SECONDS:
            return run  # another thread is about to start its process
        if run.stop_requested and time.time() - run.stop_requested > _PATIENCE_SECONDS:
            _end(run)
            self.store.finish(run.id, RunState.STOPPED)
        process = self._processes.get(run.id)
        own = process is not None and process.pid == run.pid
        code = process.poll() if process and own else None
        if code is not None or (not own and not _alive(run)):
            # The worker may have recorded its end after `run` was read: the first end stands.
            self.store.finish(run.id, RunState.FAILED, _death_sentence(code))
            self._forget(run)
        return self.store.get(run.id) or run

    def close(self) -> None:
        """Let all workers know that the server is going, and wait until they have saved."""
        processes, self._processes = list(self._processes.values()), {}
        for process in processes:
            _close(process)
        for process in processes:
            process.wait(_PATIENCE_SECONDS)

    def _forget(self, run: Run) -> None:
        """Release an ended run's process; without the wait it would stay as a zombie."""
        process = self._processes.get(run.id)
        if process and process.poll() is not None:
            self._processes.pop(run.id, None)
            _close(process)

    def _spawn(self, run: Run) -> subprocess.Popen[bytes]:
        """Start the worker in a session of its own, so that Ctrl+C reaches only the server.

        Its standard input is a pipe that nobody writes to; it closes when this process ends.
        """
        command = [sys.executable, "-m", "llm_core.training.worker"]
        command += ["--folder", str(self.store.folder), "--run", run.id]
        with (self.store.run_folder(run.id) / "worker.log").open("ab") as log:
            return subprocess.Popen(
                command,
                cwd=_ROOT,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )


def _close(process: subprocess.Popen[bytes]) -> None:
    assert process.stdin is not None
    process.stdin.close()


def _process_start(pid: int) -> float:
    try:
        return psutil.Process(pid).create_time()
    except psutil.NoSuchProcess:
        return 0.0


def _alive(run: Run) -> bool:
    """Whether the very process that was started for the run is still at work."""
    if run.pid is None:
        return False
    try:
        process = psutil.Process(run.pid)
        same = abs(process.create_time() - (run.process_started or 0.0)) < 1.0
        return same and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _end(run: Run) -> None:
    if run.pid is not None and _alive(run):
        os.kill(run.pid, signal.SIGTERM)


def _death_sentence(code: int | None) -> str:
    if code is None:
        return "The training process is gone, and left no word why."
    if code == -signal.SIGTERM:
        return "The training process was ended by somebody on this machine."
    if code < 0:
        name = signal.Signals(-code).name
        hint = " Usually memory had run out: try a smaller model." if name == "SIGKILL" else ""
        return f"The training process was ended by the system ({name}).{hint}"
    return f"The training process ended by itself with code {code}; its log says more."
