"""The process that works on a run: start it, see whether it is there, end it. Imports no torch."""

import errno
import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil

from llm_core.training.limits import Limits
from llm_core.training.machine import memory_kills
from llm_core.training.runs import Run

_ROOT = Path(__file__).parents[2]
NICENESS = 10  # of processes that train: pages come first
DISK_FULL_CODE = 28  # what a worker says by its exit code when it can say it nowhere else


def start_worker(
    store_folder: Path, run: Run, log: Path, limits: Limits
) -> subprocess.Popen[bytes]:
    """Start the worker in a session of its own, so that Ctrl+C reaches only the server.

    Its standard input is a pipe that nobody writes to; it closes when this process ends.
    """
    command = [sys.executable, "-m", "llm_core.training.worker"]
    command += ["--folder", str(store_folder), f"--run={run.id}"]  # an id may begin with -
    with log.open("ab") as output:
        return subprocess.Popen(
            command,
            cwd=_ROOT,
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=output,
            start_new_session=True,
            # More threads than cores, over all workers, and each waits for the others.
            env={**os.environ, **limits.to_environment(), "OMP_NUM_THREADS": str(limits.threads)},
        )


def close_input(process: subprocess.Popen[bytes]) -> None:
    """Let a worker know that its server is going."""
    assert process.stdin is not None
    process.stdin.close()


def start_of(pid: int) -> float:
    """When a process began, in seconds since 1970; 0 if it is gone."""
    try:
        return psutil.Process(pid).create_time()
    except psutil.NoSuchProcess:
        return 0.0


def is_alive(run: Run) -> bool:
    """Whether the very process that was started for the run is still at work."""
    if run.pid is None:
        return False
    try:
        process = psutil.Process(run.pid)
        same = abs(process.create_time() - (run.process_started or 0.0)) < 1.0
        return same and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def end(run: Run) -> None:
    """End the run's process, if it is there."""
    if run.pid is not None and is_alive(run):
        os.kill(run.pid, signal.SIGTERM)


def death_sentence(code: int | None, memory_kills_before: int) -> str:
    """Say why a worker that left no word is gone; `code` is None where that is not known."""
    if code == -signal.SIGKILL and memory_kills() > memory_kills_before:
        return (
            "The machine ran out of memory, and its system ended the training: try a smaller "
            "model, context or batch."
        )
    if code is None:
        return "The training process is gone, and left no word why."
    if code == -signal.SIGTERM:
        return "The training process was ended by somebody on this machine."
    if code < 0:
        name = signal.Signals(-code).name
        # A library that gets no memory often aborts.
        out = name in ("SIGKILL", "SIGABRT")
        hint = " Usually memory had run out: try a smaller model." if out else ""
        return f"The training process was ended by the system ({name}).{hint}"
    if code == DISK_FULL_CODE:
        return f"The disk cannot be written ({os.strerror(errno.ENOSPC)}): the last save is kept."
    return f"The training process ended by itself with code {code}; its log says more."
