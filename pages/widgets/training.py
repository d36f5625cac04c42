"""The one place where pages reach training runs: a launcher a server, shared by all sessions."""

from pathlib import Path
from typing import Any

import streamlit as st

from llm_core.training.launcher import Launcher
from llm_core.training.runs import Run, RunStore, data_folder


@st.cache_resource(show_spinner=False)
def launcher() -> Launcher:
    """Return the server's launcher; its store is `launcher().store`."""
    return Launcher(RunStore(data_folder()))


def shown_run(visitor: str) -> Run | None:
    """Return the run that the address names, else the visitor's newest, as it stands now."""
    store = launcher().store
    named = st.query_params.get("run")
    run = store.get(named) if named else None
    run = run or store.latest(visitor)
    return launcher().check(run) if run else None


@st.cache_resource(max_entries=4, show_spinner="Loading the model …")
def trained_model(checkpoint: Path) -> Any:
    """Return (model, tokenizer) of a checkpoint, shared by all sessions: only read it."""
    from llm_core.training.checkpoints import load_model  # imports torch

    return load_model(checkpoint)
