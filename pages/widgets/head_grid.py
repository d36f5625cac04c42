"""All heads of a model at a glance, as one picture in which a head can be chosen.

    head_grid(maps, chosen=(0, 2), key="heads", on_choose=take)

A row is a layer and a column a head, unless there are more layers than heads: then a row is a head.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st

from pages.figures.attention import heads_picture

HERE = Path(__file__).parent
_ROOM = 1000  # pixels that the picture may be wide
_LARGEST = 150  # of a head's tile

_head_grid = st.components.v2.component(
    "head_grid",
    html=(
        "<div class='grid'><div class='columns' aria-hidden='true'></div>"
        "<div class='field' role='application' tabindex='0' data-arrow-keys>"
        "<img alt=''><i class='chosen'></i><i class='here' hidden></i></div>"
        "<div class='rows' aria-hidden='true'></div><div class='said' role='status'></div></div>"
    ),
    css=(HERE / "head_grid.css").read_text(encoding="utf-8"),
    js=(HERE / "head_grid.js").read_text(encoding="utf-8"),
)


def head_grid(
    maps: np.ndarray,
    *,
    chosen: tuple[int, int],
    key: str,
    on_choose: Callable[[int, int], None],
) -> None:
    """Show the weights (L, H, T, T) of all heads; `chosen` (layer, head) has a frame.

    Choosing another calls `on_choose(layer, head)` before the page is run again.
    """
    layers, heads = maps.shape[:2]
    turned = layers > heads
    shown = maps.swapaxes(0, 1) if turned else maps
    rows, columns = shown.shape[:2]

    def take() -> None:
        asked = _asked(key, (rows, columns))
        if asked is not None:
            on_choose(*(asked[::-1] if turned else asked))

    _head_grid(
        key=key,
        data={
            "picture": heads_picture(shown),
            "alt": f"The weights of all {layers * heads} heads, a tile each. Choose a head with "
            "the arrow keys and Enter.",
            "rows": rows,
            "columns": columns,
            "chosen": list(chosen[::-1] if turned else chosen),
            "names": ["head", "layer"] if turned else ["layer", "head"],
            "tile": min(_LARGEST, _ROOM // columns),
        },
        on_asked_change=take,
    )


def _asked(key: str, size: tuple[int, int]) -> tuple[int, int] | None:
    """The (row, column) that the browser asked for; it may send anything."""
    state: Any = st.session_state.get(key)
    asked = state.get("asked") if isinstance(state, dict) else None
    if not isinstance(asked, list) or len(asked) != 2:
        return None
    row, column = asked
    if not (isinstance(row, int) and isinstance(column, int)):
        return None
    return (row, column) if 0 <= row < size[0] and 0 <= column < size[1] else None
