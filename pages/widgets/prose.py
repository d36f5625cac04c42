"""A lesson's prose: it lies in the page's .md file, in sections that the page shows by name.

A section begins with `## name` or `## name: Title`; in it, `### notice` begins what to notice
after trying, and `### notes` what only the speaker sees.
"""

import functools
from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from pages.widgets.catalog import Lesson
from pages.widgets.glossary import mark_terms


@dataclass(frozen=True)
class Section:
    """One section of a lesson's prose; parts that it does not have are empty."""

    name: str
    title: str
    text: str
    notice: str
    notes: str


def show_prose(lesson: Lesson, name: str, *, seen: set[str] | None = None) -> None:
    """Show the text of one section. Glossary terms in `seen` are not explained again."""
    show_text(section(lesson, name).text, seen=seen)


def show_text(text: str, *, seen: set[str] | None = None) -> None:
    """Show Markdown in which [[a term]] of the glossary explains itself on hover or tap."""
    terms = set() if seen is None else seen
    st.markdown(mark_terms(text, first_only=True, seen=terms), unsafe_allow_html=True)


def section(lesson: Lesson, name: str) -> Section:
    """Return a section of the lesson's .md file; raise KeyError if it has none of that name."""
    return sections(lesson.path.with_suffix(".md"))[name]


def sections(path: Path) -> dict[str, Section]:
    """Return the file's sections by name."""
    return _sections(path, path.stat().st_mtime_ns)


@functools.lru_cache(maxsize=64)
def _sections(path: Path, modified: int) -> dict[str, Section]:
    """Cached by the time of the last change, so that an edited text shows at once."""
    found: dict[str, Section] = {}
    for block in path.read_text(encoding="utf-8").split("\n## ")[1:]:
        heading, _, body = block.partition("\n")
        name, _, title = heading.partition(":")
        parts = {"text": ""}
        for position, part in enumerate(body.split("\n### ")):
            label, _, rest = part.partition("\n") if position else ("text", "", part)
            parts[label.strip()] = rest.strip()
        unknown = parts.keys() - {"text", "notice", "notes"}
        if unknown:
            raise ValueError(f"{path.name}, section {name}: unknown part {sorted(unknown)}.")
        found[name.strip()] = Section(
            name.strip(),
            title.strip(),
            parts["text"],
            parts.get("notice", ""),
            parts.get("notes", ""),
        )
    return found
