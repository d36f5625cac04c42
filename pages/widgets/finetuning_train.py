"""Fine-tune a classifier on the page: its curves, then its mistakes, and all that was tried."""

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import streamlit as st

from llm_core.finetuning.settings import TRAINED, FinetuneSettings
from pages.figures.curve import Curve
from pages.figures.finetuning import HEIGHT, learning_alt_text, loss_figure, share_figure
from pages.widgets.figure import show_figure, show_finding, show_table
from pages.widgets.finetuning_kept import record_as_run, show_run_of
from pages.widgets.finetuning_texts import Chosen, examples_table, limited, rows_table
from pages.widgets.live_chart import live_chart
from pages.widgets.live_training import (
    state_caption,
    training_buttons,
    watch_training,
)
from pages.widgets.matrix_heatmap import matrix_heatmap
from pages.widgets.model_request import requested_model
from pages.widgets.view import current_view

if TYPE_CHECKING:
    from llm_core.finetuning.trainings import ClassifierTraining

NAME = "classifier"
_TRIED = "finetuning_tried"  # in the session: a row for each training that has ended
_STARTS = {"pretrained": None, "random": 0}
_MODELS = ("our tiny GPT", "SmolLM2")
_LARGE_RATE = 3e-3  # of a head on SmolLM2's wider vectors
_LARGE_TEXTS, _LARGE_UNSEEN = 200, 100
_MOST_TRIED = 12
_MOST_SHOWN = 30  # texts of a cell


def train_classifier(chosen: Chosen) -> None:
    """Choose what is trained, train it, and look on."""
    left, right = st.columns(2, gap="large")
    large = _choose_model(left)
    trained, start = ("head", "pretrained") if large else _choose_way(left, right)
    with right:
        steps = int(
            st.slider("Steps of 16 texts", 20, 300, 100, 20, key="tune_steps", bind="query-params")
        )
        if large:
            st.caption(
                "Of SmolLM2, which all visitors share, only a new head learns. First it reads each "
                f"text once, which takes longest: at most {_LARGE_TEXTS} to learn from, and "
                f"{_LARGE_UNSEEN} that are only measured on."
            )
    if current_view() == "print" or (large and requested_model("smollm2", key="_sort") is None):
        return
    settings = FinetuneSettings(
        trained=trained,
        steps=steps,
        learning_rate=_LARGE_RATE if large else None,
        score_interval=max(5, steps // 12),
    )
    training_buttons(NAME, "Fine-tune it", lambda: _make(settings, chosen, start, large=large))
    watch_training(NAME, _show, _ended)


def _choose_model(place: Any) -> bool:
    """Ask which model learns to sort: is it the large one?"""
    model = place.radio("The model", _MODELS, key="sorter", bind="query-params", horizontal=True)
    return bool(model == _MODELS[1])


def _choose_way(left: Any, right: Any) -> tuple[str, str]:
    """Ask which weights of the tiny GPT learn, and what they are before."""
    trained = left.radio(
        "What learns",
        list(TRAINED),
        3,
        format_func=lambda each: TRAINED[each][0],
        key="trained",
        bind="query-params",
    )
    start = right.radio(
        "It begins with",
        list(_STARTS),
        format_func=lambda each: f"{each} weights",
        key="begins",
        bind="query-params",
        horizontal=True,
    )
    return trained, start


def _make(
    settings: FinetuneSettings, chosen: Chosen, start: str, *, large: bool
) -> "ClassifierTraining":
    from llm_core.finetuning.trainings import ClassifierTraining

    if large:
        chosen = limited(chosen, _LARGE_TEXTS, _LARGE_UNSEEN)
    work = ClassifierTraining(settings, chosen.texts, None if large else _STARTS[start], large)
    record_as_run(work, chosen.title.split(":")[0])
    st.session_state["_chosen_classifier"] = chosen  # what it learns, whatever is chosen next
    return work


def _show(work: "ClassifierTraining", run: str) -> None:
    """Progress, numbers and curves."""
    chosen: Chosen = st.session_state["_chosen_classifier"]
    settings, losses, scores = work.settings, list(work.losses), list(work.scores)
    done = losses[-1].step if losses else 0
    _progress(work, done)
    with st.container(horizontal=True):
        st.metric(f"Step, of {settings.steps}", f"{done}", width=140)
        st.metric("Loss", f"{losses[-1].loss:.3f}" if losses else "–", width=140)
        st.metric("Unseen texts right", f"{scores[-1].accuracy:.1%}" if scores else "–", width=180)
        st.metric("Numbers trained", f"{work.numbers:,}" if work.numbers else "–", width=170)
        st.metric("Seconds of training", f"{losses[-1].seconds:.1f}" if losses else "–", width=180)
    st.caption(f"{chosen.title} {state_caption(work, done)}")
    show_run_of(work)
    curve = Curve([each.step for each in losses], [each.loss for each in losses])
    steps, shares = [each.step for each in scores], [each.accuracy for each in scores]
    total = settings.steps
    figures = {
        "loss": loss_figure(curve, total_steps=total, run=run),
        "shares": share_figure(steps, shares, chosen.landmarks, total_steps=total, run=run),
    }
    alt = learning_alt_text(curve, steps, shares, chosen.landmarks, total_steps=total)
    for place, (name, figure) in zip(st.columns(2, gap="medium"), figures.items(), strict=True):
        with place:
            if work.active:
                live_chart(figure, key=f"tuning_live_{name}", alt=alt, height=HEIGHT)
            else:
                show_figure(figure, key=f"tuning_{name}", alt=alt, say=False)
    if not work.active:
        show_finding(alt)
        show_table(_scores_table(work), key="tuning_table")


def _progress(work: "ClassifierTraining", done: int) -> None:
    """How far it is: in steps, or before those in texts that a frozen body has read."""
    read = work.read
    if work.active and read is not None and read.done < read.total:
        left = work.seconds / read.done * (read.total - read.done)
        st.progress(
            read.done / read.total,
            text=f"It reads each text once: {read.done} of {read.total}, about {left:.0f} s to go",
        )
    else:
        st.progress(min(1.0, done / work.settings.steps))


def _ended(work: "ClassifierTraining") -> None:
    """Its mistakes, a text of one's own, and what was tried so far."""
    chosen: Chosen = st.session_state["_chosen_classifier"]
    if not work.scores:
        return
    _note(work, chosen)
    _confusion(work)
    _own_text(work)
    tried = st.session_state[_TRIED]
    st.markdown("**What you have tried**, newest first:")
    rows_table(
        [row for _, row in reversed(tried)], "What you have tried", ("task", "learnt", "from")
    )


@st.fragment
def _confusion(work: "ClassifierTraining") -> None:
    labels, score = work.texts.labels, work.scores[-1]
    counts = np.array(score.confusion)
    wrong = int(counts.sum() - counts.trace())
    alt = f"{wrong} of {counts.sum()} unseen texts are wrong."
    if wrong:
        off = counts - np.diag(np.diag(counts))
        row, column = np.unravel_index(off.argmax(), off.shape)
        alt += (
            f" The commonest mistake: “{labels[column]}” for what is “{labels[row]}”, "
            f"{off[row, column]} times."
        )
    st.markdown("**Confusions.** Choose a cell to read its texts.")
    cell = matrix_heatmap(
        counts,
        key="confusion",
        alt=alt,
        rows=list(labels),
        columns=list(labels),
        row_name="true label",
        column_name="it says",
        role="prediction",
    )
    if cell is not None:
        texts = tuple(
            each
            for each, said in zip(work.texts.test, score.said, strict=True)
            if (each.label, said) == cell
        )
        st.caption(f"{len(texts)} texts are “{labels[cell[0]]}”, and it says “{labels[cell[1]]}”.")
        if texts:
            st.html(examples_table(texts[:_MOST_SHOWN], labels, "Texts of the chosen cell"))


@st.fragment
def _own_text(work: "ClassifierTraining") -> None:
    text = st.text_input(
        "A text of your own for it", work.texts.test[0].text, key="own_sorted", max_chars=600
    ).strip()
    if not text:
        st.caption("Write something, and it will say what it is.")
        return
    shares = work.judge(text)
    best = int(np.argmax(shares))
    st.markdown(f"It says **{work.texts.labels[best]}**, with a probability of {shares[best]:.1%}.")


def _note(work: "ClassifierTraining", chosen: Chosen) -> None:
    """Keep a row for this training, once."""
    tried: list[tuple[Any, dict[str, object]]] = st.session_state.setdefault(_TRIED, [])
    run = st.session_state[f"_run_{NAME}"]
    if tried and tried[-1][0] == run:
        return
    score = work.scores[-1]
    row: dict[str, object] = {
        "task": chosen.title.split(":")[0],
        "texts": len(work.texts.train),
        "from": "random" if work.start == 0 else "SmolLM2" if work.large else "pretrained",
        "learnt": TRAINED[work.settings.trained][0],
        "numbers": work.numbers,
        "steps": score.step,
        "right": f"{score.accuracy:.1%}",
        "loss on tales": _forgotten(score.pretraining_loss),
    }
    tried.append((run, row))
    del tried[:-_MOST_TRIED]


def _scores_table(work: "ClassifierTraining") -> pd.DataFrame:
    return pd.DataFrame(
        {
            "right": [f"{each.accuracy:.1%}" for each in work.scores],
            "loss": [f"{each.loss:.3f}" for each in work.scores],
            "loss on tales": [_forgotten(each.pretraining_loss) for each in work.scores],
        },
        index=pd.Index([each.step for each in work.scores], name="steps"),
    )


def _forgotten(loss: float | None) -> str:
    """A frozen model that everybody shares forgets nothing: that is not measured."""
    return "unchanged" if loss is None else f"{loss:.3f}"
