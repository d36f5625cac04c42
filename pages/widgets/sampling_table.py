"""Tokens as rows, what becomes of their scores as columns: a table that draws its own bars.

HTML rather than a figure: it is read out cell by cell, and scrolls in its own box. No Streamlit.
"""

import html
import math
from collections.abc import Sequence
from dataclasses import dataclass

from pages.figures.distribution import percent
from pages.figures.palette import PREDICTION

_CELL = "border:1px solid rgba(128,128,128,.4);padding:.2rem .55rem;white-space:nowrap"


@dataclass(frozen=True)
class Column:
    """A stage: its name, a number for each token, and what it leaves of all other tokens.

    A token that was cut off has -inf. shares: are the numbers probabilities, to be drawn as bars?
    """

    name: str
    cells: tuple[float, ...]
    others: str
    shares: bool = False


def stage_table(
    labels: Sequence[str],
    columns: Sequence[Column],
    *,
    tail_label: str,
    chosen: int | None,
    label: str,
) -> str:
    """One row a token, one column a stage, and a last row for all other tokens together.

    chosen: the row whose token was drawn; label: what the table is, for those who do not see it.
    """
    head = f'<th scope="col" style="{_CELL};text-align:left">token</th>' + "".join(
        f'<th scope="col" style="{_CELL};text-align:right">{html.escape(column.name)}</th>'
        for column in columns
    )
    rows = ""
    for place, name in enumerate(labels):
        mark = " ◂ drawn" if place == chosen else ""
        cut = math.isinf(columns[-2].cells[place])
        rows += (
            f'<tr><th scope="row" style="{_CELL};text-align:left;font-weight:'
            f'{700 if mark else 400}{";text-decoration:line-through" if cut else ""}">'
            f"{html.escape(name)}{mark}</th>"
            + "".join(_cell(column, place) for column in columns)
            + "</tr>"
        )
    rows += (
        f'<tr><th scope="row" style="{_CELL};text-align:left;font-weight:400">'
        f"<i>{html.escape(tail_label)}</i></th>"
        + "".join(
            f'<td style="{_CELL};text-align:right"><i>{html.escape(column.others)}</i></td>'
            for column in columns
        )
        + "</tr>"
    )
    return (
        '<div style="overflow-x:auto" tabindex="0" role="region" '
        f'aria-label="{html.escape(label)}">'
        '<table style="border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums">'
        f"<tr>{head}</tr>{rows}</table></div>"
    )


def _cell(column: Column, place: int) -> str:
    number = column.cells[place]
    style = f"{_CELL};text-align:right"
    if not column.shares:
        text = "cut off" if math.isinf(number) else f"{number:.2f}"
        return f'<td style="{style}{";opacity:.75" if math.isinf(number) else ""}">{text}</td>'
    top = max(column.cells) or 1.0
    wide = 100 * number / top
    style += (
        f";min-width:7rem;background:linear-gradient(to right, {PREDICTION}59 {wide:.1f}%, "
        f"transparent {wide:.1f}%)"
    )
    return f'<td style="{style}">{percent(number) if number > 0 else "0"}</td>'
