"""Demonstrations on attention: wide scores, what a mask hides, and what becomes of the order."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
import streamlit as st
import torch

from llm_core.inspection.attention import (
    ScoreSpread,
    score_spread,
)
from llm_core.layers.positions import SinusoidalPositions
from pages.widgets.attention_hand import Hand, head_stages
from pages.widgets.matrix_heatmap import matrix_heatmap

WIDTHS = (2, 4, 8, 16, 32, 64, 128, 256, 512)


@st.cache_data(show_spinner=False)
def spreads() -> list[ScoreSpread]:
    """`score_spread` of all widths, once for all visitors."""
    return [score_spread(width) for width in WIDTHS]


def changed_outputs(hand: Hand) -> pd.DataFrame:
    """How far each word's output moves when the last word's vector is turned round."""
    other = hand.x.clone()
    other[-1] = -other[-1]
    changed = replace(hand, x=other)
    moved = {
        name: np.abs(
            head_stages(hand, causal=causal).output - head_stages(changed, causal=causal).output
        ).max(axis=1)
        for name, causal in (("without mask", False), ("with mask", True))
    }
    table = pd.DataFrame(moved, index=pd.Index(hand.labels, name="output of"))
    return table.map(lambda move: f"{move:.3f}")


def shuffle_of(count: int, seed: int) -> list[int]:
    """An order of `count` words that is not the one they stand in."""
    order: list[int] = torch.randperm(count, generator=torch.Generator().manual_seed(seed)).tolist()
    return order[::-1] if order == sorted(order) else order


def shuffled_outputs(
    hand: Hand, order: Sequence[int], *, positions: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Outputs (T, C) in the order of the sentence, and those of the shuffled one."""

    def output(x: torch.Tensor) -> np.ndarray:
        if positions:
            x = SinusoidalPositions(d_model=hand.width)(x[None])[0]
        return head_stages(replace(hand, x=x), causal=False).output

    return output(hand.x), output(hand.x[list(order)])


def show_orders(hand: Hand, order: Sequence[int], pair: tuple[np.ndarray, np.ndarray]) -> None:
    """The two outputs side by side, their rows in the order of the words."""
    most = max(float(np.abs(output).max()) for output in pair)
    names = (hand.labels, [hand.labels[place] for place in order])
    titles = ("As you wrote it", "Shuffled")
    for place, title, labels, output in zip(
        st.columns(2, gap="medium"), titles, names, pair, strict=True
    ):
        with place:
            st.markdown(f"**{title}**")
            matrix_heatmap(
                output,
                key=f"order_{title[:2]}",
                alt=f"Outputs of the words in the order {' '.join(labels)}.",
                rows=labels,
                columns=[str(n) for n in range(hand.width)],
                row_name="word",
                column_name="number",
                role="value",
                diverging=True,
                limits=(-most, most),
                say=False,
            )
