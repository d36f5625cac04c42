"""A window as HTML: its inputs above its targets, and the examples that it holds. No Streamlit."""

import html
from collections.abc import Collection, Sequence

from pages.figures.palette import PREDICTION, TRAIN

_CELL = (
    "border:1px solid rgba(128,128,128,.4);padding:.25rem .5rem;text-align:center;"
    "white-space:nowrap;border-top:4px solid "
)
_NUMBER = "border:1px solid rgba(128,128,128,.4);padding:.25rem .6rem;text-align:right"
_WORDS = _NUMBER.replace("right", "left")


def pair_table(labels: Sequence[str], ids: Sequence[int]) -> str:
    """Inputs and targets under each other, in a box that scrolls by itself.

    labels and ids: T + 1 each, the window's tokens and the one after it.
    """
    rows = ""
    for name, colour, first in (("input", TRAIN, 0), ("target", PREDICTION, 1)):
        cells = "".join(
            f'<td style="{_CELL}{colour}"><b>{html.escape(label)}</b><br>'
            f"<small>{index}</small></td>"
            for label, index in zip(
                labels[first : first + len(labels) - 1], ids[first:], strict=False
            )
        )
        rows += f'<tr><th scope="row" style="padding:.25rem .5rem;text-align:left">{name}</th>'
        rows += f"{cells}</tr>"
    return (
        '<div style="overflow-x:auto" tabindex="0" role="region" '
        'aria-label="Inputs and targets of this window">'
        f'<table style="border-collapse:separate;border-spacing:4px">{rows}</table></div>'
    )


def example_list(labels: Sequence[str]) -> str:
    """The T examples of a window of T tokens and the one after it: context, then next token."""
    lines = "".join(
        f'<li style="margin:.2rem 0"><span style="border-bottom:3px solid {TRAIN}">'
        f"{html.escape(' '.join(labels[:end]))}</span>"
        f' → <b style="border-bottom:3px solid {PREDICTION}">{html.escape(labels[end])}</b></li>'
        for end in range(1, len(labels))
    )
    return f'<ol style="padding-left:2rem;overflow-wrap:anywhere">{lines}</ol>'


def named_table(
    rows: Sequence[dict[str, object]], label: str, *, left: Collection[str] = ()
) -> str:
    """Rows of named cells under their names, in a box that scrolls by itself.

    left: names of the columns whose cells are words, which begin at the left.
    """
    look = {name: _WORDS if name in left else _NUMBER for name in rows[0]}
    head = "".join(
        f'<th scope="col" style="{style}">{html.escape(name)}</th>' for name, style in look.items()
    )
    body = "".join(
        "<tr>"
        + "".join(
            f'<td style="{look[name]}">{html.escape(_written(cell))}</td>'
            for name, cell in row.items()
        )
        + "</tr>"
        for row in rows
    )
    return (
        '<div style="overflow-x:auto" tabindex="0" role="region" '
        f'aria-label="{html.escape(label)}">'
        f'<table style="border-collapse:collapse"><tr>{head}</tr>{body}</table></div>'
    )


def _written(cell: object) -> str:
    if isinstance(cell, str):
        return cell
    return f"{cell:,.2f}" if isinstance(cell, float) else f"{cell:,}"


def number_table(rows: Sequence[Sequence[object]], label: str) -> str:
    """Rows of numbers or tokens, in a box that scrolls by itself."""
    cells = "".join(
        "<tr>" + "".join(f'<td style="{_NUMBER}">{html.escape(str(cell))}</td>' for cell in row)
        for row in rows
    )
    return (
        '<div style="overflow-x:auto" tabindex="0" role="region" '
        f'aria-label="{html.escape(label)}">'
        f'<table style="border-collapse:collapse">{cells}</table></div>'
    )
