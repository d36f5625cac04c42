"""Which checkpoints a run has, and whether they are whole. Imports no torch: pages ask this too.

A checkpoint is a folder of files. `state.json` among them holds the SHA-256 of all the others and
of its own content, so that a single wrong bit in any of them is noticed before it is used.
"""

import contextlib
import hashlib
import json
import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from llm_core.training.config import RunConfig

T = TypeVar("T")

_PREFIX = "checkpoint-"
FACTS = "state.json"
FILES = ("config.json", "tokenizer.json", "weights.safetensors", "optimizer.safetensors")


class DamagedCheckpointError(ValueError):
    """A checkpoint is not what was written."""


def checkpoint_name(step: int) -> str:
    """Name of the folder that holds the run after `step` steps; names sort by step."""
    return f"{_PREFIX}{step:08d}"


def checkpoint_step(checkpoint: Path) -> int:
    """Return the step that a checkpoint's name tells."""
    return int(checkpoint.name.removeprefix(_PREFIX))


def list_checkpoints(out: Path) -> list[Path]:
    """Return the complete checkpoints below `out`, oldest first."""
    return sorted(path for path in out.glob(f"{_PREFIX}*") if path.is_dir())


def latest_checkpoint(out: Path) -> Path:
    """Return the newest checkpoint below `out`; raise ValueError if there is none."""
    checkpoints = list_checkpoints(out)
    if not checkpoints:
        raise ValueError(f"There is no checkpoint in {out}.")
    return checkpoints[-1]


def drop_checkpoints_after(out: Path, step: int) -> None:
    """Remove the checkpoints of later steps: nothing good has come of them."""
    for checkpoint in list_checkpoints(out):
        if checkpoint_step(checkpoint) > step:
            shutil.rmtree(checkpoint, ignore_errors=True)


def read_facts(checkpoint: Path, content: Mapping[str, bytes]) -> dict[str, Any]:
    """Return what `state.json` says, if all of `content` (by file name) is as it was written.

    Raises DamagedCheckpointError if it is not, or if a file is missing.
    """
    where = f"The checkpoint of step {checkpoint.name.removeprefix(_PREFIX)} is damaged"
    try:
        facts = json.loads(content[FACTS])
        digests, digest = facts["files"], facts.pop("sha256")
        whole = digest == _digest_of_facts(facts)
    except (KeyError, TypeError, AttributeError, ValueError, RecursionError) as error:
        raise DamagedCheckpointError(f"{where}: its {FACTS} cannot be read.") from error
    if not whole or set(digests) != set(FILES) or facts["step"] != checkpoint_step(checkpoint):
        raise DamagedCheckpointError(f"{where}: its {FACTS} has changed.")
    for name in FILES:
        if name not in content:
            raise DamagedCheckpointError(f"{where}: {name} is missing.")
        if hashlib.sha256(content[name]).hexdigest() != digests[name]:
            raise DamagedCheckpointError(f"{where}: {name} has changed or is incomplete.")
    return dict(facts)


def read_files(checkpoint: Path) -> tuple[dict[str, bytes], dict[str, Any]]:
    """Return a checkpoint's files by name, and its facts; DamagedCheckpointError if not whole."""
    content = {}
    for name in (FACTS, *FILES):
        # A missing file is `read_facts`' to tell; one that a disk refuses to read is as good as.
        with contextlib.suppress(OSError):
            content[name] = (checkpoint / name).read_bytes()
    return content, read_facts(checkpoint, content)


def newest_whole(out: Path, read: Callable[[Path], T]) -> tuple[T, list[Path]]:
    """Read the newest checkpoint below `out` that is whole; also return the damaged ones after it.

    Raises ValueError if there is no checkpoint, or none that is whole.
    """
    damaged: list[Path] = []
    for checkpoint in reversed(list_checkpoints(out)):
        try:
            return read(checkpoint), damaged
        except DamagedCheckpointError:
            damaged.append(checkpoint)
    if damaged:
        raise DamagedCheckpointError("All checkpoints of this run are damaged: it is lost.")
    raise ValueError(f"There is no checkpoint in {out}.")


def read_config(out: Path) -> RunConfig:
    """Return the run's config, from its newest checkpoint that is whole; ValueError if none is."""

    def read(checkpoint: Path) -> RunConfig:
        return RunConfig.from_json(read_files(checkpoint)[0]["config.json"].decode())

    return newest_whole(out, read)[0]


def write_files(out: Path, step: int, content: Mapping[str, bytes], facts: dict[str, Any]) -> Path:
    """Write a whole checkpoint below `out`, or none at all; return its folder.

    The files are written aside and brought to the disk; then one rename makes them the
    checkpoint, so that whatever ends this process, and whenever, leaves a whole one or nothing.
    An OSError (a full disk) leaves the older checkpoints as they were.
    """
    out.mkdir(parents=True, exist_ok=True)
    for left_over in out.glob(f".{_PREFIX}*"):  # of a process that was killed while writing
        shutil.rmtree(left_over, ignore_errors=True)
    target = out / checkpoint_name(step)
    partial = out / f".{target.name}.partial"
    digests = {name: hashlib.sha256(data).hexdigest() for name, data in content.items()}
    facts = facts | {"step": step, "files": digests}
    facts["sha256"] = _digest_of_facts(facts)
    try:
        partial.mkdir()
        for name, data in {**content, FACTS: json.dumps(facts, indent=1).encode()}.items():
            write_synced(partial / name, data)
        sync_folder(partial)
        shutil.rmtree(target, ignore_errors=True)  # a damaged one, which this replaces
        partial.rename(target)
    except OSError:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    sync_folder(out)
    return target


def write_synced(path: Path, data: bytes) -> None:
    """Write a file and wait until the disk has it: a rename must not come before."""
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Bring a folder's names to the disk. Windows does that by itself, and has no call for it."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _digest_of_facts(facts: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()
