"""The heads of a model that was trained: choose one, what it does most, whom its tokens look at."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import streamlit as st

from pages.figures.attention import arcs_figure
from pages.widgets.figure import show_figure
from pages.widgets.matrix_heatmap import matrix_heatmap

HABITS = {
    "first": "rests on the first token",
    "previous": "looks one token back",
    "itself": "stays on the token itself",
}


def choose_head(layers: int, heads: int) -> tuple[int, int]:
    """Ask for a layer and a head, counted from 1; return them counted from 0."""
    with st.container(horizontal=True):
        return _number("Layer", layers), _number("Head", heads)


def take_head(layer: int, head: int) -> None:
    """Go to a head. A callback."""
    st.session_state["layer"], st.session_state["head"] = layer + 1, head + 1


def habits_of(maps: np.ndarray) -> dict[str, np.ndarray]:
    """Measure from maps (L, H, T, T) what heads are known to do: by habit, its weight (L, H)."""
    import torch

    from llm_core.inspection.heads import head_habits

    habits = head_habits(torch.from_numpy(maps))
    return {name: getattr(habits, name).numpy() for name in HABITS}


def show_habits(habits: Mapping[str, np.ndarray]) -> None:
    """Say which heads do most of what heads are known to do, as `habits_of` measured it."""
    for name, said in HABITS.items():
        show_record(habits[name], said, key=name)


def show_record(measured: np.ndarray, said: str, *, key: str) -> None:
    """Name the head for which measured (L, H), a share of its weight, is largest."""
    layer, head = (int(n) for n in np.unravel_index(measured.argmax(), measured.shape))
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.button(
            f"Layer {layer + 1}, head {head + 1}",
            key=f"record_{key}",
            on_click=take_head,
            args=(layer, head),
        )
        st.markdown(f"{said}: **{measured[layer, head]:.0%}** of its weight")


def show_arcs(
    labels: Sequence[str], weights: np.ndarray, *, place: int, key: str, first: int = 0
) -> None:
    """Draw whom the token at `place` of these (T,) looks at; `first` is the first one's place."""
    most = int(weights.argmax())
    said = (
        f"“{labels[place]}” (place {first + place + 1}) looks most at “{labels[most]}” "
        f"(place {first + most + 1}), with {weights[most]:.0%} of its weight."
    )
    show_figure(
        arcs_figure(labels, weights.tolist(), query=place),
        key=key,
        alt=said,
        table=pd.DataFrame({"token": labels, "weight": [f"{weight:.4f}" for weight in weights]}),
    )


def show_weights(labels: Sequence[str], weights: np.ndarray, *, key: str) -> None:
    """Show a head's weights (T, T): who looks, and who is looked at."""
    matrix_heatmap(
        np.where(np.tril(np.ones_like(weights)) > 0, weights, -np.inf).round(4),
        key=key,
        alt="Each row is a token that looks, each column one that is looked at.",
        rows=labels,
        columns=labels,
        row_name="query",
        column_name="key",
        limits=(0.0, 1.0),
        numbers=False,
    )


def _number(name: str, count: int) -> int:
    key = name.lower()
    if st.session_state.get(key, 1) > count:  # the model before had more
        st.session_state[key] = count
    return int(st.number_input(name, 1, count, key=key, bind="query-params", width=130)) - 1
