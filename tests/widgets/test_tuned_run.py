"""Fine-tuned runs on the pages of the sandbox: driven there, stopped there, used and inspected."""

from pathlib import Path

import pytest
import torch
from streamlit.testing.v1 import AppTest

from llm_core.data.labelled_texts import make_texts
from llm_core.data.tiny_tales import tiny_tales
from llm_core.finetuning import trainings
from llm_core.finetuning.keeping import keep_tuned
from llm_core.finetuning.recording import Recording
from llm_core.finetuning.settings import FinetuneSettings
from llm_core.finetuning.trainings import ClassifierTraining
from llm_core.models.config import TransformerConfig
from llm_core.models.gpt import GPT
from llm_core.pretrained.tiny import load_tiny
from llm_core.training.queue import RunQueue
from llm_core.training.runs import RunState
from pages.widgets import inspector_models, tuned_run
from pages.widgets.booth import booth
from pages.widgets.training import launcher

ROOT = Path(__file__).parents[2]
TEXTS = make_texts("who", train=24, test=12)
ME = "m" * 22


@pytest.fixture
def open_page(tmp_path, monkeypatch):
    import streamlit as st

    monkeypatch.setenv("INSIDE_LLMS_DATA", str(tmp_path))
    monkeypatch.setattr(RunQueue, "tick", lambda self: None)
    ids = torch.tensor(load_tiny()[1].encode(tiny_tales(6_000, seed=99)))
    monkeypatch.setattr(trainings, "pretraining_text", lambda tokenizer: (ids, ids))
    st.cache_resource.clear()

    def open_(page, **query):
        app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=120)
        app.session_state["_visitor"] = ME
        app.run()
        app.query_params.update(query)
        return app.switch_page(f"pages/{page}.py").run()

    yield open_
    launcher().close()
    st.cache_resource.clear()


def words(app):
    return " ".join(each.value for each in (*app.markdown, *app.caption, *app.text))


def test_the_sandbox_lets_it_go_on_and_its_stop_ends_it(open_page):
    settings = FinetuneSettings(trained="head", steps=100_000, batch_size=8, score_interval=1000)
    work = ClassifierTraining(settings, TEXTS)
    work.run_id = "a" * 22
    store = launcher().store
    recording = Recording(store, work, owner=ME, title="gifts")
    work.recording, work.after_piece = recording, recording.note
    booth().admit(lambda: work)
    while not work.losses:
        booth().go_on(work, 0.01)
    app = open_page("51_training_sandbox", run=work.run_id)
    assert not app.exception
    before = len(work.losses)
    app.run()
    assert len(work.losses) > before
    assert app.button(key="pause").label == "Stop"
    assert not any(each.key == "resume" for each in app.button)
    app.button(key="pause").click().run()
    app.run()
    assert not app.exception
    assert store.get(work.run_id).state is RunState.STOPPED
    assert work.state == "stopped"
    app.text_input(key=f"tuned_text_{work.run_id}").set_value("Ben gave it to Ida.").run()
    assert "It says, with a probability of" in words(app)


def test_a_head_for_smollm2_is_used_and_inspected_once_smollm2_is_there(open_page, monkeypatch):
    _, tokenizer = load_tiny()
    shape = TransformerConfig(
        vocab_size=tokenizer.vocab_size, context_length=256, d_model=576, n_layers=1, n_heads=9
    )
    model = GPT(shape, generator=torch.Generator().manual_seed(1)).eval().requires_grad_(False)
    monkeypatch.setattr(trainings, "load", lambda name: (model, tokenizer))
    settings = FinetuneSettings(trained="head", steps=9, batch_size=8, score_interval=9)
    work = ClassifierTraining(settings, TEXTS, large=True)
    while work.active:
        work.take(1.0)
    run = keep_tuned(launcher().store, work.result("gifts"), owner=ME)

    app = open_page("51_training_sandbox", run=run.id)
    assert not app.exception
    assert any(each.key == "load_smollm2" for each in app.button)
    assert any(each.label == "Its curves for TensorBoard" for each in app.get("download_button"))
    for module in (tuned_run, inspector_models):
        monkeypatch.setattr(module, "requested_model", lambda name, key="": (model, tokenizer))
    app.text_input(key=f"tuned_text_{run.id}").set_value("Ben gave it to Ida.").run()
    assert not app.exception
    shares = work.judge("Ben gave it to Ida.")
    assert f"{max(shares):.1%}" in words(app)
    assert TEXTS.labels[shares.index(max(shares))] in words(app)

    app = open_page("52_model_inspector", model=run.id)
    assert not app.exception
    assert app.selectbox(key="model_source").value == run.id
    assert "what you see is what the head reads" in words(app)
    assert TEXTS.train[0].text[:30] in app.text_area[0].value


def test_the_inspector_asks_its_head_after_each_token(open_page, monkeypatch, capsys):
    settings = FinetuneSettings(trained="head", steps=40, batch_size=8, score_interval=40)
    work = ClassifierTraining(settings, TEXTS)
    while work.active:
        work.take(1.0)
    run = keep_tuned(launcher().store, work.result("gifts"), owner=ME)
    app = open_page("52_model_inspector", model=run.id, view="print")
    assert not app.exception
    text = app.text_area(key="passage").value
    shares = work.judge(text)
    label = TEXTS.labels[shares.index(max(shares))]
    said = " ".join(each.proto.body for each in app.get("html"))
    assert f"In the end it says “{label}”, with {max(shares):.1%}" in said
    calls = [each.code[0].value for each in app.expander if each.label == "Show the code"]
    (call,) = [each for each in calls if "verdicts" in each]
    monkeypatch.chdir(ROOT)
    exec(compile(call, "pasted", "exec"), {})
    assert capsys.readouterr().out.strip() == label
    assert f"# {label}" in call


def test_what_a_tuned_model_has_read_is_not_called_held_out(open_page):
    settings = FinetuneSettings(trained="head", steps=3, batch_size=8, score_interval=3)
    work = ClassifierTraining(settings, TEXTS)
    while work.active:
        work.take(1.0)
    run = keep_tuned(launcher().store, work.result("gifts"), owner=ME)
    app = open_page("52_model_inspector", model=run.id)
    assert not app.exception
    offered = {each.key for each in app.button}
    assert "passage_read in training" in offered
    assert "passage_held out" not in offered
