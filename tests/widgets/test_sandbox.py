"""The sandbox under AppTest: what is set reaches the run, and bad settings get a sentence."""

from dataclasses import replace
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from llm_core.data.corpora import find_corpus
from llm_core.tokenizers.bpe import train_bpe
from llm_core.tokenizers.vocabularies import load_vocabulary
from llm_core.training.limits import Limits
from llm_core.training.queue import RunQueue
from llm_core.training.runs import RunState, RunStore
from llm_core.training.stepping import hold_after
from pages.widgets.carried_tokenizer import store_tokenizer
from pages.widgets.run_panel import badge_of
from pages.widgets.training import launcher

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
    launcher().close()  # or its thread would start what is queued once `tick` is itself again
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
        kv_heads="1", placement="post", biases="with biases", optimizer="AdamW for all weights",
        warmup="33", decay="0.2", clip="0.5", accumulation="3", minutes="2.5", stop_loss="1.7",
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
    assert (shape.n_kv_heads, shape.norm_placement, shape.bias) == (1, "post", True)
    assert (config.accumulation, config.stop_minutes, config.stop_loss) == (3, 2.5, 1.7)
    recipe = config.recipe
    assert (recipe.matrix_optimizer, recipe.warmup_steps) == ("adamw", 33)
    assert (recipe.weight_decay, recipe.clip_norm) == (0.2, 0.5)


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
        ({"stop_loss": "9"}, "to stop at the first evaluation"),
    ],
)
def test_plain_warnings_before_the_start(open_sandbox, query, sentence):
    app = open_sandbox(**query)
    assert any(sentence in warning.value for warning in app.warning), app.warning
    assert not app.button(key="train").disabled


def captions(app):
    return " ".join(each.value for each in app.caption)


def test_pairs_are_learnt_here_and_counted_as_the_run_will(open_sandbox, tmp_path):
    app = open_sandbox(cut="Pairs learnt from this text (BPE)", vocabulary="400")
    text = find_corpus("tiny_tales").load()
    tokenizer = train_bpe(text[: int(0.9 * len(text))], 400)
    assert f"becomes {len(tokenizer.encode(text)):,} of them" in captions(app)
    assert "64 tokens at once" in captions(app)
    press(app, "train")
    config = the_run(tmp_path).config
    assert (config.tokenizer, config.vocab_size) == ("bpe", 400)


def test_gpt2s_vocabulary_is_warned_of(open_sandbox, tmp_path):
    app = open_sandbox(cut="GPT-2's", size="Pico")
    tokens = len(load_vocabulary("gpt2").encode_ordinary(find_corpus("tiny_tales").load()))
    assert f"becomes {tokens:,} of them" in captions(app)
    assert any(
        "The 50,257 tokens of this vocabulary make 97%" in each.value for each in app.warning
    )
    press(app, "train")
    assert the_run(tmp_path).config.tokenizer == "gpt2"


def test_a_tokenizer_from_a_lesson_is_named_and_may_be_left(open_sandbox, tmp_path):
    name = store_tokenizer(train_bpe("a rose is a rose is a rose", 260))
    app = open_sandbox(tokenizer=name)
    assert any(f"*{name[:6]}*: 260 tokens instead" in each.value for each in app.info)
    press(app, "train")
    assert the_run(tmp_path).config.tokenizer_path.endswith(f"{name}.json")
    app = open_sandbox(tokenizer=name, cut="Characters")
    assert "64 characters at once" in captions(app)
    app = open_sandbox(tokenizer="0" * 16)
    assert any("not, or no longer, on this machine" in each.value for each in app.warning)
    assert not app.button(key="train").disabled


def test_a_text_too_short_once_it_is_cut_gets_a_sentence(open_sandbox):
    app = open_sandbox(text="My own text", cut="GPT-2's", size="Pico")
    app.text_area(key="own_text").set_value("one two three four " * 6).run()
    assert any("tokens: too few for a context of 64" in each.value for each in app.error)
    assert app.button(key="train").disabled


def test_an_upload_above_the_limit_is_refused(open_sandbox, monkeypatch):
    monkeypatch.setenv("INSIDE_LLMS_MAX_UPLOAD_MB", "1")
    app = open_sandbox(text="My own text")
    app.text_area(key="own_text").set_value("many words " * 100_000).run()
    assert any("1 MB are allowed" in each.value for each in app.error)
    assert app.button(key="train").disabled


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


def sweep(app, setting, *values):
    """Choose a setting of the shown run and its values, and press the button."""
    run_id = app.query_params["run"]
    app.selectbox(key=f"swept_{run_id}").select(setting).run()
    app.multiselect(key=f"values_{run_id}_{setting}").set_value(list(values)).run()
    return press(app, "start_sweep")


def errors(app):
    return " ".join(each.value for each in app.error)


def test_a_sweep_queues_a_run_a_value_and_compares_them(open_sandbox, tmp_path):
    app = press(open_sandbox(size="Pico", steps="200"), "train")
    assert app.button(key="start_sweep").disabled  # no value yet
    app = sweep(app, "layers", "1", "4")
    assert not app.exception
    runs = RunStore(tmp_path).all()
    assert [each.title.rpartition(", ")[2] for each in runs[1:]] == ["layers 1", "layers 4"]
    assert [each.config.transformer(10).n_layers for each in runs] == [2, 1, 4]
    assert app.query_params["compare"] == ".".join(each.id for each in runs)


@pytest.mark.parametrize(
    ("setting", "values", "sentence"),
    [
        ("layers", ["1", "many"], "The layers must be a whole number from 1 to 12, not 'many'"),
        ("layers", ["1.5"], "must be a whole number from 1 to 12"),
        ("learning rate", ["-1"], "The learning rate must be a number from 0.000001 to 30"),
        ("dropout", ["nan"], "must be a number from 0 to 0.9"),
        ("seed", ["7", "7.0"], "A value comes twice"),
        ("heads", ["3"], "cannot be split evenly into 3 heads"),
    ],
)
def test_a_value_that_cannot_be_swept_gets_a_sentence_and_no_run(
    open_sandbox, tmp_path, setting, values, sentence
):
    app = sweep(press(open_sandbox(size="Pico", steps="200"), "train"), setting, *values)
    assert not app.exception
    assert sentence in errors(app)
    assert len(RunStore(tmp_path).all()) == 1


@pytest.mark.parametrize(
    ("variable", "most", "setting", "values", "sentence"),
    [
        ("MAX_RUNS", "3", "seed", ["1", "2", "3"], "4 runs kept, and 3 are allowed here"),
        ("MAX_WAITING", "2", "seed", ["1", "2"], "runs in the queue, and 2 are allowed here"),
        ("MAX_PARAMETERS", "200000", "width", ["32", "512"], "and 200,000 are allowed here"),
    ],
)
def test_a_hosted_demo_takes_all_of_a_sweep_or_nothing(
    open_sandbox, tmp_path, monkeypatch, variable, most, setting, values, sentence
):
    monkeypatch.setenv(f"INSIDE_LLMS_{variable}", most)
    monkeypatch.setenv("INSIDE_LLMS_WORKERS", "1")
    app = sweep(press(open_sandbox(size="Pico", steps="200"), "train"), setting, *values)
    assert not app.exception
    assert sentence in errors(app)
    assert len(RunStore(tmp_path).all()) == 1


def test_a_run_between_two_steps_is_said_to_wait(open_sandbox, tmp_path):
    press(open_sandbox(size="Pico", steps="200"), "train")
    run = replace(the_run(tmp_path), state=RunState.RUNNING, step=60)
    assert badge_of(run)[0] == "training"
    hold_after(launcher().store.run_folder(run.id), 61)
    assert badge_of(run)[0] == "training"  # it takes the step
    assert badge_of(replace(run, step=61))[0] == "waits for you"


def test_only_queued_runs_were_made(tmp_path):
    queue = RunQueue(RunStore(tmp_path), Limits(workers=1, threads=1))
    queue.close()
    assert queue.store.all() == []
