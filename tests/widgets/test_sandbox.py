"""The sandbox under AppTest: what is set reaches the run, and bad settings get a sentence."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from llm_core.training.limits import Limits
from llm_core.training.queue import RunQueue
from llm_core.training.runs import RunStore

ROOT = Path(__file__).parents[2]


@pytest.fixture
def open_sandbox(tmp_path, monkeypatch):
    """Open the sandbox with an address; no run is ever started, only queued."""
    import streamlit as st

    monkeypatch.setenv("INSIDE_LLMS_DATA", str(tmp_path))
    monkeypatch.setattr(RunQueue, "tick", lambda self: None)
    st.cache_resource.clear()

    def open_(**query):
        app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=120).run()
        app.query_params.update(query)
        return app.switch_page("pages/51_training_sandbox.py").run()

    yield open_
    st.cache_resource.clear()


def the_run(folder):
    (run,) = RunStore(folder).all()
    return run


def press(app, key):
    return app.button(key=key).click().run()


def test_what_is_set_reaches_the_run(open_sandbox, tmp_path):
    app = open_sandbox(
        size="Pico", recipe="Modern", steps="200", layers="1", heads="2", width="32",
        dropout="0.1", position="alibi", norm="layernorm", activation="gelu", rate="0.005",
        batch="4", seed="7", context_length="32", window_stride="3",
        output="numbers of their own", schedule="down in a curve", precision="32 bits",
    )  # fmt: skip
    assert not app.exception
    press(app, "train")
    config = the_run(tmp_path).config
    shape = config.transformer(vocab_size=10)
    assert (shape.n_layers, shape.n_heads, shape.d_model) == (1, 2, 32)
    assert (shape.position, shape.norm, shape.activation) == ("alibi", "layernorm", "gelu")
    assert (shape.dropout, shape.tie_embeddings, shape.context_length) == (0.1, False, 32)
    assert shape.qk_norm  # of the recipe, as it was not set
    assert (config.steps, config.batch_size, config.seed, config.stride) == (200, 4, 7, 3)
    assert (config.recipe.learning_rate, config.recipe.schedule) == (0.005, "cosine")
    assert config.recipe.matrix_learning_rate == pytest.approx(0.01)
    assert config.precision == "float32"


def test_nothing_set_is_the_usual_run(open_sandbox, tmp_path):
    app = open_sandbox()
    press(app, "train")
    config = the_run(tmp_path).config
    assert (config.recipe.name, config.steps, config.batch_size) == ("classic", 1500, 16)
    assert config.transformer(10).d_model == 128
    assert the_run(tmp_path).id in app.query_params["run"]


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ({"width": "30", "heads": "4"}, "cannot be split evenly into 4 heads"),
        ({"width": "36", "heads": "12", "position": "rope"}, "leaves one over"),
    ],
)
def test_a_shape_that_cannot_be_gets_a_sentence_and_no_run(open_sandbox, query, sentence):
    app = open_sandbox(**query)
    assert not app.exception
    assert any(sentence in error.value for error in app.error)
    assert app.button(key="train").disabled


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ({"rate": "0.5"}, "167 times what the classic recipe takes"),
        ({"dropout": "0.8"}, "Dropping 80%"),
        ({"steps": "100", "batch": "1", "context_length": "4"}, "of the text. Take more steps"),
        ({"steps": "10000", "size": "Micro"}, "by heart"),
    ],
)
def test_plain_warnings_before_the_start(open_sandbox, query, sentence):
    app = open_sandbox(**query)
    assert any(sentence in warning.value for warning in app.warning), app.warning
    assert not app.button(key="train").disabled


def test_two_runs_are_compared_with_what_changed_in_words(open_sandbox, tmp_path):
    app = open_sandbox(size="Pico", steps="200")
    press(app, "train")
    app.button(key="pause").click().run()  # it had not begun: it leaves the queue
    press(app, "another")
    app.number_input(key="layers").set_value(1).run()
    press(app, "train")
    assert not app.exception
    assert len(RunStore(tmp_path).all()) == 2
    table = next(each.value for each in app.get("html") if "Runs compared" in str(each.value))
    assert "layers 2 → 1" in table
    assert "size" not in table


def test_only_queued_runs_were_made(tmp_path):
    queue = RunQueue(RunStore(tmp_path), Limits(workers=1, threads=1))
    queue.close()
    assert queue.store.all() == []
