"""A training run as it stands: its figures, curves and samples, live while it trains."""

import html

import streamlit as st

from llm_core.training.checkpoint_index import checkpoint_step, list_checkpoints
from llm_core.training.comparison import factor_words
from llm_core.training.events import EvalEvent, SampleEvent
from llm_core.training.points import Point, seconds_left
from llm_core.training.runs import Run, RunState
from pages.figures.training import Change, Curve, Reference, loss_alt_text, loss_figure
from pages.widgets.live_chart import live_chart
from pages.widgets.sandbox_steer import may_resume
from pages.widgets.training import launcher, record_trouble

_TICK_SECONDS = 1.0
_PRECISIONS = {
    "float32": "32-bit numbers",
    "bfloat16": "16-bit numbers (bfloat16), which this machine was found to multiply faster",
}
_SAMPLES_WHILE_RUNNING = 5  # beside the first: each travels at every tick
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

    @st.fragment(run_every=_TICK_SECONDS if run.active else None)
    def panel() -> None:
        with record_trouble():
            if own:
                launcher().renew(run.owner)  # somebody is here: it stays in the queue
            now = launcher().store.get(run.id)
            now = launcher().check(now) if now else run
            _show(now, own=own)
            if run.active != now.active:
                st.rerun()  # the whole page: declares the fragment anew, with a timer or without

    panel()


def _show(run: Run, *, own: bool) -> None:
    store = launcher().store
    points, evaluations = store.points(run.id), store.evaluations(run.id)
    _heading(run, own=own)
    _metrics(run, points, evaluations)
    chart, samples = st.columns([3, 2], gap="medium")
    with chart:
        _chart(run, points, evaluations)
    with samples:
        _samples(run, store.samples(run.id))


def _heading(run: Run, *, own: bool) -> None:
    """Title, state and the one thing to do about it."""
    label, icon, color = badge_of(run)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.subheader(run.title, anchor=False, width="content")
        st.badge(label, icon=icon, color=color)
        if own and run.active:
            queued = run.state is RunState.QUEUED
            st.button(
                "Leave the queue" if queued else "Pause",
                icon=":material/pause:",
                key="pause",
                help="Keeps what was learnt, to the last digit, and gives its place to others.",
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
    _explain(run)


def badge_of(run: Run) -> tuple[str, str, str]:
    """Return the words, icon and colour for where a run stands."""
    label, icon, color = _BADGES[run.state]
    return ("pausing" if run.active and run.stop_requested else label), icon, color


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
        st.info("The server went away while this model was training. What it had learnt is kept.")
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
    elif run.reason:
        show = st.error if run.state is RunState.FAILED else st.info
        show(run.reason, icon=":material/info:")
    if run.facts and run.facts.note:
        st.warning(run.facts.note, icon=":material/healing:")


def _go_on(run: Run) -> None:
    try:
        launcher().resume(run, by=run.owner)
    except (ValueError, RuntimeError, OSError) as error:
        st.toast(str(error), icon=":material/error:")


def _metrics(run: Run, points: list[Point], evaluations: list[EvalEvent]) -> None:
    """Progress in numbers, in a row that wraps on a narrow screen."""
    step = points[-1].step if points else run.step
    st.progress(min(1.0, step / run.config.steps))
    with st.container(horizontal=True):
        _metric(f"Step, of {run.config.steps:,}", f"{step:,}")
        _metric("Training loss", f"{points[-1].loss:.3f}" if points else "–")
        _metric("Validation loss", f"{evaluations[-1].loss:.3f}" if evaluations else "–")
        _metric("Learning rate", f"{points[-1].learning_rate:.2g}" if points else "–")
        _metric("Tokens per second", f"{points[-1].tokens_per_second:,.0f}" if points else "–")
        if run.active:
            left = seconds_left(points, run.config)
            _metric("Time left", "–" if left is None else duration(left))


def _metric(label: str, value: str) -> None:
    st.metric(label, value, width=140)


def duration(seconds: float) -> str:
    """Say a length of time in minutes and seconds."""
    minutes, seconds = divmod(round(seconds), 60)
    return f"{minutes} min {seconds:02d} s" if minutes else f"{seconds} s"


def _chart(run: Run, points: list[Point], evaluations: list[EvalEvent]) -> None:
    train = Curve([point.step for point in points], [point.loss for point in points])
    validation = Curve(
        [evaluation.step for evaluation in evaluations],
        [evaluation.loss for evaluation in evaluations],
    )
    references = []
    if run.facts:
        references = [
            Reference(f"knows nothing: ln({run.facts.vocab_size})", run.facts.uniform_loss),
            Reference("bigram model", run.facts.bigram_loss),
        ]
    steps = run.config.steps
    changes = [
        Change(step, f"rate × {factor_words(factor)}") for step, factor in run.config.rate_changes
    ]
    figure = loss_figure(
        train,
        validation,
        references,
        total_steps=steps,
        run=run.id,
        height=400,
        changes=changes,
    )
    alt = loss_alt_text(train, validation, references, total_steps=steps)
    live_chart(figure, key="loss", alt=alt, height=400)
    if run.facts:
        st.caption(
            f"{run.facts.parameters:,} parameters. It trains on {run.facts.train_tokens:,} "
            f"characters and is validated on the {run.facts.validation_tokens:,} after them, "
            f"on {run.facts.device.upper()}, in {_PRECISIONS[run.facts.precision]}."
        )


def _samples(run: Run, samples: list[SampleEvent]) -> None:
    """What the model wrote from the same prompt, newest first, and always the very first noise."""
    st.markdown("**What it writes**")
    if not samples:
        st.caption("The first sample comes as soon as the model is built.")
        return
    if run.active and len(samples) > _SAMPLES_WHILE_RUNNING + 1:
        samples = [samples[0], *samples[-_SAMPLES_WHILE_RUNNING:]]
    rows = "".join(_sample_row(sample) for sample in reversed(samples))
    st.html(
        f'<div tabindex="0" role="region" aria-label="Samples by step" '
        f'style="max-height:360px;overflow-y:auto">{rows}</div>'
    )


def _sample_row(sample: SampleEvent) -> str:
    """One sample as HTML: its text comes from a model, so it is escaped."""
    return (
        f'<p style="margin:0 0 .2rem;font-size:.85rem;opacity:.8">after {sample.step:,} steps</p>'
        f'<p style="margin:0 0 1rem;white-space:pre-wrap;overflow-wrap:anywhere">'
        f"<b>{html.escape(sample.prompt)}</b>{html.escape(sample.text)}</p>"
    )
