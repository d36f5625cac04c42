"""Tokens to choose from, as bars that are buttons: by mouse, by touch and by keyboard."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import streamlit as st

from pages.figures.distribution import percent
from pages.figures.palette import PREDICTION

HERE = Path(__file__).parent

_bars = st.components.v2.component(
    "token_bars",
    html="<div class='bars' role='group'></div>",
    css=(HERE / "token_bars.css").read_text(encoding="utf-8"),
    js=(HERE / "token_bars.js").read_text(encoding="utf-8"),
)


def token_bars(
    labels: Sequence[str],
    probabilities: Sequence[float],
    *,
    key: str,
    label: str,
    rest: str,
    number: int,
    on_choose: Callable[[int], None],
) -> None:
    """Show a button a token, as long as its probability; `on_choose` gets the place of the one.

    label: what the bars are, for those who do not see them; rest: a sentence on all other tokens.
    number: which choice this is; an answer to an earlier one is not heard.
    """

    def on_chosen() -> None:
        place = chosen_bar(key, len(labels), number)
        if place is not None:
            on_choose(place)

    bars = [
        [name, float(f"{p:.4g}"), percent(p)] for name, p in zip(labels, probabilities, strict=True)
    ]
    data = {"bars": bars, "label": label, "rest": rest, "number": number, "colour": PREDICTION}
    _bars(key=key, data=data, on_chosen_change=on_chosen)


def chosen_bar(key: str, count: int, number: int) -> int | None:
    """Return what the browser sent for choice `number`, if it makes sense: it may send anything."""
    state: Any = st.session_state.get(key)
    chosen = state.get("chosen") if isinstance(state, dict) else None
    if not (isinstance(chosen, list) and len(chosen) == 2 and chosen[1] == number):
        return None
    place = chosen[0]
    valid = isinstance(place, int) and not isinstance(place, bool) and 0 <= place < count
    return place if valid else None
