"""Play, pause, step and scrub through numbered steps; the step stands in the page's address.

    step = stepper(len(frames), key="step", label="Merge")
    draw(frames[step])

Playing never starts by itself. It asks for the next step only when the server has answered the
last one and the page is at rest, so a slow page plays slowly, and nothing piles up. Inside an
`@st.fragment` a step runs only that fragment.
"""

from pathlib import Path
from typing import Any

import streamlit as st

HERE = Path(__file__).parent
_MOST_DIGITS = 9  # of a step in an address: longer is nonsense

_SHAPES = {  # in a box of 16 x 16
    "first": "M3 3h2v10H3zM13 3v10L6 8z",
    "back": "M11 3v10L4 8z",
    "play": "M4 2.5v11L13 8z",
    "next": "M5 3v10l7-5z",
    "last": "M11 3h2v10h-2zM3 3v10l7-5z",
}
_NAMES = {
    "first": "First step",
    "back": "Step back",
    "play": "Play",
    "next": "Step forward",
    "last": "Last step",
}
_BUTTONS = "".join(
    f"<button type='button' data-go='{go}' aria-label='{_NAMES[go]}' title='{_NAMES[go]}'>"
    f"<svg viewBox='0 0 16 16' aria-hidden='true'><path d='{shape}'/></svg></button>"
    for go, shape in _SHAPES.items()
)
_stepper = st.components.v2.component(
    "stepper",
    html=(
        f"<div class='stepper' role='group'><div class='buttons'>{_BUTTONS}</div>"
        "<input type='range' min='0' step='1' aria-label='Step'><output></output>"
        "<label>Speed <select><option value='2000'>slow</option>"
        "<option value='1000' selected>normal</option><option value='400'>fast</option>"
        "</select></label></div>"
    ),
    css=(HERE / "stepper.css").read_text(encoding="utf-8"),
    js=(HERE / "stepper.js").read_text(encoding="utf-8"),
)


def stepper(n: int, *, key: str, label: str = "Step", start: int = 0, bind: bool = True) -> int:
    """Show the controls and return the step that is chosen, from 0 to n - 1.

    label: what a step is, as in "Window 3 of 7". start: the step at first. bind: does the step
    stand in the address, as `?key=3` (counted from 1, as on screen), unless it is `start`? It
    outlives a visit to another page either way. Where n has become smaller, the last step is taken.

    Raises ValueError if there is no step.
    """
    if n < 1:
        raise ValueError(f"{label}: there is nothing to step through yet.")
    if bind:
        _read_address(key, start)
    step = max(0, min(stepper_place(key, start), n - 1))
    st.session_state[_place(key)] = step
    if bind:
        _write_address(key, step, start)

    def on_asked() -> None:
        st.session_state[_place(key)] = _asked(key)["place"]

    data = {"label": label, "n": n, "place": step, "number": _asked(key)["number"]}
    _stepper(key=key, data=data, on_asked_change=on_asked)
    return step


def stepper_place(key: str, start: int = 0) -> int:
    """The step that the stepper under `key` was last at; `start` before it is first shown.

    It may lie beyond an n that has just become smaller, until the stepper is shown again.
    """
    place = st.session_state.get(_place(key), start)
    return place if isinstance(place, int) else start


def go_to_step(key: str, step: int) -> None:
    """Let the stepper under `key` go to a step when it is next shown. A callback."""
    st.session_state[_place(key)] = step


def _asked(key: str) -> dict[str, int]:
    """What the browser asked for last, and the number of that request. It may send anything."""
    state: Any = st.session_state.get(key)
    asked = state.get("asked") if isinstance(state, dict) else None
    asked = asked if isinstance(asked, dict) else {}
    return {
        name: int(value) if isinstance(value := asked.get(name), int) and value >= 0 else 0
        for name in ("place", "number")
    }


def _read_address(key: str, start: int) -> None:
    """Take over a step from the address, unless it is there because we wrote it."""
    asked = st.query_params.get(key)
    if asked is not None and asked != st.session_state.get(_written(key)):
        valid = asked.isascii() and asked.isdigit() and len(asked) <= _MOST_DIGITS
        st.session_state[_place(key)] = int(asked) - 1 if valid else start


def _write_address(key: str, step: int, start: int) -> None:
    """Before the component is sent: when it asks for the next step, the address is up to date."""
    written = None if step == start else str(step + 1)
    st.session_state[_written(key)] = written
    if written is None:
        st.query_params.pop(key, None)
    elif st.query_params.get(key) != written:
        st.query_params[key] = written


def _place(key: str) -> str:
    return f"_step_{key}"


def _written(key: str) -> str:
    return f"_step_link_{key}"
