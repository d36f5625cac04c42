"""Which light snapshots of a run's weights there are, and when to take one. Imports no torch.

They lie beside the checkpoints: `snapshots/step-00000094.safetensors`, half-precision weights and
nothing else, to look at how a model came to be; nothing goes on from them.
"""

import shutil
from pathlib import Path

FOLDER = "snapshots"
COUNT, COUNT_OF_LARGE = 8, 4  # that a run plans to keep
LARGE = 1_000_000  # parameters: above, fewer are kept
_PREFIX, _SUFFIX = "step-", ".safetensors"


def planned_steps(steps: int, parameters: int) -> list[int]:
    """Return after which steps a run of `steps` keeps a snapshot: 0, and then twice as late each.

    Most of what can be seen changes early.
    """
    count = COUNT if parameters <= LARGE else COUNT_OF_LARGE
    return sorted({0} | {max(1, round(steps / 2**n)) for n in range(count - 1)})


def snapshot_name(step: int) -> str:
    """Name of the file that holds the weights after `step` steps; names sort by step."""
    return f"{_PREFIX}{step:08d}{_SUFFIX}"


def snapshot_step(snapshot: Path) -> int:
    """Return the step that a snapshot's name tells."""
    return int(snapshot.name.removeprefix(_PREFIX).removesuffix(_SUFFIX))


def list_snapshots(out: Path) -> list[Path]:
    """Return the snapshots of the run below `out`, oldest first."""
    return sorted((out / FOLDER).glob(f"{_PREFIX}*{_SUFFIX}"))


def drop_snapshots_after(out: Path, step: int) -> None:
    """Remove the snapshots of later steps: the run goes on from an earlier one."""
    for snapshot in list_snapshots(out):
        if snapshot_step(snapshot) > step:
            snapshot.unlink(missing_ok=True)


def superfluous_snapshots(snapshots: list[Path], keep: int) -> list[Path]:
    """Return those of `snapshots`, oldest first, that must go for `keep` to stay.

    First and last stay. Of the others, those go whose neighbours lie closest, as factors of the
    step.
    """
    left = list(snapshots)
    while len(left) > max(2, keep):
        steps = [snapshot_step(each) + 1 for each in left]
        inner = range(1, len(left) - 1)
        left.pop(min(inner, key=lambda n: steps[n + 1] / steps[n - 1]))
    return [each for each in snapshots if each not in left]


def copy_snapshots(source: Path, target: Path, *, until: int) -> None:
    """Give a run that branches off after `until` steps the snapshots of its past."""
    for snapshot in list_snapshots(source):
        if snapshot_step(snapshot) <= until:
            (target / FOLDER).mkdir(exist_ok=True)
            shutil.copyfile(snapshot, target / FOLDER / snapshot.name)
    for name in ("config.json", "tokenizer.json"):
        if list_snapshots(target):
            shutil.copyfile(source / FOLDER / name, target / FOLDER / name)
