"""A training run as it stands: its figures, curves and samples, live while it trains."""

import streamlit as st

from llm_core.training.checkpoint_index import checkpoint_step, list_checkpoints
from llm_core.training.points import seconds_left
from llm_core.training.runs import Run, RunState
from pages.widgets.live_training import PAUSE
from pages.widgets.run_charts import best_so_far, run_chart, share_of_peak
from pages.widgets.run_samples import pick, picked_step, show_samples
from pages.widgets.sandbox_steer import may_resume, waits_for_step
from pages.widgets.training import launcher, record_trouble
from pages.widgets.tuned_run import go_on_tuning
from pages.widgets.watched import Watched, watched

_TICK_SECONDS = 1.0
_BADGES = {
    RunState.QUEUED: ("queued", ":material/hourglass_empty:", "blue"),
    RunState.STARTING: ("starting", ":material/hourglass_top:", "blue"),
    RunState.RUNNING: ("training", ":material/model_training:", "green"),
    RunState.DONE: ("done", ":material/check_circle:", "green"),
    RunState.STOPPED: ("paused", ":material/pause_circle:", "orange"),
    RunState.INTERRUPTED: ("interrupted", ":material/pause_circle:", "orange"),
    RunState.DIVERGED: ("ran away", ":material/trending_up:", "red"),
    RunState.FAILED: ("failed", ":material/error:", "red"),
}


def run_panel(run: Run, *, own: bool) -> None:
    """Show the run; poll while it waits or trains. Only its owner (`own`) may stop it or go on."""

    with record_trouble():
        best = best_so_far(run)
        shown, badge = picked_step(run), badge_of(run)

    @st.fragment
    def head() -> None:
        with record_trouble():
            now = launcher().store.get(run.id) or run
            _heading(now, own=own)
            if now.active != run.active:
                st.rerun()  # it was resumed: what is below needs its timer

    tick = PAUSE if run.config.tuned else _TICK_SECONDS

    @st.fragment(run_every=tick if run.active else None)
    def panel() -> None:
        with record_trouble():
            if own:
                launcher().renew(run.owner)  # somebody is here: it stays in the queue
            now = launcher().store.get(run.id)
            now = launcher().check(now) if now else run
            show_panel(now, best=best)
            if now.active and run.config.tuned:  # what is drawn later than this would fade
                go_on_tuning(run)
                now = launcher().store.get(run.id) or now
            if badge_of(now) != badge:
                st.rerun()  # the whole page: declares the fragment anew, with a timer or without
            if not run.active and picked_step(run) != shown:
                st.rerun()  # the time line below goes along

    head()
    panel()
    with record_trouble():
        if note := launcher().store.notes([run.id]).get(run.id):
            _note(note)


def _note(note: str) -> None:
    """The owner's words: shown as they are, never as Markdown."""
    with st.container(horizontal=True, vertical_alignment="center", key="run_note"):
        st.markdown(":material/edit_note:", width="content")
        st.text(note, width="stretch")


def show_panel(run: Run, *, best: float | None) -> None:
    """Show the run as it stands: one tick of a page that watches it."""
    seen = watched(run)
    _explain(run)
    _metrics(run, seen)
    chart, samples = st.columns([3, 2], gap="medium")
    with chart:
        run_chart(
            run,
            seen,
            best=best,
            picked=picked_step(run),
            on_pick=lambda step: pick(run, seen, step),
        )
    with samples:
        show_samples(run, seen)


def _heading(run: Run, *, own: bool) -> None:
    """Title, state and the one thing to do about it."""
    label, icon, color = badge_of(run)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.subheader(run.title, anchor=False, width="content")
        st.badge(label, icon=icon, color=color)
        if own and run.active:
            tuned = bool(run.config.tuned)
            word = "Leave the queue" if run.state is RunState.QUEUED else "Pause"
            st.button(
                "Stop" if tuned else word,
                icon=":material/stop:" if tuned else ":material/pause:",
                key="pause",
                help="Keeps what was learnt, and gives its place to others."
                if tuned
                else "Keeps what was learnt, to the last digit, and gives its place to others.",
                disabled=run.stop_requested is not None,
                on_click=launcher().stop,
                kwargs={"by": run.owner},
                args=(run,),
            )
        if own and may_resume(run):
            st.button(
                "Resume",
                icon=":material/resume:",
                type="primary",
                key="resume",
                on_click=_go_on,
                args=(run,),
            )
    if not own:
        st.caption(
            "Somebody else's run, as it stands. You can look at all of it, and take it or a branch "
            "of it along."
        )


def badge_of(run: Run) -> tuple[str, str, str]:
    """Return the words, icon and colour for where a run stands."""
    label, icon, color = _BADGES[run.state]
    if run.config.tuned and run.state is RunState.STOPPED:
        label, icon = "stopped", ":material/stop_circle:"  # it cannot go on
    if run.state is RunState.RUNNING and waits_for_step(run):
        label, icon, color = "waits for you", ":material/skip_next:", "orange"
    ending = "stopping" if run.config.tuned else "pausing"
    return (ending if run.active and run.stop_requested else label), icon, color


def _explain(run: Run) -> None:
    """Say why the run is not simply training, or done."""
    if run.state is RunState.QUEUED:
        place = launcher().places().get(run.id, 1)
        ahead = "You are next" if place == 1 else f"Place {place} in the queue"
        workers = launcher().limits.workers
        st.info(
            f"{ahead}. {workers} run{'s train' if workers > 1 else ' trains'} here at a time, and "
            "visitors take turns. Keep this page open: who leaves for good loses their place.",
            icon=":material/hourglass_empty:",
        )
    if run.state is RunState.INTERRUPTED:
        kept = "Its curves are kept" if run.config.tuned else "What it had learnt is kept"
        st.info(f"The server went away while this model was training. {kept}.")
    if run.state is RunState.DIVERGED:
        st.error(run.reason, icon=":material/trending_up:")
        kept = list_checkpoints(launcher().store.run_folder(run.id))
        if kept:
            st.caption(
                f"The model as it was after {checkpoint_step(kept[-1]):,} steps is kept. With a "
                "lower learning rate, which you can choose under *Steer it*, it may go on from "
                "there. At the same rate it would run away again: the same seed makes the same "
                "steps."
            )
    elif run.state is RunState.FAILED:
        st.error(run.reason, icon=":material/error:")
        if kept := list_checkpoints(launcher().store.run_folder(run.id)):
            st.caption(
                f"The model as it was after {checkpoint_step(kept[-1]):,} steps is kept, and can "
                "go on from there."
            )
    elif run.reason:
        st.info(run.reason, icon=":material/info:")
    if run.facts and run.facts.note:
        st.warning(run.facts.note, icon=":material/healing:")


def _go_on(run: Run) -> None:
    try:
        launcher().resume(run, by=run.owner)
    except (ValueError, RuntimeError, OSError) as error:
        st.toast(str(error), icon=":material/error:")


def _metrics(run: Run, seen: Watched) -> None:
    """Progress in numbers, in a row that wraps on a narrow screen."""
    points, evaluations = seen.points, seen.evaluations
    step = points[-1].step if points else run.step
    st.progress(min(1.0, step / run.config.steps))
    with st.container(horizontal=True):
        _metric(f"Step, of {run.config.steps:,}", f"{step:,}")
        _metric("Training loss", f"{points[-1].loss:.3f}" if points else "–", width=120)
        _metric("Validation loss", f"{evaluations[-1].loss:.3f}" if evaluations else "–", width=120)
        _metric("Learning rate", f"{points[-1].learning_rate:.2g}" if points else "–")
        speed = points[-1].tokens_per_second if points else 0.0
        used = share_of_peak(run, speed)
        label = f"Tokens/s, {used[0]:.0%} of peak" if used else "Tokens per second"
        if speed or not run.config.tuned:  # a frozen body has read its texts beforehand
            _metric(label, f"{speed:,.0f}" if points else "–", used[1] if used else None)
        if seen.answers:
            answers = seen.answers[-1]
            share = answers.right / max(1, answers.asked)
            _metric(f"Right, of {answers.asked} asked", f"{share:.0%}")
        if run.active:
            left = seconds_left(points, run.config)
            _metric("Time left", "–" if left is None else duration(left), width=190)


def _metric(label: str, value: str, tip: str | None = None, width: int = 140) -> None:
    st.metric(label, value, width=max(width, 175) if tip else width, help=tip)


def duration(seconds: float) -> str:
    """Say a length of time in minutes and seconds."""
    minutes, seconds = divmod(round(seconds), 60)
    return f"{minutes} min {seconds:02d} s" if minutes else f"{seconds} s"
