"""Inside a model that reads a text: guesses after each layer, and whom its heads look at."""

from typing import Any

import numpy as np
import streamlit as st

from llm_core.inspection.heads import attention_maps
from llm_core.inspection.lens import LensLayer, logit_lens
from pages.widgets.attention_heads import (
    choose_head,
    habits_of,
    show_arcs,
    show_habits,
    show_weights,
    take_head,
)
from pages.widgets.code_viewer import show_code
from pages.widgets.fragments import own_part
from pages.widgets.head_grid import head_grid
from pages.widgets.inspector_places import chance
from pages.widgets.inspector_reading import Sight
from pages.widgets.matrix_heatmap import matrix_heatmap
from pages.widgets.window_tables import named_table

LENS_PLACES = 20  # columns: more could not be read
LOOKING = 32  # tokens in the pictures of attention: on a phone, each has a label
GUESSES = 2
TALL = 12  # rows of a table, beyond which it scrolls in its own box
_LOOKERS = ("the token before, which predicts it", "the token itself")


def show_lens(sight: Sight, place: int) -> None:
    """How the guess for a place, and for those around it, comes about from layer to layer."""
    if place == 0:
        st.caption("Nothing predicts the first token: this begins with the second.")
    place = max(1, place)
    count = len(sight.ids)
    # In steps of half a picture: it stands still while one goes through the text.
    half = LENS_PLACES // 2
    start = max(1, min(place // half * half - half // 2, count + 1 - LENS_PLACES))
    places = tuple(range(start, min(start + LENS_PLACES, count + 1)))
    layers = _lens(sight.inspected.model, sight, sight.key, places)
    names = [_layer_name(layer.name) for layer in layers]
    column = places.index(place)
    left, right = st.columns([3, 2], gap="large")
    with left:
        shares = np.stack([_probabilities(layer) for layer in layers])
        labels = [sight.labels[p] if p < count else "…" for p in places]
        matrix_heatmap(
            shares.round(4),
            key="lens_map",
            alt=_lens_finding(sight, layers, names, column, place),
            rows=names,
            columns=labels,
            row_name="after",
            column_name="token",
            role="prediction",
            limits=(0.0, 1.0),
            numbers=False,
        )
        if len(places) < count:
            st.caption(f"Places {places[0] + 1} to {places[-1] + 1}, around the chosen one.")
    with right:
        rows = [
            _lens_row(sight, layer, name, column) for layer, name in zip(layers, names, strict=True)
        ]
        label = f"Guesses for place {place + 1}, layer by layer"
        st.markdown(f"**{label}**")
        with st.container(height=560 if len(rows) > TALL else "content", border=False):
            st.html(named_table(rows, label, left={"after", "guesses"}))
    _lens_code(sight, layers, place, column)


def _lens_row(sight: Sight, layer: LensLayer, name: str, column: int) -> dict[str, object]:
    pairs = zip(layer.ids[column].tolist(), layer.probabilities[column].tolist(), strict=True)
    guesses = " · ".join(f"“{sight.label(index)}” {share:.0%}" for index, share in pairs)
    assert layer.of_targets is not None
    return {
        "after": name,
        "guesses": guesses,
        "what came": chance(float(layer.of_targets[column])),
    }


def _lens_finding(
    sight: Sight, layers: list[LensLayer], names: list[str], column: int, place: int
) -> str:
    firsts = [int(layer.ids[column, 0]) for layer in layers]
    since = next(n for n in range(len(firsts)) if set(firsts[n:]) == {firsts[-1]})
    label = f"Place {place + 1}" if place < len(sight.ids) else "What comes next"
    guess = sight.label(firsts[-1])
    return f"{label}: the final guess, “{guess}”, is in front for good after: {names[since]}."


def _lens_code(sight: Sight, layers: list[LensLayer], place: int, column: int) -> None:
    firsts = [int(layer.ids[column, 0]) for layer in layers]
    show_code(
        logit_lens,
        key="lens",
        call=f"""{sight.code}

from llm_core.inspection.lens import logit_lens

layers = logit_lens(model, ids, places=[{place - 1}])
print([int(layer.ids[0, 0]) for layer in layers])  # {firsts}""",
    )


@own_part
def show_attention(sight: Sight, place: int) -> None:
    """All heads at a glance, and one of them: whom the token at the place looks at."""
    count = len(sight.ids)
    looks = _who_looks(place, count)
    start = 0 if count <= LOOKING else min(count - LOOKING, max(0, looks // 16 * 16 - 16))
    labels = sight.labels[start : start + LOOKING]
    maps, habits = _maps(sight.inspected.model, sight.key, sight.ids, start)
    layers, heads = maps.shape[:2]
    if len(labels) < count:
        st.caption(
            f"The pictures show places {start + 1} to {start + len(labels)}; weight on others is "
            "not in them."
        )
    left, right = st.columns(2, gap="large")
    with right:
        layer, head = choose_head(layers, heads)
        show_habits(habits)
    with left:
        head_grid(
            maps,
            chosen=(layer, head),
            key=f"heads_{layers}_{heads}",
            on_choose=take_head,
        )
    weights = maps[layer, head]
    left, right = st.columns(2, gap="large")
    with left:
        st.markdown(f"**Layer {layer + 1}, head {head + 1}**: whom place {looks + 1} looks at")
        show_arcs(labels, weights[looks - start], place=looks - start, key="arcs", first=start)
    with right:
        st.markdown("**All its weights**")
        show_weights(labels, weights, key="weights")
    largest = round(float(weights[looks - start].max()), 3)
    show_code(
        attention_maps,
        key="attention",
        call=f"""{sight.code}

from llm_core.inspection.heads import attention_maps

maps = attention_maps(model, ids)
print(tuple(maps.shape))  # {(layers, heads, count, count)}
print(round(float(maps[{layer}, {head}, {looks}, {start}:].max()), 3))  # {largest}""",
    )


def _who_looks(place: int, count: int) -> int:
    """The token whose look is shown: the one that predicts the place, or the one that is there."""
    if place == count:
        st.caption("What comes next is predicted by the last token, so that is the one that looks.")
        return count - 1
    if place == 0:
        return 0
    asked = st.radio("Who looks", _LOOKERS, key="looks", bind="query-params", horizontal=True)
    return place if asked == _LOOKERS[1] else place - 1


def _layer_name(name: str) -> str:
    return name if name == "embedding" else f"layer {int(name.removeprefix('blocks.')) + 1}"


def _probabilities(layer: LensLayer) -> np.ndarray:
    assert layer.of_targets is not None
    found: np.ndarray = layer.of_targets.numpy()
    return found


@st.cache_data(max_entries=40, show_spinner="Reading layer by layer …")
def _lens(_model: Any, _sight: Sight, key: str, places: tuple[int, ...]) -> list[LensLayer]:
    """The lens at these places; what comes after the text is the model's own guess."""
    import torch

    ids = [*_sight.ids, int(_sight.reading.guesses[-1, 0])]
    return logit_lens(
        _model,
        torch.tensor(_sight.ids),
        k=GUESSES,
        places=[place - 1 for place in places],
        targets=[ids[place] for place in places],
    )


@st.cache_data(max_entries=20, show_spinner="Reading …")
def _maps(
    _model: Any, key: str, ids: tuple[int, ...], start: int
) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """The weights (L, H, n, n) among the tokens that are shown, and the habits over all."""
    import torch

    maps = attention_maps(_model, torch.tensor(ids)).numpy()
    shown = slice(start, start + LOOKING)
    return maps[..., shown, shown].copy(), habits_of(maps)
