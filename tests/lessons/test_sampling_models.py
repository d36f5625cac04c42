"""The lesson on sampling with each of the models that may write."""

from pathlib import Path

import pytest
import torch
from streamlit.testing.v1 import AppTest

from llm_core.training.config import RunConfig
from llm_core.training.loop import train
from llm_core.training.runs import RunStore
from pages.widgets.training import launcher

ROOT = Path(__file__).parents[2]
TEXT = "the cat sat on the mat. the dog sat on the log.\n" * 40
MODEL = {"n_layers": 1, "n_heads": 2, "d_model": 16, "context_length": 48, "bias": False}
PROMPT = "the cat sat"


@pytest.fixture
def open_lesson(tmp_path, monkeypatch):
    monkeypatch.setenv("INSIDE_LLMS_DATA", str(tmp_path))
    launcher.clear()  # another test's record of runs

    def open_page(**query):
        app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=120).run()
        app.query_params.update(query)
        page = app.switch_page("pages/41_sampling.py").run()
        assert not page.exception
        return page

    yield open_page
    launcher.clear()


@pytest.fixture
def run(tmp_path):
    """A run of a second, with its checkpoint."""
    torch.set_num_threads(1)
    store = RunStore(tmp_path)
    config = RunConfig(
        corpus="tiny_tales", model=dict(MODEL), steps=10, batch_size=4, checkpoint_interval=10
    )
    run = store.create(config, owner="me", title="Cats", text=TEXT)
    list(train(run.config, out=store.run_folder(run.id)))
    return run


def said(page):
    return " ".join(each.value for kind in ("info", "markdown") for each in getattr(page, kind))


def test_a_run_of_ones_own_writes_in_every_section(open_lesson, run):
    page = open_lesson(view="print", model="My own run", run=run.id, prompt=PROMPT, width="2")
    letters = len(set(TEXT))
    assert [m.value for m in page.metric if m.label == "Tokens to choose from"] == [str(letters)]
    assert "could not be shown" not in said(page)
    assert not page.warning
    code = [each.code[0].value for each in page.expander if each.label == "Show the code"]
    assert sum(f"run_folder({run.id!r})" in call for call in code) == 5


def test_a_prompt_that_the_model_cannot_read_is_refused_with_a_sentence(open_lesson, run):
    page = open_lesson(model="My own run", run=run.id, prompt="Übermut")
    assert len(page.warning) == 1
    assert [header.value for header in page.header][-1] == "In short"


def test_without_a_run_the_tiny_gpt_stands_in(open_lesson):
    page = open_lesson(model="My own run", prompt="Mia had a")
    assert "You have not trained a model yet" in said(page)
    assert "1,166" in [metric.value for metric in page.metric]


def test_smollm2_is_only_loaded_when_it_is_asked_for(open_lesson):
    from llm_core.pretrained.registry import MODELS

    MODELS.release("smollm2")
    page = open_lesson(model="SmolLM2")
    assert any("the tiny GPT stands in" in each.value for each in page.caption)
    assert "1,166" in [metric.value for metric in page.metric]
    assert "smollm2" not in MODELS.held()
    assert page.button(key="load_smollm2").label.startswith("Load the language model SmolLM2")
