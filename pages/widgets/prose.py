"""A lesson's prose: it lies in the page's .md file, in sections that the page shows by name."""

import functools
from pathlib import Path

import streamlit as st

from pages.widgets.catalog import Lesson


def show_prose(lesson: Lesson, section: str) -> None:
    """Show one section of the lesson's .md file."""
    st.markdown(sections(lesson.path.with_suffix(".md"))[section])


def sections(path: Path) -> dict[str, str]:
    """Return the file's sections by name: each begins with a line `## name`."""
    return _sections(path, path.stat().st_mtime_ns)


@functools.lru_cache(maxsize=64)
def _sections(path: Path, modified: int) -> dict[str, str]:
    """Cached by the time of the last change, so that an edited text shows at once."""
    found: dict[str, str] = {}
    for part in path.read_text(encoding="utf-8").split("\n## ")[1:]:
        name, _, text = part.partition("\n")
        found[name.strip()] = text.strip()
    return found
