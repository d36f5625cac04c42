"""A stage of attention as a matrix, with the sum behind the cell that is chosen."""

import html
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import streamlit as st

from pages.figures.palette import ROLES
from pages.widgets.attention_hand import Stages
from pages.widgets.matrix_heatmap import matrix_heatmap

Explain = Callable[[int, int], str]
_STYLE = (
    "margin:0;font-size:.95rem;line-height:1.9;overflow-wrap:anywhere;"
    "font-variant-numeric:tabular-nums"
)


def number(value: float) -> str:
    """A number to three decimals, with a real minus."""
    return f"{round(float(value), 3) + 0:g}".replace("-", "−")


def coloured(text: str, role: str) -> str:
    """A piece of a formula with a line in its role's colour under it."""
    safe = html.escape(text)
    return f'<span style="border-bottom:3px solid {ROLES[role]}">{safe}</span>'


def show_cells(
    values: Any,
    explain: Explain,
    *,
    key: str,
    alt: str,
    rows: Sequence[str],
    columns: Sequence[str],
    role: str,
    start: tuple[int, int] = (0, 0),
    beside: bool = True,
    **options: Any,
) -> None:
    """Show a matrix, and how the chosen cell came about; `start` until one is chosen.

    beside: does the explanation stand beside the matrix, where there is room, or below it?
    """
    left, right = st.columns(2, gap="medium") if beside else (st.container(), st.container())
    with left:
        cell = matrix_heatmap(
            values, key=key, alt=alt, rows=rows, columns=columns, role=role, say=False, **options
        )
    with right:
        st.caption("The cell that you chose:" if cell else "One cell; choose any other:")
        st.html(f'<p style="{_STYLE}">{explain(*(cell or start))}</p>')


def product_cell(
    left: np.ndarray, right: np.ndarray, names: tuple[str, str], roles: tuple[str, str]
) -> str:
    """The dot product of two vectors, spelled out: `a · b = 0.3·0.8 + … = 0.71`."""
    terms = " + ".join(
        f"{coloured(_factor(a), roles[0])}·{coloured(_factor(b), roles[1])}"
        for a, b in zip(left, right, strict=True)
    )
    head = f"{coloured(names[0], roles[0])} · {coloured(names[1], roles[1])}"
    return f"<b>{head}</b> = {terms} = <b>{number(left @ right)}</b>"


def projected_cell(
    x: np.ndarray,
    weights: np.ndarray,
    labels: Sequence[str],
    *,
    letter: str,
    role: str,
    source: str = "x",
    source_role: str = "train",
) -> Explain:
    """Explain a number that a matrix W makes: a word's vector times a column of W.

    letter: of what is made, with its role; source: what goes in, with its own.
    """

    def explain(row: int, column: int) -> str:
        names = (f"{source}({labels[row]})", f"column {column} of W_{letter}")
        return f"{letter}({html.escape(labels[row])})[{column}] = " + product_cell(
            x[row], weights[:, column], names, (source_role, role)
        )

    return explain


def score_cell(stages: Stages, labels: Sequence[str], letters: str = "qk") -> Explain:
    """Explain an unscaled score: a query times a key."""

    def explain(row: int, column: int) -> str:
        names = (f"{letters[0]}({labels[row]})", f"{letters[1]}({labels[column]})")
        return product_cell(stages.q[row], stages.k[column], names, ("query", "key"))

    return explain


def scaled_cell(stages: Stages, labels: Sequence[str]) -> Explain:
    """Explain a scaled score, or why there is none."""

    def explain(row: int, column: int) -> str:
        pair = f"{html.escape(labels[row])} → {html.escape(labels[column])}"
        if stages.masked[row, column] == -np.inf:
            return (
                f"<b>{pair}</b>: {html.escape(labels[column])} comes later, so the score "
                f"{number(stages.scores[row, column])} is replaced by <b>−∞</b>"
            )
        d_head = stages.q.shape[1]
        return (
            f"<b>{pair}</b> = {number(stages.products[row, column])} / √{d_head} = "
            f"<b>{number(stages.scores[row, column])}</b>"
        )

    return explain


def weight_cell(stages: Stages, labels: Sequence[str], *, from_q: bool = False) -> Explain:
    """Explain a weight: softmax over the row; `from_q`, with the score spelled out as well."""

    def explain(row: int, column: int) -> str:
        scores = stages.masked[row]
        powers = np.exp(scores)
        sums = " + ".join(number(power) for power in powers)
        pair = f"{html.escape(labels[row])} → {html.escape(labels[column])}"
        score = "−∞" if scores[column] == -np.inf else number(scores[column])
        before = ""
        if from_q:
            product = score_cell(stages, labels)(row, column)
            before = f"{product}<br>{scaled_cell(stages, labels)(row, column)}<br>"
        return before + (
            f"<b>{pair}</b> = exp({score}) / (sum of the row's exp) = "
            f"{number(powers[column])} / ({sums}) = "
            f"<b>{coloured(number(stages.weights[row, column]), 'attention')}</b>"
        )

    return explain


def output_cell(stages: Stages, labels: Sequence[str]) -> Explain:
    """Explain a number of the output: values, mixed by the row's weights."""

    def explain(row: int, column: int) -> str:
        name = f"output({labels[row]})[{column}]"
        values = f"values[{column}]"
        return f"<b>{html.escape(name)}</b> = " + product_cell(
            stages.weights[row],
            stages.v[:, column],
            (f"weights of {labels[row]}", values),
            ("attention", "value"),
        )

    return explain


def strongest(weights: np.ndarray, labels: Sequence[str]) -> str:
    """The main finding of a matrix of weights in a sentence."""
    row, column = np.unravel_index(np.argmax(weights), weights.shape)
    return (
        f"The largest weight is {number(weights[row, column])}: “{labels[row]}” "
        f"looks at “{labels[column]}”."
    )


def _factor(value: float) -> str:
    text = number(value)
    return f"({text})" if text.startswith("−") else text
