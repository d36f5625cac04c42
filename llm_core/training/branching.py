"""A new run that begins where another one was at a kept checkpoint. Imports no torch."""

import secrets
import shutil
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from llm_core.training.checkpoint_index import (
    FILES,
    checkpoint_name,
    list_checkpoints,
    read_files,
    write_files,
)
from llm_core.training.config import RunConfig
from llm_core.training.runs import OWN_TEXT, Run, RunState, RunStore
from llm_core.training.snapshot_index import copy_snapshots

_TOKENIZER = "tokenizer.json"
_FACTS = ("text_sha256", "precision", "threads", "seconds", "validation_loss")


def branch_run(
    store: RunStore,
    run: Run,
    step: int,
    *,
    owner: str,
    title: str,
    change: Callable[[RunConfig], RunConfig],
) -> Run:
    """Return a new run, not yet queued, that goes on from `run` as it was after `step` steps.

    It has the curves until then, a text and tokenizer of its own, and the config that `change`
    makes of the one at that step. Raises ValueError if that checkpoint is not kept or is damaged.
    """
    run_id, now = secrets.token_urlsafe(16), time.time()
    config = branch_checkpoint(
        store.run_folder(run.id), step, store.run_folder(run_id), change=change
    )
    new = Run(
        id=run_id,
        owner=owner,
        title=title,
        config=config,
        state=RunState.STOPPED,
        reason="",
        created=now,
        launched=now,
        step=step,
        facts=run.facts and replace(run.facts, step=step, note=""),
    )
    store.insert(new)
    copy_snapshots(store.run_folder(run.id), store.run_folder(run_id), until=step)
    store.add_curves(run_id, store.curves(run.id).until(step))
    return new


def branch_checkpoint(
    folder: Path, step: int, target: Path, *, change: Callable[[RunConfig], RunConfig]
) -> RunConfig:
    """Make a run in the new folder `target` that goes on from a checkpoint of the one in `folder`.

    Returns its config, which is what `change` makes of the one at that step. Raises ValueError if
    the checkpoint is not kept or is damaged, or for what `change` refuses.
    """
    checkpoint = folder / checkpoint_name(step)
    if checkpoint not in list_checkpoints(folder):
        raise ValueError(f"Of step {step:,} no checkpoint is kept any more.")
    content, facts = read_files(checkpoint)
    config = change(RunConfig.from_json(content["config.json"].decode()))
    target.mkdir(parents=True, exist_ok=True)
    config = copy_sources(config, target)
    files = {name: content[name] for name in FILES} | {"config.json": config.to_json().encode()}
    write_files(target, step, files, {name: facts.get(name) for name in _FACTS})
    return config


def copy_sources(config: RunConfig, folder: Path) -> RunConfig:
    """Copy a run's own text and tokenizer into another run's folder; return the config with them.

    Raises ValueError if they are gone.
    """
    for name, file in (("text_path", OWN_TEXT), ("tokenizer_path", _TOKENIZER)):
        source = getattr(config, name)
        if source is None:
            continue
        try:
            shutil.copyfile(source, folder / file)
        except OSError as error:
            raise ValueError(
                f"The run's {file} cannot be read: {error.strerror or error}."
            ) from error
        changed: dict[str, Any] = {name: str(folder / file)}
        config = replace(config, **changed)
    return config
