"""Train a GPT on a text, watch it learn, and let it write."""

import streamlit as st

from llm_core.training.runs import Run
from pages.widgets.catalog import Lesson
from pages.widgets.frame import open_page
from pages.widgets.inspector_links import inspect_links
from pages.widgets.prose import show_prose
from pages.widgets.run_files import bring_back, own_runs, take_away
from pages.widgets.run_panel import run_panel
from pages.widgets.sandbox_compare import compare
from pages.widgets.sandbox_samples import time_line
from pages.widgets.sandbox_settings import set_up_asked
from pages.widgets.sandbox_setup import SETTING_UP, set_up
from pages.widgets.sandbox_snapshots import show_snapshots
from pages.widgets.sandbox_steer import steer
from pages.widgets.sandbox_sweep import show_sweep, swept_note
from pages.widgets.sandbox_tries import leave_try, tried, tries
from pages.widgets.training import record_trouble, shown_run
from pages.widgets.tuned_run import tuned_note, use_tuned
from pages.widgets.visitor import visitor
from pages.widgets.writing import write_with


def show_run(lesson: Lesson, run: Run, me: str) -> None:
    """Show the run, what its curves mean and, once it has ended, let the model write."""
    own = run.owner == me
    run_panel(run, own=own)
    tuned = bool(run.config.tuned)
    if tuned:
        tuned_note(run)
    else:
        steer(lesson, run, me)
    if own and not tuned:
        show_sweep(lesson, run)
    if not (run.active or tuned):
        time_line(lesson, run)
    show_snapshots(lesson, run)
    if not run.active:
        if tuned:
            use_tuned(run)
        else:
            write_with(lesson, run)
        inspect_links(run)
        take_away(lesson, run, own=own)
    if not (own and run.active):
        label = "Train another model" if own else "Train a model of your own"
        st.button(label, icon=":material/add:", key="another", on_click=begin_set_up)
    with st.expander("How to read the chart", expanded=not own):
        show_prose(lesson, "watch")


def begin_set_up() -> None:
    """Leave the run that is shown; it stays where it is."""
    st.session_state[SETTING_UP] = True
    st.query_params.pop("run", None)
    leave_try()


def end_set_up(run: Run) -> None:
    """Go back to a run."""
    st.session_state[SETTING_UP] = False
    st.query_params["run"] = run.id


page = open_page("training_sandbox")
tried(page)
me = visitor()
swept_note()
with record_trouble():
    shown = shown_run(me)
    named = st.query_params.get("run")
    if named and (shown is None or shown.id != named):
        st.warning("The run in this address is not, or no longer, on this machine.")
    setting_up = st.session_state.get(SETTING_UP) or set_up_asked()
    if shown is None or (setting_up and not named):
        if shown:
            st.button(
                f"Back to {shown.title}",
                icon=":material/arrow_back:",
                on_click=end_set_up,
                args=(shown,),
            )
        set_up(page, me)
        bring_back(page, me)
    else:
        show_run(page, shown, me)
    compare(page, me)
    tries(page, expanded=shown is None)
    own_runs(me, shown)
