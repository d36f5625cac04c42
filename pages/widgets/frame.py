"""The frame of a page: its opening, a lesson's sections one by one, and its end."""

from collections.abc import Callable
from typing import Any

import streamlit as st

from pages.widgets.catalog import Lesson, find_lesson, lessons_of_part, next_lesson
from pages.widgets.errors import error_boundary
from pages.widgets.navigation import link_to, require_router
from pages.widgets.presenter import presenter
from pages.widgets.prose import Section, section, show_prose, show_text
from pages.widgets.questions import Values
from pages.widgets.quiz import check_yourself, predict_first
from pages.widgets.toolbar import lesson_toolbar
from pages.widgets.view import current_view

__all__ = ["LessonPage", "link_to", "open_lesson", "open_page"]


def open_page(slug: str) -> Lesson:
    """First call of a page that is not a lesson: guard its routing, show title and opening."""
    require_router()
    lesson = find_lesson(slug)
    st.title(lesson.title if slug != "home" else "Inside LLMs")
    show_prose(lesson, "opening")
    return lesson


def open_lesson(slug: str) -> "LessonPage":
    """First call of a lesson's page: guard its routing, and show how the lesson begins."""
    require_router()
    page = LessonPage(find_lesson(slug))
    page.open()
    return page


class LessonPage:
    """A lesson on the page: sections are shown in order, then `close` ends it."""

    def __init__(self, lesson: Lesson) -> None:
        self.lesson = lesson
        self._shown: list[Section] = []
        self._seen: set[str] = set()  # glossary terms that were explained
        self._held_back = False  # does this section wait for a prediction?

    def open(self) -> None:
        """Show the lesson's place in the course, and what it is good for."""
        with self._container(self._section("opening", self.lesson.title)):
            lesson = self.lesson
            st.caption(_place(lesson))
            st.title(lesson.title)
            if current_view() != "present":
                lesson_toolbar()
            show_prose(lesson, "opening", seen=self._seen)
            with st.container(border=True):
                st.markdown("**After this lesson you can**")
                show_prose(lesson, "objectives", seen=self._seen)
                _needs(lesson)

    def show(self, name: str, draw: Callable[..., Any], *values: Any) -> Any:
        """Show one section: its prose, what `draw(*values)` draws, and what to notice.

        Returns what `draw` returns, or None if it failed. A value that is None means that an
        earlier section has nothing to give: this one then only says so.
        """
        part = self._section(name)
        result, self._held_back = None, False
        with self._container(part):
            st.header(part.title, anchor=name)
            show_text(part.text, seen=self._seen)
            if any(value is None for value in values):
                st.info("This part goes on as soon as the parts above have what they need.")
            else:
                with error_boundary(f"The part “{part.title}”"):
                    result = draw(*values)
                    if part.notice and not self._held_back:
                        with st.container(key=f"notice_{name}"):
                            show_text(f"**Notice.** {part.notice}", seen=self._seen)
        return result

    def predict(self, question_id: str, values: Values) -> bool:
        """Ask a question before a picture; return whether the picture may be shown now."""
        may_show = predict_first(self.lesson, question_id, values)
        self._held_back = not may_show
        return may_show

    def close(self, values: Values | None) -> None:
        """End the lesson: its questions (if there are values for them), summary, next lesson."""
        part = Section("check", "Check yourself", "", "", "")
        with self._container(part):
            st.header(part.title, anchor=part.name)
            if values is None:
                st.info("The questions are about what you set above; they wait for it.")
            else:
                with error_boundary("The questions"):
                    check_yourself(self.lesson, values)
        with self._container(self._section("summary", "In short")):
            st.header("In short", anchor="summary")
            show_prose(self.lesson, "summary", seen=self._seen)
            following = next_lesson(self.lesson)
            if following and current_view() == "learn":
                with st.container(key="next"):
                    link_to(following, f"Next: {following.title}")
        if current_view() == "present":
            presenter(self._shown)

    def _section(self, name: str, title: str = "") -> Section:
        part = section(self.lesson, name)
        return Section(name, part.title or title, part.text, part.notice, part.notes)

    def _container(self, part: Section) -> Any:
        self._shown.append(part)
        return st.container(key=f"section_{part.name}")


def _place(lesson: Lesson) -> str:
    mates = lessons_of_part(lesson)
    number = mates.index(lesson) + 1
    return f"{lesson.part} · lesson {number} of {len(mates)} · about {lesson.minutes} minutes"


def _needs(lesson: Lesson) -> None:
    """Link the lessons that this one builds on; those not written yet are only named."""
    if not lesson.needs:
        st.caption("You need nothing but some Python.")
        return
    if current_view() == "learn":
        with st.container(horizontal=True, vertical_alignment="center"):
            st.caption("It builds on", width="content")
            for slug in lesson.needs:
                needed = find_lesson(slug)
                if needed.path.exists():
                    link_to(needed)
                else:
                    st.caption(needed.title, width="content")
