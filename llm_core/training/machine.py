"""What this machine, or the container around it, has to give. Imports no torch."""

import contextlib
import os
import shutil
import sys
from pathlib import Path

import psutil

_CGROUP = Path("/sys/fs/cgroup")


def cores() -> int:
    """Processor cores that this process may use, at least 1."""
    if hasattr(os, "sched_getaffinity"):
        allowed = len(os.sched_getaffinity(0))
    else:
        allowed = os.cpu_count() or 1
    with contextlib.suppress(OSError, ValueError):
        quota, period = (_CGROUP / "cpu.max").read_text().split()
        allowed = min(allowed, int(quota) // int(period))
    return max(1, allowed)


def free_memory() -> int:
    """Bytes of memory that a new process may take without pushing others out."""
    free = int(psutil.virtual_memory().available)
    with contextlib.suppress(OSError, ValueError):
        most = int((_CGROUP / "memory.max").read_text())
        used = int((_CGROUP / "memory.current").read_text())
        free = min(free, most - used)
    return max(0, free)


def memory_kills() -> int:
    """How many processes the system has ended so far, in this container, for want of memory."""
    with contextlib.suppress(OSError, ValueError):
        for line in (_CGROUP / "memory.events").read_text().splitlines():
            if line.startswith("oom_kill "):
                return int(line.split()[1])
    return 0


def possible_devices() -> list[str]:
    """Devices that a run may ask for, guessed without torch; "auto" takes the fastest there is."""
    devices = ["auto", "cpu"]
    if Path("/dev/nvidia0").exists() or shutil.which("nvidia-smi"):
        devices.append("cuda")
    if sys.platform == "darwin" and os.uname().machine == "arm64":
        devices.append("mps")
    return devices
