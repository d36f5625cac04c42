"""The navigation: the course's pages, the guard that every page calls first, and links."""

from typing import Any

import streamlit as st

from pages.widgets.catalog import Lesson, written_lessons
from pages.widgets.errors import error_boundary
from pages.widgets.glossary import GLOSSARY_STYLE
from pages.widgets.progress import current_progress, record_visit, sync_progress
from pages.widgets.quiz import lesson_questions
from pages.widgets.view import current_view, view_style

_ROUTED = "_routed"

# Streamlit writes white on the primary colour, which is pale in the dark theme: hard to read.
_DARK_STYLE = """<style>
[data-testid^="stBaseButton-primary"], [data-testid^="stBaseButton-primary"] * {color: #0F151E}
</style>"""


def run_app() -> None:
    """Run the page that the address names inside the course's frame."""
    page = _navigation()
    if st.context.theme.type == "dark":
        st.html(_DARK_STYLE)
    st.html(GLOSSARY_STYLE)
    view_style()
    with error_boundary():
        if page.url_path in {lesson.slug for lesson in written_lessons() if lesson.is_taught}:
            record_visit(page.url_path)
        sync_progress()
        if current_view() == "learn":
            _menu()
        page.run()


def require_router() -> None:
    """First call of every page: make sure that it runs inside the frame.

    Until st.navigation has run once in a server, Streamlit runs `pages/*.py` without app.py when
    somebody opens a deep link. The guard declares the navigation then, and starts again.
    """
    if not st.session_state.get(_ROUTED):
        _navigation()
        st.rerun()


def link_to(lesson: Lesson, label: str | None = None, **query: str) -> None:
    """Show a link to a lesson's page, with state for its address if there is any."""
    st.page_link(
        _page(lesson),
        label=label or lesson.title,
        icon=f":material/{lesson.icon}:",
        query_params=query or None,
    )


def questions_done(lesson: Lesson) -> tuple[int, int]:
    """Return how many of the lesson's questions were answered right, and how many it has."""
    ids = {q.id for q in lesson_questions(lesson).values() if not q.predict}
    return len(ids & set(current_progress().right.get(lesson.slug, []))), len(ids)


def _navigation() -> Any:
    # An emoji, and before st.navigation: a :material: favicon would be fetched from another host.
    st.set_page_config(layout="wide", page_icon="🔍")
    st.session_state[_ROUTED] = True
    return st.navigation([_page(lesson) for lesson in written_lessons()], position="hidden")


def _menu() -> None:
    """The course in the sidebar. Streamlit's own menu is no sound list to a screen reader."""
    part = ""
    with st.sidebar, st.container(key="menu", gap=None):
        for lesson in written_lessons():
            if lesson.part != part:
                part = lesson.part
                st.markdown(f"**{part}**")
            icon = _progress_icon(lesson) or lesson.icon
            st.page_link(_page(lesson), label=lesson.title, icon=f":material/{icon}:")


def _page(lesson: Lesson) -> Any:
    return st.Page(
        f"pages/{lesson.stem}.py",
        title=lesson.title,
        icon=f":material/{lesson.icon}:",
        url_path=lesson.slug,
        default=lesson.slug == "home",
    )


def _progress_icon(lesson: Lesson) -> str:
    """How far the learner has come with a lesson; no icon before the first right answer."""
    done, questions = questions_done(lesson)
    if not done:
        return ""
    return "check_circle" if done == questions else "clock_loader_40"
