"""What a learner has done: kept in the browser's own storage, never on the server."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import streamlit as st

from pages.widgets.catalog import find_lesson

_KEY, _COMMAND = "_progress", "_progress_command"
_MOST = 64  # answers remembered a lesson, and characters of a question's name
_component = st.components.v2.component(
    "progress_store", js=Path(__file__).with_suffix(".js").read_text(encoding="utf-8")
)


@dataclass
class Progress:
    """The questions answered right, by lesson, and the lesson last open."""

    right: dict[str, list[str]] = field(default_factory=dict)
    last: str = ""

    def merge(self, other: "Progress") -> None:
        """Add what `other` knows: what was once right stays right."""
        for slug, ids in other.right.items():
            mine = self.right.setdefault(slug, [])
            mine.extend(id_ for id_ in ids if id_ not in mine)
        self.last = self.last or other.last

    def to_json(self) -> str:
        """Return it as a file to keep."""
        return json.dumps({"version": 1, "right": self.right, "last": self.last}, indent=1)


def read_progress(content: Any) -> Progress:
    """Check what came from a browser or a file, where anybody may have changed it.

    Lessons that are not in the course are left out; raises ValueError if nothing makes sense.
    """
    if isinstance(content, str | bytes):
        try:
            content = json.loads(content)
        except (UnicodeDecodeError, json.JSONDecodeError):
            content = None
    if not isinstance(content, dict) or not isinstance(content.get("right"), dict):
        raise ValueError("This file holds no progress of this course.")
    progress = Progress()
    for slug, ids in content["right"].items():
        if _known(slug) and isinstance(ids, list):
            names = [id_ for id_ in ids if isinstance(id_, str) and len(id_) <= _MOST]
            progress.right[slug] = list(dict.fromkeys(names))[:_MOST]
    last = content.get("last")
    progress.last = last if isinstance(last, str) and _known(last) else ""
    return progress


def sync_progress() -> None:
    """Exchange progress with the browser; once a run, after the page's visit was recorded."""
    mine = current_progress()
    with st.container(key="invisible"):
        result = _component(
            key="progress_store",
            data={
                "write": {"right": mine.right, "last": mine.last},
                "command": st.session_state.get(_COMMAND, {}),
            },
            on_stored_change=lambda: None,
            height=1,
        )
    try:
        stored = read_progress(result.stored)
    except ValueError:
        return
    replaced = st.session_state.get(_COMMAND, {}).get("number", 0)
    if result.stored.get("number", 0) != replaced:
        return  # told before the browser had replaced its own
    before = mine.to_json()
    mine.merge(stored)
    if mine.to_json() != before:
        st.rerun()


def current_progress() -> Progress:
    """Return this session's progress; change it through the functions below."""
    if _KEY not in st.session_state:
        st.session_state[_KEY] = Progress()
    progress: Progress = st.session_state[_KEY]
    return progress


def record_answer(slug: str, question: str) -> None:
    """Remember a question answered right."""
    ids = current_progress().right.setdefault(slug, [])
    if question not in ids:
        ids.append(question)


def record_visit(slug: str) -> None:
    """Remember the lesson that is open."""
    progress = current_progress()
    progress.right.setdefault(slug, [])
    progress.last = slug


def replace_progress(progress: Progress) -> None:
    """Put another progress in the place of this one, in the browser too. A callback."""
    st.session_state[_KEY] = progress
    number = st.session_state.get(_COMMAND, {}).get("number", 0) + 1
    st.session_state[_COMMAND] = {"number": number, "right": progress.right, "last": progress.last}


def _known(slug: Any) -> bool:
    try:
        return isinstance(slug, str) and bool(find_lesson(slug))
    except ValueError:
        return False
