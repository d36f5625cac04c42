"""One step at a time: a run waits after a step until it is told to go on. Imports no torch.

After which step it waits lies in a file of the run's folder, and not in its config: a pause is no
part of what fixes a run.
"""

import contextlib
import os
from pathlib import Path

_FILE = "hold"


def hold_after(folder: Path, step: int) -> None:
    """Let the run in `folder` wait once it has taken `step` steps."""
    aside = folder / f".{_FILE}"
    aside.write_text(str(step), encoding="ascii")
    os.replace(aside, folder / _FILE)


def held_after(folder: Path) -> int | None:
    """Return after which step the run in `folder` waits; None if it is to train on."""
    try:
        return int((folder / _FILE).read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None


def let_go(folder: Path) -> None:
    """Let the run in `folder` train on."""
    with contextlib.suppress(FileNotFoundError):
        (folder / _FILE).unlink()
