"""Which checkpoints a run has. Imports no torch: pages ask this before any model is loaded."""

from pathlib import Path

_PREFIX = "checkpoint-"


def checkpoint_name(step: int) -> str:
    """Name of the folder that holds the run after `step` steps; names sort by step."""
    return f"{_PREFIX}{step:08d}"


def list_checkpoints(out: Path) -> list[Path]:
    """Return the complete checkpoints below `out`, oldest first."""
    return sorted(path for path in out.glob(f"{_PREFIX}*") if path.is_dir())


def latest_checkpoint(out: Path) -> Path:
    """Return the newest checkpoint below `out`; raise ValueError if there is none."""
    checkpoints = list_checkpoints(out)
    if not checkpoints:
        raise ValueError(f"There is no checkpoint in {out}.")
    return checkpoints[-1]
