"""The one place where pages reach training runs: a queue a server, shared by all sessions."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import streamlit as st

from llm_core.training.database import RecordError
from llm_core.training.head_files import has_head
from llm_core.training.limits import Limits
from llm_core.training.queue import RunQueue
from llm_core.training.runs import Run, RunStore, data_folder


@st.cache_resource(show_spinner=False)
def launcher() -> RunQueue:
    """Return the server's queue; its store is `launcher().store`."""
    return RunQueue(RunStore(data_folder()), Limits.from_environment())


def shown_run(visitor: str) -> Run | None:
    """Return the run that the address names, else the visitor's newest, as it stands now."""
    store = launcher().store
    named = st.query_params.get("run")
    run = store.get(named) if named else None
    run = run or store.latest(visitor)
    return launcher().check(run) if run else None


@contextlib.contextmanager
def record_trouble() -> Iterator[None]:
    """Say what is wrong while the record of the runs cannot be used, and what became of it."""
    if note := launcher().store.note:
        st.warning(note, icon=":material/healing:")
    try:
        yield
    except RecordError as error:
        st.error(str(error), icon=":material/error:")
        st.button("Try again", key="try_again")


def has_head_alone(run: Run) -> bool:
    """Whether the run has kept a head for a shipped model, and so no model of its own."""
    return bool(run.config.body) and has_head(launcher().store.run_folder(run.id))


def trained_model(checkpoint: Path) -> Any:
    """Return (model, tokenizer) as they were saved last, shared by all sessions: only read it.

    `checkpoint` is the newest; if it is damaged, this is the one before.
    """
    return _load(str(checkpoint.parent), str(checkpoint), checkpoint.stat().st_mtime_ns)


def kept_model(checkpoint: Path) -> Any:
    """Return (model, tokenizer) of this very checkpoint, shared by all sessions: only read it.

    Raises DamagedCheckpointError if it is not what was written.
    """
    return _load_kept(str(checkpoint), checkpoint.stat().st_mtime_ns)


@st.cache_resource(max_entries=4, show_spinner="Loading the model …")
def _load_kept(checkpoint: str, _changed: int) -> Any:
    import torch

    from llm_core.training.checkpoints import load_model

    torch.set_num_threads(1)
    return load_model(Path(checkpoint))


@st.cache_resource(max_entries=4, show_spinner="Loading the model …")
def _load(folder: str, checkpoint: str, _changed: int) -> Any:
    import torch

    from llm_core.training.checkpoints import load_newest_model

    torch.set_num_threads(1)  # models this small only wait for a second thread, and visitors too
    return load_newest_model(Path(folder))
