"""A fine-tuning is a run of the visitor's: recorded from its start, and linked."""

import secrets
from typing import TYPE_CHECKING

import streamlit as st

from pages.widgets.catalog import find_lesson
from pages.widgets.navigation import link_to
from pages.widgets.training import launcher, record_trouble
from pages.widgets.visitor import known_visitor

if TYPE_CHECKING:
    from llm_core.finetuning.trainings import ClassifierTraining, InstructionTraining

    Work = ClassifierTraining | InstructionTraining


def record_as_run(work: "Work", title: str) -> None:
    """From its first score on, let a training be a run of this visitor's in the sandbox's store.

    For callbacks: the page has called `visitor`.
    """
    from llm_core.finetuning.recording import Recording

    owner, work.run_id = known_visitor(), secrets.token_urlsafe(16)
    recording = Recording(launcher().store, work, owner=owner, title=title)
    try:
        launcher().require_room(owner)
    except ValueError as error:
        recording.refuse(str(error))
    work.recording, work.after_piece = recording, recording.note


def show_run_of(work: "Work") -> None:
    """Say where the training's run is, or why there is none; silent before it has one."""
    recording = work.recording
    if recording is None:
        return
    if recording.trouble:
        st.info(f"It is not kept as a run of yours. {recording.trouble}")
        return
    with record_trouble():
        if not recording.begun or launcher().store.get(work.run_id) is None:
            return  # or deleted since
        with st.container(horizontal=True, vertical_alignment="center", key=f"run_{work.run_id}"):
            st.caption("It is a run of yours:", width="content")
            link_to(find_lesson("training_sandbox"), "See it in the sandbox", run=work.run_id)
            if not work.active:
                link_to(find_lesson("model_inspector"), "Look inside it", model=work.run_id)
