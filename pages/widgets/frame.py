"""The frame around every page: navigation, the router guard, and the opening of a lesson."""

from collections import defaultdict
from typing import Any

import streamlit as st

from pages.widgets.catalog import Lesson, find_lesson, written_lessons
from pages.widgets.prose import show_prose

_ROUTED = "_routed"

# Streamlit writes white on the primary colour, which is pale in the dark theme: hard to read.
_DARK_STYLE = """<style>
[data-testid^="stBaseButton-primary"], [data-testid^="stBaseButton-primary"] * {color: #0F151E}
</style>"""


def router() -> Any:
    """Configure the page, declare the navigation from the catalog, return the page to run."""
    # An emoji, and before st.navigation: a :material: favicon would be fetched from another host.
    st.set_page_config(layout="wide", page_icon="🔍")
    st.session_state[_ROUTED] = True
    sections: dict[str, list[Any]] = defaultdict(list)
    for lesson in written_lessons():
        sections[lesson.part].append(_page(lesson))
    page = st.navigation(dict(sections), expanded=True)
    if st.context.theme.type == "dark":
        st.html(_DARK_STYLE)
    return page


def open_page(slug: str) -> Lesson:
    """First call of every page: guard its routing, and show its title and opening prose.

    Until st.navigation has run once in a server, Streamlit runs `pages/*.py` without app.py when
    somebody opens a deep link. The guard declares the navigation then, and starts again.
    """
    if not st.session_state.get(_ROUTED):
        router()
        st.rerun()
    lesson = find_lesson(slug)
    st.title(lesson.title if slug != "home" else "Inside LLMs")
    show_prose(lesson, "opening")
    return lesson


def link_to(lesson: Lesson, label: str | None = None) -> None:
    """Show a link to a lesson's page."""
    st.page_link(
        _page(lesson),
        label=label or lesson.title,
        icon=f":material/{lesson.icon}:",
    )


def _page(lesson: Lesson) -> Any:
    return st.Page(
        f"pages/{lesson.stem}.py",
        title=lesson.title,
        icon=f":material/{lesson.icon}:",
        url_path=lesson.slug,
        default=lesson.slug == "home",
    )
