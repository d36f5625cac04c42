"""Who may import whom, held by reading every file."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from pages.widgets.catalog import COURSE, PARTS, written_lessons

ROOT = Path(__file__).parents[2]
CORE = sorted((ROOT / "llm_core").rglob("*.py"))
PAGES = sorted((ROOT / "pages").glob("*.py"))

# A package may import those of its own rank and below.
RANKS = {
    "tokenizers": 0,
    "data": 0,
    "layers": 0,
    "models": 1,
    "pretrained": 1,
    "generation": 2,
    "training": 2,
    "finetuning": 3,
    "retrieval": 3,
    "inspection": 4,
}
# Published files are fetched the same way for all: this module imports nothing of the engine
# but its own table and downloads, so the lowest rank may import it.
FETCHING = "llm_core.pretrained.assets"


def imported(path):
    """Full names of all modules that a file imports, wherever in it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import"
            yield node.module


def name(path):
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", CORE, ids=name)
def test_the_engine_knows_nothing_of_pages(path):
    for module in imported(path):
        assert module.split(".")[0] not in {"streamlit", "plotly", "pages"}


@pytest.mark.parametrize("path", CORE, ids=name)
def test_engine_packages_import_downwards(path):
    package = path.relative_to(ROOT / "llm_core").parts[0]
    for module in imported(path):
        if module.startswith("llm_core.") and module != FETCHING:
            assert RANKS[module.split(".")[1]] <= RANKS[package], module


@pytest.mark.parametrize("path", sorted((ROOT / "pages/figures").glob("*.py")), ids=name)
def test_figures_are_pure(path):
    for module in imported(path):
        top = module.split(".")[0]
        assert top in {"plotly", "numpy"} | sys.stdlib_module_names or module.startswith(
            "pages.figures"
        )


@pytest.mark.parametrize("path", PAGES, ids=name)
def test_pages_import_no_page_and_no_torch(path):
    for module in imported(path):
        assert module.split(".")[0] not in {"torch", "plotly"}
        if module.startswith("pages."):
            assert module.split(".")[1] in {"widgets", "figures"}


@pytest.mark.parametrize("path", sorted(ROOT.rglob("llm_core/**/__init__.py")), ids=name)
def test_init_files_are_empty(path):
    assert path.read_text() == ""


def test_the_catalog_lists_every_page_and_no_slug_twice():
    assert [lesson.path for lesson in written_lessons()] == PAGES
    assert len({lesson.slug for lesson in COURSE}) == len(COURSE)
    assert [lesson.number for lesson in COURSE] == sorted(lesson.number for lesson in COURSE)
    assert {lesson.number[0] for lesson in COURSE} == set(PARTS)


@pytest.mark.parametrize("path", [*CORE, *sorted((ROOT / "pages").rglob("*.py"))], ids=name)
def test_files_and_functions_stay_small(path):
    source = path.read_text(encoding="utf-8")
    assert len(source.splitlines()) <= 350
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef):
            assert node.end_lineno - node.lineno < 50, node.name


def test_the_frame_and_the_runs_need_no_torch():
    code = (
        "import sys, pages.widgets.frame, pages.widgets.run_panel, pages.widgets.text_choice, "
        "pages.widgets.writing; sys.exit('torch' in sys.modules)"
    )
    result = subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False)
    assert result.returncode == 0
