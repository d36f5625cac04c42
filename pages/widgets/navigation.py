"""The navigation: the course's pages, the guard that every page calls first, and links."""

from pathlib import Path
from typing import Any

import streamlit as st

from pages.widgets.catalog import Lesson, written_lessons
from pages.widgets.errors import error_boundary
from pages.widgets.figure import LEGIBLE
from pages.widgets.glossary import GLOSSARY_STYLE
from pages.widgets.live_chart import plotly_library
from pages.widgets.progress import current_progress, record_visit, sync_progress
from pages.widgets.quiz import lesson_questions
from pages.widgets.settling import settle_imports
from pages.widgets.view import current_view, view_style

_ROUTED = "_routed"
_WITHOUT_FIGURES = ("", "home", "glossary")  # pages

# Streamlit writes white on the primary colour, which is pale in the dark theme: hard to read.
_DARK_STYLE = """
[data-testid^="stBaseButton-primary"]:not(:disabled),
[data-testid^="stBaseButton-primary"]:not(:disabled) * {color: #0F151E}
"""
# Streamlit's "Stop" ends one run of a page's script; a training that is watched would go on.
_NO_STOP = '[data-testid="stStatusWidget"] button {display: none}'
_HERE = Path(__file__).parent
_course_menu = st.components.v2.component(
    "course_menu",
    html="<nav aria-label='Course'></nav>",
    css=(_HERE / "course_menu.css").read_text(encoding="utf-8"),
    js=(_HERE / "course_menu.js").read_text(encoding="utf-8"),
)


def run_app() -> None:
    """Run the page that the address names inside the course's frame."""
    page = _navigation()
    show_style()  # before the page's content, so that nothing flickers
    with error_boundary():
        if page.url_path in {lesson.slug for lesson in written_lessons() if lesson.is_taught}:
            record_visit(page.url_path)
        sync_progress()
        if current_view() == "learn":
            _menu(page.url_path)
        page.run()
        if page.url_path not in _WITHOUT_FIGURES:
            plotly_library()  # last: it is long, and the words can do without it
    settle_imports()


def show_style() -> None:
    """Bring the course's style sheet into the page: one element for all of its rules."""
    dark = _DARK_STYLE if st.context.theme.type == "dark" else ""
    st.html(f"<style>{GLOSSARY_STYLE}{LEGIBLE}{_NO_STOP}{view_style()}{dark}</style>")


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


def _menu(here: str) -> None:
    """The course in the sidebar: one element, for a page link a lesson costs half a page's time."""
    parts: dict[str, list[dict[str, object]]] = {}
    for lesson in written_lessons():
        entry = {
            "slug": lesson.slug,
            "title": lesson.title,
            "here": lesson.slug == (here or "home"),
        }
        parts.setdefault(lesson.part, []).append(entry | _progress_of(lesson))
    with st.sidebar:
        result = _course_menu(
            key="menu",
            data={"parts": [{"title": title, "lessons": each} for title, each in parts.items()]},
            on_chosen_change=lambda: None,
        )
    chosen = [lesson for lesson in written_lessons() if lesson.slug == result.chosen]
    if chosen:
        st.switch_page(_page(chosen[0]))


def _page(lesson: Lesson) -> Any:
    return st.Page(
        f"pages/{lesson.stem}.py",
        title=lesson.title,
        icon=f":material/{lesson.icon}:",
        url_path=lesson.slug,
        default=lesson.slug == "home",
    )


def _progress_of(lesson: Lesson) -> dict[str, str]:
    """A lesson's icon: how far the learner has come, once there is a right answer; and in words."""
    done, questions = questions_done(lesson)
    if not done:
        return {"icon": lesson.icon, "done": ""}
    icon = "check_circle" if done == questions else "clock_loader_40"
    return {"icon": icon, "done": f", {done} of {questions} questions answered"}
