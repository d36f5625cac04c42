"""Every page under AppTest: it opens without an exception, whatever the address says."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from pages.widgets.catalog import written_lessons

ROOT = Path(__file__).parents[2]
NONSENSE = {
    "run": "../../etc/passwd",
    "text": "no such text",
    "size": "<script>",
    "steps": "-1",
}


@pytest.fixture
def app(tmp_path, monkeypatch):
    monkeypatch.setenv("INSIDE_LLMS_DATA", str(tmp_path))
    return AppTest.from_file(str(ROOT / "app.py"), default_timeout=60).run()


@pytest.mark.parametrize("lesson", written_lessons(), ids=lambda lesson: lesson.stem)
@pytest.mark.parametrize("query", [{}, NONSENSE], ids=["plain", "nonsense"])
def test_a_page_opens(app, lesson, query):
    app.query_params.update(query)
    page = app.switch_page(f"pages/{lesson.stem}.py").run()
    assert not page.exception
    assert page.title[0].value
