"""Buttons and a watching fragment for a training in the server's booth, one for each visitor."""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import streamlit as st

from pages.widgets.booth import booth
from pages.widgets.errors import error_boundary

if TYPE_CHECKING:
    from llm_core.training.booth import Work

PIECE, PAUSE = 0.8, 0.2  # seconds of training between two looks, and of rest after a look
Make = Callable[[], "Work"]


def training_buttons(name: str, label: str, make: Make) -> None:
    """Offer to start a training, made by `make`, and to stop it; both under `name`.

    `make` is called only if the booth is free.
    """
    kept = current(name)
    going = kept is not None and kept.active
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            label,
            key=f"start_{name}",
            icon=":material/model_training:",
            type="primary",
            disabled=going,
            on_click=_start,
            args=(name, make),
        )
        st.button(
            "Stop",
            key=f"stop_{name}",
            icon=":material/stop:",
            disabled=not going,
            on_click=_stop,
            args=(name,),
        )
    problem = st.session_state.pop(f"_problem_{name}", None)
    if problem:
        st.info(problem, icon=":material/hourglass_empty:")


def watch_training(
    name: str, show: Callable[[Any, str], None], ended: Callable[[Any], None] | None = None
) -> None:
    """Show the visitor's training as it stands, again and again until it has ended.

    show(work, run) draws it, live or not; ended(work) draws what comes only then.
    """
    work = current(name)
    if work is None:
        return
    run: str = st.session_state[f"_run_{name}"]
    if not work.active:
        work.settle()

    @st.fragment(run_every=PAUSE if work.active else None)
    def panel() -> None:
        with error_boundary("This training"):
            show(work, run)
        # Only then: what is not drawn anew for half a second, the browser lets fade.
        if work.active:
            booth().go_on(work, PIECE if work.losses else 0.01)
        if was_active and not work.active:
            st.rerun()  # the whole page: declares the fragment anew, without the timer

    was_active = work.active
    panel()
    if ended is not None and not was_active and work.state != "failed":
        ended(work)


def state_caption(work: "Work", done: int) -> str:
    """Say in a sentence where a training stands."""
    said = {
        "done": "Trained.",
        "stopped": f"Stopped after {done} steps; what it learnt until then is below.",
        "failed": "The training broke down. That is our mistake; please try again.",
    }
    return said.get(work.state, "Training, on one core and behind everybody's pages…")


def current(name: str) -> Any:
    """The visitor's last training under `name`, or None."""
    return st.session_state.get(f"_training_{name}")


def _start(name: str, make: Make) -> None:
    """Begin a training, if the booth is free. A callback."""
    try:
        work = booth().admit(make)
    except ValueError as error:
        st.session_state[f"_problem_{name}"] = str(error)
    else:
        st.session_state[f"_training_{name}"] = work
        st.session_state[f"_run_{name}"] = f"run-{time.time_ns()}"


def _stop(name: str) -> None:
    work = current(name)
    if work is not None:
        work.stop()
