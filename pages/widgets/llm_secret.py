"""A secret in a training text: told again after enough training, and what keeps it in."""

import threading
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from llm_core.training.memorisation import (
    ASKED,
    SECRET,
    TALES,
    Measured,
    PlantedSecret,
    Recall,
    measured_recalls,
    plant,
    secret_ids,
)
from pages.figures.foundations import Recalled, recall_figure
from pages.widgets.code_viewer import show_code
from pages.widgets.figure import show_figure
from pages.widgets.fragments import own_part
from pages.widgets.view import current_view
from pages.widgets.window_tables import named_table

_KEPT = "_planted"  # in the session: the settings and the recalls of the last training here
_WORDS = 515  # different tokens that occur in the tales


@st.cache_resource(show_spinner=False)
def _turn() -> threading.Lock:
    """One training at a time a server."""
    return threading.Lock()


@own_part
def plant_a_secret() -> None:
    """Measured curves at once; a training of the learner's own on request."""
    left, middle, right = st.columns([2, 1, 1], gap="medium")
    secret = left.text_input(
        "The secret",
        SECRET,
        key="secret",
        bind="query-params",
        max_chars=40,
        help="The tiny GPT knows the words of the tales best; others take more tokens.",
    )
    times = int(
        middle.slider("Times it stands in the text", 1, 32, 8, key="times", bind="query-params")
    )
    steps = int(
        right.slider("Steps of training", 10, 150, 100, 10, key="steps", bind="query-params")
    )
    planted = PlantedSecret(secret=secret, repetitions=times, steps=steps)
    _check(planted)
    st.caption(f"Planted {times} times among {TALES} new tales: “{planted.sentence}”")
    pressed = current_view() != "print" and st.button(
        "Train on it (some seconds)", key="plant", type="primary", icon=":material/model_training:"
    )
    recalls = _train(planted) if pressed else _last(planted)
    _show(planted, recalls)
    _code()


def _check(planted: PlantedSecret) -> None:
    """Refuse a secret that is too long for the tiny GPT, in a sentence."""
    secret_ids(planted, _tiny()[1])


def _tiny() -> Any:
    import torch

    from llm_core.pretrained.registry import load

    torch.set_num_threads(1)  # a model this small only waits for a second thread
    return load("tiny")


def _last(planted: PlantedSecret) -> list[Recall]:
    settings, recalls = st.session_state.get(_KEPT, (None, []))
    return list(recalls) if settings == planted else []


def _train(planted: PlantedSecret) -> list[Recall]:
    """Train while the learner looks on; nothing is kept of a training that is interrupted."""
    if not _turn().acquire(blocking=False):
        raise ValueError("Somebody else is training here just now: try again in some seconds.")
    bar = st.progress(0.0, text="Training …")
    recalls = []
    try:
        for recall in plant(planted, *_tiny()):
            recalls.append(recall)
            bar.progress(
                recall.step / planted.steps,
                text=f"Step {recall.step} of {planted.steps}: asked, it says “{recall.told}”",
            )
    finally:
        _turn().release()
        bar.empty()
    st.session_state[_KEPT] = (planted, recalls)
    return recalls


def _show(planted: PlantedSecret, recalls: list[Recall]) -> None:
    """The curves, and what each training told."""
    if recalls:
        last = recalls[-1]
        told = last.told == planted.secret.strip()
        first = next((each.step for each in recalls if each.told == planted.secret.strip()), None)
        verdict = "**It tells your secret**" if told else "It does not tell your secret"
        since = "" if first is None else f" (word for word for the first time after {first} steps)"
        st.markdown(
            f"Asked “{ASKED} …”, after {last.step} steps the model says: "
            f"“**{_plain(last.told)}**”. {verdict}{since}."
        )
    measured = measured_recalls()
    curves = [Recalled(f"{each.repetitions}×", each.steps, each.bits) for each in measured]
    if recalls:
        curves.append(
            Recalled(
                f"yours, {planted.repetitions}×",
                [each.step for each in recalls],
                [each.bits for each in recalls],
                live=True,
            )
        )
    blind = 4 * float(np.log2(_WORDS))
    show_figure(
        recall_figure(curves, blind=blind, blind_name="four words at random"),
        key="recall",
        alt=_said(measured, blind),
        table=_curves_table(curves),
    )
    st.html(named_table([_row(each) for each in measured], "What keeps the secret in"))
    st.caption(
        "Means of three trainings each, with other secrets and other seeds: "
        "`python benchmarks/planted_secret.py --repetitions 8` measures one row again."
    )


def _plain(text: str) -> str:
    """What a model says, safe inside of Markdown."""
    from pages.widgets.glossary import literal

    return literal(text.replace("\n", " "))


def _said(measured: tuple[Measured, ...], blind: float) -> str:
    rarest, most = measured[0], measured[-1]
    return (
        f"Four random words are worth {blind:.0f} bits. After {most.steps[-1]} steps, a secret "
        f"that stood {most.repetitions} times in the text is worth {most.bits[-1]:.1f}: the model "
        f"says it when asked. One that stood there once still has {rarest.bits[-1]:.1f}."
    )


def _row(each: Measured) -> dict[str, object]:
    half = each.steps.index(50)
    return {
        "times in the text": each.repetitions,
        "bits after 50 steps": float(each.bits[half]),
        "told after 50": f"{each.told[half]} of {each.trainings}",
        "bits after 100 steps": float(each.bits[-1]),
        "told after 100": f"{each.told[-1]} of {each.trainings}",
        "held-out loss, start": float(each.validation_loss[0]),
        "after 100 steps": float(each.validation_loss[-1]),
    }


def _curves_table(curves: list[Recalled]) -> pd.DataFrame:
    columns = {
        each.name: pd.Series([f"{bits:.2f}" for bits in each.bits], index=list(each.steps))
        for each in curves
    }
    return pd.DataFrame(columns).fillna("").rename_axis("step")


def _code() -> None:
    measured = measured_recalls()[-1]
    show_code(
        PlantedSecret.text.fget,  # type: ignore[attr-defined]
        plant,
        key="secret",
        call=f"""import torch

from llm_core.pretrained.registry import load
from llm_core.training.memorisation import PlantedSecret, measured_recalls, plant

torch.set_num_threads(1)
model, tokenizer = load("tiny")
first = next(plant(PlantedSecret(repetitions=16), model, tokenizer))
print(repr(first.told))  # {_first_told()!r}
print(measured_recalls()[-1].bits[-1])  # {measured.bits[-1]}""",
    )


@st.cache_data(show_spinner=False)
def _first_told() -> str:
    """What the tiny GPT says before it has learnt anything of a secret."""
    return next(plant(PlantedSecret(repetitions=16), *_tiny())).told
