"""A matrix as a heatmap whose cells can be chosen, by mouse or keyboard.

    cell = matrix_heatmap(
        weights,
        key="weights",
        alt="“owl” attends most to “old”.",
        rows=["The", "·owl"],
        columns=["The", "·owl"],
        row_name="query",
        column_name="key",
    )

Numbers that are minus infinity are what a mask forbids; they are hatched. Pointing at a cell asks
nothing of the server; choosing one is one rerun.
"""

import json
import math
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from pages.figures.palette import NEUTRAL, ROLES
from pages.widgets.figure import show_finding, show_table

HERE = Path(__file__).parent
MOST_CELLS = 256 * 256
MOST_NUMBERS = 400  # cells; in more of them no number can be read

_heatmap = st.components.v2.component(
    "matrix_heatmap",
    html=(
        "<div class='heatmap'><div class='field' role='application' tabindex='0' data-arrow-keys>"
        "<canvas></canvas><svg aria-hidden='true'></svg></div>"
        "<div class='tip' aria-hidden='true' hidden></div>"
        "<div class='scale' aria-hidden='true'></div><div class='said' role='status'></div></div>"
    ),
    css=(HERE / "matrix_heatmap.css").read_text(encoding="utf-8"),
    js=(HERE / "matrix_heatmap.js").read_text(encoding="utf-8"),
)


def matrix_heatmap(
    values: Any,
    *,
    key: str,
    alt: str,
    rows: Sequence[str],
    columns: Sequence[str],
    row_name: str = "row",
    column_name: str = "column",
    role: str = "attention",
    diverging: bool = False,
    limits: tuple[float, float] | None = None,
    numbers: bool = True,
    masked: str = "not allowed",
    say: bool = True,
) -> tuple[int, int] | None:
    """Show a matrix; return (row, column) of the cell that is chosen, or None.

    values: (R, C) numbers; minus infinity is shown as `masked`, NaN as no value. alt: the main
    finding in a sentence, also shown under the picture unless `say` is false. rows, columns: R and
    C labels; `visible_text` of the token chips makes white space in them visible. role: whose
    colour the cells have. diverging: numbers below zero are grey, with a line through; the scale is
    as wide to both sides of zero. limits: the scale's ends, to compare matrices; what lies beyond
    has the colour of the end. By default it reaches from 0, or from a lower number, to the
    highest. numbers: are they written into the cells, where there is room?

    Raises ValueError if the labels do not fit the matrix, or if it is too large to be looked at.
    """
    matrix = np.asarray(values, dtype=np.float64)
    _check(matrix, rows, columns)
    low, high = color_limits(matrix, diverging, limits)
    head = {
        "alt": alt,
        "rows": list(rows),
        "columns": list(columns),
        "names": [row_name, column_name],
        "limits": [low, high],
        "colours": [ROLES[role], NEUTRAL],
        "numbers": numbers and matrix.size <= MOST_NUMBERS,
        "masked": masked,
        "cell": chosen_cell(key, matrix.shape),
    }
    _heatmap(key=key, data=pack_matrix(matrix, head), on_cell_change=lambda: None)
    if say:
        show_finding(alt)
    show_table(_table(matrix, rows, columns), key=f"{key}_data")
    return chosen_cell(key, matrix.shape)


def chosen_cell(key: str, shape: tuple[int, ...]) -> tuple[int, int] | None:
    """The cell chosen in the heatmap under `key`, if it lies in a matrix of this shape."""
    state = st.session_state.get(key)
    cell = state.get("cell") if isinstance(state, dict) else None
    if not isinstance(cell, list | tuple) or len(cell) != 2:
        return None
    valid = all(type(n) is int and 0 <= n < most for n, most in zip(cell, shape, strict=True))
    return (cell[0], cell[1]) if valid else None


def color_limits(
    matrix: np.ndarray, diverging: bool, limits: tuple[float, float] | None
) -> tuple[float, float]:
    """The numbers at the two ends of the colour scale, the first below the second."""
    if limits is not None:
        low, high = limits
        if not (math.isfinite(low) and math.isfinite(high) and low < high):
            raise ValueError("The scale must reach from a lower to a higher number.")
        return (-max(-low, high), max(-low, high)) if diverging else (low, high)
    finite = matrix[np.isfinite(matrix)]
    low, high = float(min(finite.min(initial=0), 0)), float(finite.max(initial=-math.inf))
    if diverging:
        high = max(-low, high)
        low = -high
    return (low, high) if low < high < math.inf else (low, low + 1)


def pack_matrix(matrix: np.ndarray, head: dict[str, Any]) -> bytes:
    """Pack a matrix into three bytes a cell, behind its description in JSON.

    Numbers are rounded to four significant digits, and sent as the upper three bytes of a 32-bit
    float: 16 bits of significand, enough to tell four digits apart. Infinities and NaN survive.
    """
    finite = np.isfinite(matrix) & (matrix != 0)
    exponents = np.floor(np.log10(np.abs(matrix, where=finite, out=np.ones_like(matrix))))
    unit = 10.0 ** (exponents - 3)
    short = np.where(finite, np.round(matrix / unit) * unit, matrix).astype(np.float32)
    words = short.view(np.uint32)
    words = np.where(np.isfinite(short), words + 0x80, words).astype(">u4")  # to the nearest
    cells = words.reshape(-1, 1).view(np.uint8)[:, :3].tobytes()
    described = json.dumps(head, separators=(",", ":")).encode("utf-8")
    return struct.pack("<I", len(described)) + described + cells


def _check(matrix: np.ndarray, rows: Sequence[str], columns: Sequence[str]) -> None:
    if matrix.ndim != 2 or matrix.shape != (len(rows), len(columns)):
        raise ValueError(
            f"A matrix of shape {matrix.shape} does not fit {len(rows)} row labels and "
            f"{len(columns)} column labels."
        )
    if not 0 < matrix.size <= MOST_CELLS:
        raise ValueError(f"A heatmap shows 1 to {MOST_CELLS:,} cells, not {matrix.size:,}.")


def _table(matrix: np.ndarray, rows: Sequence[str], columns: Sequence[str]) -> pd.DataFrame:
    """Labels may repeat, and a table's must not: they are numbered."""
    return pd.DataFrame(
        matrix,
        index=[f"{place} {label}" for place, label in enumerate(rows)],
        columns=[f"{place} {label}" for place, label in enumerate(columns)],
    )
