"""The stages of attention, one at a time, under a slider: simplified, trained, causal, in heads."""

from collections.abc import Callable, Sequence

import numpy as np
import streamlit as st

from pages.widgets.attention_cells import (
    number,
    output_cell,
    projected_cell,
    scaled_cell,
    score_cell,
    show_cells,
    strongest,
    weight_cell,
)
from pages.widgets.attention_hand import Hand, Stages, head_stages, multi_head, simple_stages
from pages.widgets.stepper import stepper
from pages.widgets.view import current_view

Draw = Callable[[], None]
WORDS = {"row_name": "query", "column_name": "key"}


def step_through(stages: dict[str, Draw], *, key: str) -> None:
    """Show the stage that a stepper stands at, and the names of all; on paper, all of them."""
    names = list(stages)
    if current_view() == "print":
        for place, name in enumerate(names):
            st.markdown(f"**{place + 1}. {name}**")
            stages[name]()
        return
    at = stepper(len(names), key=key, label="Stage")
    st.markdown(
        " → ".join(f"**:primary[{n}]**" if place == at else n for place, n in enumerate(names))
    )
    stages[names[at]]()


def show_simple(hand: Hand) -> Stages:
    """Attention without any weights, in three stages."""
    stages, labels = simple_stages(hand), hand.labels

    def scores() -> None:
        show_cells(
            stages.products,
            score_cell(stages, labels, "xx"),
            key="simple_scores",
            alt="Every word's vector times every other: the matrix is its own mirror image.",
            rows=labels,
            columns=labels,
            role="attention",
            diverging=True,
            **WORDS,
        )

    step_through(
        {
            "Scores x·x": scores,
            "Softmax": lambda: _weights(stages, labels, "simple"),
            "Weighted sum": lambda: _output(stages, labels, "simple"),
        },
        key="simple",
    )
    return stages


def show_trained(hand: Hand) -> Stages:
    """One head with weight matrices, in five stages."""
    stages, labels = head_stages(hand, causal=False), hand.labels
    step_through(
        {
            "Queries, keys, values": lambda: _projections(hand, stages),
            "Scores q·k": lambda: _scores(stages, labels, "trained"),
            "Scale": lambda: _scaled(stages, labels, "trained"),
            "Softmax": lambda: _weights(stages, labels, "trained"),
            "Weighted sum": lambda: _output(stages, labels, "trained"),
        },
        key="stage",
    )
    return stages


def show_causal(hand: Hand) -> Stages:
    """The same head behind a causal mask, in three stages."""
    stages, labels = head_stages(hand, causal=True), hand.labels
    step_through(
        {
            "Scale and mask": lambda: _scaled(stages, labels, "causal"),
            "Softmax": lambda: _weights(stages, labels, "causal"),
            "Weighted sum": lambda: _output(stages, labels, "causal"),
        },
        key="causal",
    )
    return stages


def show_heads(hand: Hand, n_heads: int) -> np.ndarray:
    """The weights of each head, and what all write together."""
    heads, output = multi_head(hand, n_heads)
    labels = hand.labels
    for left in range(0, n_heads, 2):
        for place, head in zip(st.columns(2, gap="medium"), range(left, n_heads), strict=False):
            with place:
                st.markdown(f"**Head {head}**: numbers {_slice(hand.width, n_heads, head)}")
                _weights(heads[head], labels, f"head_{n_heads}_{head}", alone=False)
    st.markdown("**All heads' outputs side by side, times W_o**")
    gathered = np.concatenate([stages.output for stages in heads], axis=1)
    show_cells(
        output,
        projected_cell(
            gathered,
            hand.w_o.numpy(),
            labels,
            letter="o",
            role="prediction",
            source="heads",
            source_role="value",
        ),
        key="heads_output",
        alt=f"What {n_heads} heads write together: as many numbers a word as went in.",
        rows=labels,
        columns=[str(n) for n in range(hand.width)],
        role="prediction",
        diverging=True,
        row_name="word",
        column_name="number",
    )
    return output


def _slice(width: int, n_heads: int, head: int) -> str:
    size = width // n_heads
    first = head * size
    return f"{first}" if size == 1 else f"{first} to {first + size - 1}"


def _projections(hand: Hand, stages: Stages) -> None:
    x = hand.x.numpy()
    named = (
        ("q", "query", "Queries q = x·W_q", stages.q, hand.w_q),
        ("k", "key", "Keys k = x·W_k", stages.k, hand.w_k),
        ("v", "value", "Values v = x·W_v", stages.v, hand.w_v),
    )
    many = hand.width > 4
    places = [st.container() for _ in named] if many else st.columns(3, gap="medium")
    for place, (letter, role, title, values, weights) in zip(places, named, strict=True):
        with place:
            st.markdown(f"**{title}**")
            show_cells(
                values,
                projected_cell(x, weights.numpy(), hand.labels, letter=letter, role=role),
                beside=False,
                key=f"projected_{letter}",
                alt=f"{title}: one row a word.",
                rows=hand.labels,
                columns=[str(n) for n in range(hand.width)],
                role=role,
                diverging=True,
                row_name="word",
                column_name="number",
            )


def _scores(stages: Stages, labels: Sequence[str], key: str) -> None:
    show_cells(
        stages.products,
        score_cell(stages, labels),
        key=f"{key}_scores",
        alt="How well each query matches each key.",
        rows=labels,
        columns=labels,
        role="attention",
        start=(1, 0),
        diverging=True,
        **WORDS,
    )


def _scaled(stages: Stages, labels: Sequence[str], key: str) -> None:
    low, high = np.abs(stages.products).min(), np.abs(stages.products).max()
    show_cells(
        stages.masked,
        scaled_cell(stages, labels),
        key=f"{key}_scaled",
        alt=f"All scores divided by √{stages.q.shape[1]}: the same pattern, less extreme.",
        rows=labels,
        columns=labels,
        role="attention",
        start=(1, 0),
        diverging=True,
        limits=(-high, high) if low < high else None,
        masked="−∞: comes later",
        **WORDS,
    )


def _weights(stages: Stages, labels: Sequence[str], key: str, *, alone: bool = True) -> None:
    show_cells(
        stages.weights,
        weight_cell(stages, labels, from_q=not alone),
        beside=alone,
        key=f"{key}_weights",
        alt=f"Each row sums to 1. {strongest(stages.weights, labels)}",
        rows=labels,
        columns=labels,
        role="attention",
        start=(1, 0),
        limits=(0, 1),
        **WORDS,
    )


def _output(stages: Stages, labels: Sequence[str], key: str) -> None:
    show_cells(
        stages.output,
        output_cell(stages, labels),
        key=f"{key}_output",
        alt=f"One new vector a word; the first number of “{labels[-1]}” is "
        f"{number(stages.output[-1, 0])}.",
        rows=labels,
        columns=[str(n) for n in range(stages.output.shape[1])],
        role="value",
        start=(1, 0),
        diverging=True,
        row_name="word",
        column_name="number",
    )
