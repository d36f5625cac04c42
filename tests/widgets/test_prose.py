import pytest

from pages.widgets.catalog import PAGES, written_lessons
from pages.widgets.prose import sections

FILE = """# A lesson

## opening
Hello.

## window: The window
Two
lines.

### notice
Look.

### notes
Say it.
"""


def test_a_file_is_read_section_by_section(tmp_path):
    path = tmp_path / "lesson.md"
    path.write_text(FILE, encoding="utf-8")
    found = sections(path)
    assert list(found) == ["opening", "window"]
    window = found["window"]
    assert (window.title, window.text) == ("The window", "Two\nlines.")
    assert (window.notice, window.notes) == ("Look.", "Say it.")
    assert (found["opening"].title, found["opening"].notes) == ("", "")


def test_an_edited_file_shows_at_once(tmp_path):
    path = tmp_path / "lesson.md"
    path.write_text(FILE, encoding="utf-8")
    assert sections(path)["opening"].text == "Hello."
    path.write_text(FILE.replace("Hello.", "Hi."), encoding="utf-8")
    assert sections(path)["opening"].text == "Hi."


def test_an_unknown_part_is_refused(tmp_path):
    path = tmp_path / "lesson.md"
    path.write_text(FILE.replace("### notes", "### note"), encoding="utf-8")
    with pytest.raises(ValueError, match=r"section window: unknown part \['note'\]"):
        sections(path)


@pytest.mark.parametrize(
    "lesson", [each for each in written_lessons() if each.is_taught], ids=lambda each: each.stem
)
def test_a_lesson_has_all_that_the_frame_shows(lesson):
    found = sections(PAGES / f"{lesson.stem}.md")
    assert {"opening", "objectives", "summary"} <= set(found)
    assert lesson.minutes > 0
    for part in found.values():
        assert part.text
        if part.name not in {"opening", "objectives", "summary"}:
            assert part.title
    assert any(part.notes for part in found.values())
    sentences = [s for s in found["summary"].text.replace("\n", " ").split(". ") if s]
    assert len(sentences) == 3
