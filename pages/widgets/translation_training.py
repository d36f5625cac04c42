"""Train a translator on the page: one at a time a server, with its curves and its answers live."""

import html
import time
from typing import TYPE_CHECKING, Any

import pandas as pd
import streamlit as st

from llm_core.data.tasks import TASKS, Task, find_task
from llm_core.training.translation import TranslatorSettings
from pages.figures.curve import Curve
from pages.figures.translation import (
    HEIGHT,
    Shares,
    learning_alt_text,
    shares_figure,
    translation_loss_figure,
)
from pages.widgets.booth import booth
from pages.widgets.figure import show_figure, show_finding, show_table
from pages.widgets.live_chart import live_chart
from pages.widgets.translation_forcing import show_mistakes
from pages.widgets.translation_model import MEASURED, measure_model
from pages.widgets.view import current_view

if TYPE_CHECKING:
    from llm_core.models.encoder_decoder import EncoderDecoder
    from llm_core.training.booth import Training

_PIECE, _PAUSE = 0.8, 0.2  # seconds of training between two looks, and of rest after a look
_KEPT = "translator_training"  # in the session: the last training, and what it translates
_MARK = {True: "✓", False: "✗"}
_CELL = "padding:.15rem .8rem .15rem 0"
_SEED = 11  # of the unseen pairs that are measured afterwards


def train_it() -> None:
    """Choose a task, train on it, and look on."""
    left, right = st.columns(2, gap="large")
    names = {task.title: name for name, task in TASKS.items()}
    name = names[left.radio("What it is to learn", list(names), key="task", bind="query-params")]
    with right:
        steps = int(
            st.slider("Steps of 64 pairs", 100, 1000, 600, 50, key="steps_new", bind="query-params")
        )
        source = st.text_input(
            "It translates this while it learns",
            TASKS[name].example,
            key=f"sample_{name}",
            max_chars=100,
        )
    task = find_task(name)
    task.cut(source)  # a ValueError's sentence is the learner's
    if current_view() == "print":
        return
    _buttons(TranslatorSettings(task=name, steps=steps, score_interval=25), source)
    kept = st.session_state.get(_KEPT)
    if kept is not None:
        _watch(*kept)


def _buttons(settings: TranslatorSettings, source: str) -> None:
    training = _current()
    going = training is not None and training.active
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            "Train it",
            key="train",
            icon=":material/model_training:",
            type="primary",
            disabled=going,
            on_click=_start,
            args=(settings, source),
        )
        st.button("Stop", key="stop", icon=":material/stop:", disabled=not going, on_click=_stop)
    problem = st.session_state.pop("translator_problem", None)
    if problem:
        st.info(problem, icon=":material/hourglass_empty:")


def _start(settings: TranslatorSettings, source: str) -> None:
    """Begin a training, if the booth is free. A callback."""
    task = find_task(settings.task)
    try:
        training = booth().start(settings, lambda model: translated(model, task, source))
    except ValueError as error:
        st.session_state["translator_problem"] = str(error)
    else:
        st.session_state[_KEPT] = (training, source, f"run-{time.time_ns()}")


def _stop() -> None:
    training = _current()
    if training is not None:
        training.stop()


def _current() -> "Training | None":
    kept = st.session_state.get(_KEPT)
    return None if kept is None else kept[0]


def translated(model: "EncoderDecoder", task: Task, source: str) -> str:
    """What a model makes of a source of its task."""
    from llm_core.data.tasks import END, START
    from llm_core.generation.translate import translate

    tokens = task.tokens
    steps = translate(
        model,
        task.encode_source(source),
        start=tokens.index(START),
        end=tokens.index(END),
        most=14,
    )
    return task.decode([step.id for step in steps])


def _watch(training: "Training", source: str, run: str) -> None:
    """The training as it stands; a fragment that looks again until it has ended."""

    @st.fragment(run_every=_PAUSE if training.active else None)
    def panel() -> None:
        show_training(training, source, run)
        # Only then: what is not drawn anew for half a second, the browser lets fade.
        if training.active:
            booth().go_on(training, _PIECE if training.losses else 0.01)
        if was_active and not training.active:
            st.rerun()  # the whole page: declares the fragment anew, without the timer

    was_active = training.active
    panel()
    if not was_active:
        _show_result(training)


def show_training(training: "Training", source: str, run: str) -> None:
    """Progress, numbers, curves, and the answers to the learner's own input so far."""
    settings, losses = training.settings, list(training.losses)
    scores = training.scores[: len(training.said)]
    done = losses[-1].step if losses else 0
    st.progress(min(1.0, done / settings.steps))
    with st.container(horizontal=True):
        st.metric(f"Step, of {settings.steps}", f"{done}", width=150)
        st.metric("Loss", f"{losses[-1].loss:.3f}" if losses else "–", width=150)
        st.metric("Unseen inputs right", f"{scores[-1].whole:.1%}" if scores else "–", width=180)
        st.metric("Seconds of training", f"{losses[-1].seconds:.1f}" if losses else "–", width=180)
    said = {
        "done": "Trained.",
        "stopped": f"Stopped after {done} steps; what it learnt until then is below.",
        "failed": "The training broke down. That is our mistake; please try again.",
    }
    st.caption(said.get(training.state, "Training, on one core and behind everybody's pages…"))
    curve = Curve([each.step for each in losses], [each.loss for each in losses])
    shares = Shares(
        [each.step for each in scores],
        [each.forced for each in scores],
        [each.free for each in scores],
        [each.whole for each in scores],
    )
    figures = {
        "loss": translation_loss_figure(curve, total_steps=settings.steps, run=run),
        "shares": shares_figure(shares, total_steps=settings.steps, run=run),
    }
    alt = learning_alt_text(curve, shares, total_steps=settings.steps)
    for place, (name, figure) in zip(st.columns(2, gap="medium"), figures.items(), strict=True):
        with place:
            if training.active:
                live_chart(figure, key=f"translator_live_{name}", alt=alt, height=HEIGHT)
            else:
                show_figure(figure, key=f"translator_{name}", alt=alt, say=False)
    if not training.active:
        show_finding(alt)
        show_table(_table(shares), key="translator_table")
    task = find_task(settings.task)
    answer = task.answer(task.cut(source))
    st.html(answers_table(source, [each.step for each in scores], training.said, answer))


def answers_table(source: str, steps: list[int], said: list[str], right: str | None) -> str:
    """The answers to one input as the model learnt, newest first."""
    rows = "".join(
        f'<tr><td style="{_CELL};text-align:right">{step}</td>'
        f'<td style="{_CELL}"><code>{html.escape(text) or "(nothing)"}</code>'
        f"</td><td>{'' if right is None else _MARK[text == right]}</td></tr>"
        for step, text in reversed(list(zip(steps, said, strict=False)))
    )
    return (
        f'<p style="margin:.5rem 0 .2rem"><b>“{html.escape(source)}”</b> after each '
        "so many steps</p>"
        '<div style="max-height:230px;overflow:auto" tabindex="0" role="region" '
        'aria-label="Answers by step">'
        f'<table style="width:auto;font-variant-numeric:tabular-nums">{rows}</table></div>'
    )


def _show_result(training: "Training") -> None:
    """Measure the learner's own model on unseen pairs, once, and show its mistakes."""
    if training.state == "failed":
        return
    measured = _measured(training)
    st.markdown(
        f"**Your model on {MEASURED} unseen inputs**, drawn after the training: "
        f"{measured.whole:.1%} right to the last sign."
    )
    show_mistakes(measured.wrong, MEASURED, label="Mistakes of your model")


def _measured(training: "Training") -> Any:
    """Measured once a training; kept with it in this session."""
    kept = st.session_state.get("translator_measured")
    if kept is None or kept[0] is not training:
        task = find_task(training.settings.task)
        pairs = task.examples(MEASURED, _SEED, unseen=True)
        kept = (training, measure_model(training.model, task, pairs))
        st.session_state["translator_measured"] = kept
    return kept[1]


def _table(shares: Shares) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "signs, teacher forcing": shares.forced,
            "signs, free running": shares.free,
            "whole answers": shares.whole,
        },
        index=pd.Index(shares.steps, name="steps"),
    ).map(lambda share: f"{share:.1%}")
