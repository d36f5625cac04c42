"""The interactive drawing of a transformer: parts that open, in the picture and in a list of words.

    opened = opened_part("part", ids, "attention")
    machine_picture(drawing, words, key="part", label="A decoder.", opened=opened)
    machine_words(words, key="part", opened=opened)

Pointing at a part, or moving to it, lights up everything that stands for it, without the server;
choosing one is one rerun. The opened part stands in the page's address under `key`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import streamlit as st

from pages.figures.palette import ATTENTION, PREDICTION
from pages.widgets.address import asked_value, write_value

HERE = Path(__file__).parent
_COLOURS = {"attention": ATTENTION, "prediction": PREDICTION}
_PART_ROLES = {
    "attention": "attention",
    "cross_attention": "attention",
    "output": "prediction",
}

_machine = st.components.v2.component(
    "machine",
    html=(
        "<div class='machine'><div class='picture'><svg role='group' data-arrow-keys></svg></div>"
        "<ol></ol></div>"
    ),
    css=(HERE / "machine.css").read_text(encoding="utf-8")
    + "".join(f"[data-role={role}] {{--role: {colour}}}\n" for role, colour in _COLOURS.items()),
    js=(HERE / "machine.js").read_text(encoding="utf-8"),
)


@dataclass(frozen=True)
class Word:
    """A part in the list: its id, its name, a sentence on it, and a short count for the picture."""

    part: str
    title: str
    text: str
    count: str = ""


def machine_picture(
    drawing: Mapping[str, Any], words: Sequence[Word], *, key: str, label: str, opened: str
) -> None:
    """Show the drawing; `opened` is the id of the part that is open.

    drawing: of `pages.figures.machine.machine_drawing`. label: what the drawing shows, for those
    who do not see it.
    """
    data = {
        "group": key,
        "drawing": drawing,
        "label": f"{label} Arrow keys move from part to part, Enter opens one.",
        "counts": {word.part: word.count for word in words},
        "roles": {word.part: _role(word.part) for word in words},
        "opened": opened,
    }
    _machine(key=f"{key}_picture", data=data, on_part_change=lambda: _remember(key, "picture"))


def machine_words(words: Sequence[Word], *, key: str, opened: str) -> None:
    """Show the list of the parts of the drawing under `key`; choosing one opens it there too."""
    data = {
        "group": key,
        "words": [
            {"part": w.part, "title": w.title, "text": w.text, "role": _role(w.part)} for w in words
        ],
        "opened": opened,
    }
    _machine(key=f"{key}_words", data=data, on_part_change=lambda: _remember(key, "words"))


def opened_part(key: str, parts: Sequence[str], default: str) -> str:
    """Return the id of the part that is open in the drawing under `key`, one of `parts`.

    What the address asks for counts, then what was chosen last; in a drawing that has no such part
    it is the one of the same name: "attention" for "decoder.attention", and the other way round.
    """
    asked = asked_value(key)
    wanted = str(asked or st.session_state.get(_place(key)) or default)
    same_name = [part for part in parts if part.split(".")[-1] == wanted.split(".")[-1]]
    opened = wanted if wanted in parts else (same_name or [default])[-1]
    opened = opened if opened in parts else parts[-1]
    st.session_state[_place(key)] = opened
    write_value(key, "" if opened == default else opened)
    return opened


def _remember(key: str, where: str) -> None:
    """Take over what the browser chose. A callback."""
    state: Any = st.session_state.get(f"{key}_{where}")
    part = state.get("part") if isinstance(state, dict) else None
    if isinstance(part, str):
        st.session_state[_place(key)] = part


def _role(part: str) -> str:
    return _PART_ROLES.get(part.split(".")[-1], "")


def _place(key: str) -> str:
    return f"_opened_{key}"
