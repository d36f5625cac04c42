"""Every lesson under AppTest: at its defaults, at extremes, and the code that it shows."""

import contextlib
import io
import re
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from pages.widgets.catalog import written_lessons

ROOT = Path(__file__).parents[2]
LESSONS = [lesson for lesson in written_lessons() if lesson.is_taught]
PRINTED = re.compile(r"print\(.*\)\s+# (?P<value>.*)")


@pytest.fixture
def open_lesson(tmp_path, monkeypatch):
    """A function that opens a lesson's page, with what its address says."""
    monkeypatch.setenv("INSIDE_LLMS_DATA", str(tmp_path))

    def open_page(lesson, **query):
        app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60).run()
        app.query_params.update(query)
        return sound(app.switch_page(f"pages/{lesson.stem}.py").run())

    return open_page


def sound(page):
    """The page, if it shows neither an exception nor the sentence that stands for one."""
    assert not page.exception
    assert not [text.value for text in page.markdown if "could not be shown" in text.value]
    return page


def parts(page):
    return [header.value for header in page.header]


lessons = pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.stem)


@lessons
@pytest.mark.parametrize("view", ["learn", "present", "print", "<script>"])
def test_a_lesson_shows_all_its_sections_in_every_view(open_lesson, lesson, view):
    page = open_lesson(lesson, view=view, section="99")
    assert parts(page)[-2:] == ["Check yourself", "In short"]
    assert len(parts(page)) > 4


@lessons
def test_every_control_can_go_to_its_ends(open_lesson, lesson):
    page = open_lesson(lesson)
    for kind in ("slider", "number_input"):
        for key in [widget.key for widget in getattr(page, kind) if widget.key]:
            for end in ("max", "min"):
                found = [widget for widget in getattr(page, kind) if widget.key == key]
                if not found or found[0].value is None:  # gone, or a question not answered yet
                    continue
                page = sound(found[0].set_value(getattr(found[0], end)).run())
                assert parts(page)[-1] == "In short"
    for kind in ("toggle", "checkbox", "select_slider", "selectbox", "radio"):
        for key in [widget.key for widget in getattr(page, kind) if widget.key]:
            found = [widget for widget in getattr(page, kind) if widget.key == key]
            if not found:  # gone with another choice
                continue
            widget = found[0]
            values = widget.options if hasattr(widget, "options") else [True, False]
            if kind == "select_slider":  # its options are given as they are shown
                values = [type(widget.value)(option.replace(",", "")) for option in values]
            for value in (values[0], values[-1]):
                page = sound(getattr(page, kind)(key=key).set_value(value).run())


@lessons
def test_nonsense_in_the_address_gives_the_defaults(open_lesson, lesson):
    plain = open_lesson(lesson)
    keys = [w.key for kind in ("slider", "number_input", "toggle") for w in getattr(plain, kind)]
    for nonsense in ("-1", "99999999999999999999", "nan", "<b>", "🦉", ""):
        page = open_lesson(lesson, **{key: nonsense for key in keys if key})
        assert parts(page) == parts(plain)


@lessons
@pytest.mark.parametrize(
    "text", ["", "x", " ", "🦉", "\x00", "a" * 5000, "<script>alert(1)</script>"]
)
def test_any_text_is_taken_or_refused_with_a_sentence(open_lesson, lesson, text):
    plain = open_lesson(lesson)
    for kind in ("text_area", "text_input"):
        for key in [widget.key for widget in getattr(plain, kind)]:
            page = open_lesson(lesson)
            page = sound(getattr(page, kind)(key=key).set_value(text).run())
            assert parts(page)[-1] == "In short"


@lessons
def test_pasted_code_prints_the_numbers_on_screen(open_lesson, lesson, monkeypatch):
    """The first block under each *Show the code* runs, and prints what its comments say."""
    page = open_lesson(lesson, view="print")  # where all code is open
    calls = [each.code[0].value for each in page.expander if each.label == "Show the code"]
    assert len(calls) >= 3
    monkeypatch.chdir(ROOT)
    for call in calls:
        expected = [found["value"] for line in call.splitlines() if (found := PRINTED.search(line))]
        assert expected, f"nothing to compare in {call}"
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(compile(call, "pasted", "exec"), {})
        assert printed.getvalue().splitlines() == expected
