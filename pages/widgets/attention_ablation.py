"""What a trained model says next without one of its heads."""

import numpy as np
import streamlit as st

from llm_core.inspection.heads import next_token_probabilities
from pages.figures.distribution import percent, top_outcomes
from pages.widgets.attention_real import RealText, label
from pages.widgets.code_viewer import show_code
from pages.widgets.distribution import show_distribution
from pages.widgets.matrix_heatmap import matrix_heatmap


def take_away(chosen: tuple[RealText, int, int]) -> None:
    """What the model says next, with the head and without it."""
    found, layer, head = chosen
    before = _probabilities(found, found.name, found.ids, ())
    after = _probabilities(found, found.name, found.ids, ((layer, head),))
    winner = int(before.argmax())
    columns = st.columns(2, gap="large")
    names = ("With all heads", f"Without head {head + 1} of layer {layer + 1}")
    for number, (column, name) in enumerate(zip(columns, names, strict=True)):
        probabilities = (before, after)[number]
        with column:
            st.markdown(f"**{name}**")
            best, tail = top_outcomes(probabilities, 5)
            show_distribution(
                [label(found.name, index) for index in best],
                [float(probabilities[index]) for index in best],
                key=f"next_{number}",
                tail=tail,
            )
    st.markdown(
        f"**{label(found.name, winner)}** goes from {percent(float(before[winner]))} to "
        f"{percent(float(after[winner]))}."
    )
    if found.name == "tiny":
        _show_all_ablations(found, winner, float(before[winner]))
    show_code(
        next_token_probabilities,
        key="ablate",
        call=f"""{found.code}

from llm_core.inspection.heads import next_token_probabilities

before = next_token_probabilities(model, ids)
after = next_token_probabilities(model, ids, without=[({layer}, {head})])
print(round(float(before[{winner}]), 3))  # {round(float(before[winner]), 3)}
print(round(float(after[{winner}]), 3))  # {round(float(after[winner]), 3)}""",
    )


def _show_all_ablations(found: RealText, winner: int, before: float) -> None:
    layers, heads = found.maps.shape[:2]
    changes = [
        [
            float(_probabilities(found, found.name, found.ids, ((layer, head),))[winner]) - before
            for head in range(heads)
        ]
        for layer in range(layers)
    ]
    worst = np.unravel_index(np.argmin(changes), (layers, heads))
    matrix_heatmap(
        100 * np.array(changes),
        key="ablations",
        alt=f"Each head taken away alone: how many percentage points {label(found.name, winner)} "
        f"gains or loses. It needs head {worst[1] + 1} of layer {worst[0] + 1} most.",
        rows=[f"layer {n + 1}" for n in range(layers)],
        columns=[f"head {n + 1}" for n in range(heads)],
        row_name="layer",
        column_name="head",
        diverging=True,
    )


@st.cache_data(max_entries=400, show_spinner=False)
def _probabilities(
    _found: RealText, name: str, ids: tuple[int, ...], without: tuple[tuple[int, int], ...]
) -> np.ndarray:
    import torch

    return next_token_probabilities(_found.model, torch.tensor(ids), without=without).numpy()
