"""The model inspector with each kind of model, at extremes, and against torch."""

import contextlib
import io
import json
import math
import re
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from streamlit.testing.v1 import AppTest

from llm_core.data.corpora import find_corpus
from llm_core.pretrained.registry import MODELS, load
from llm_core.training.checkpoint_index import list_checkpoints
from llm_core.training.checkpoints import load_model
from llm_core.training.config import RunConfig
from llm_core.training.loop import train
from llm_core.training.run_rows import RunState
from llm_core.training.runs import RunStore
from pages.widgets.inspector_texts import TALE_HELD_OUT, TALE_READ
from pages.widgets.training import launcher

ROOT = Path(__file__).parents[2]
TEXT = "the cat sat on the mat. the dog sat on the log.\n\n" * 80
MODEL = {"n_layers": 1, "n_heads": 2, "d_model": 16, "context_length": 48, "bias": False}
ME = "m" * 22


@pytest.fixture(autouse=True)
def store(tmp_path, monkeypatch):
    monkeypatch.setenv("INSIDE_LLMS_DATA", str(tmp_path))
    launcher.clear()  # another test's record of runs
    yield RunStore(tmp_path)
    launcher.clear()


@pytest.fixture
def run(store):
    """A run of a second, with two checkpoints."""
    return train_run(store)


def train_run(store, *, owner=ME, title="Cats", **changes):
    torch.set_num_threads(1)
    settings = {"corpus": "tiny_tales", "steps": 20, "batch_size": 4, "checkpoint_interval": 10}
    config = RunConfig(model=dict(MODEL), **(settings | changes))
    run = store.create(config, owner=owner, title=title, text=TEXT)
    list(train(run.config, out=store.run_folder(run.id)))
    store.finish(run.id, RunState.DONE)  # or the queue would train it once more
    return run


def open_page(*, me="", **query):
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=120).run()
    app.query_params.update(query)
    if me:
        app.session_state["_visitor"] = me
    return sound(app.switch_page("pages/52_model_inspector.py").run())


def sound(page):
    assert not page.exception
    assert not [text.value for text in page.markdown if "could not be shown" in text.value]
    return page


def said(page):
    kinds = ("info", "warning", "caption", "markdown", "text", "success")
    return "\n".join(each.value for kind in kinds for each in getattr(page, kind))


def metric(page, label):
    return next(each.value for each in page.metric if each.label == label)


def title(page):
    return page.selectbox(key="model_source").value


def address(page, key):
    found = page.query_params[key]
    return found[0] if isinstance(found, list) else found


def sent(page, name):
    """What is sent to the component of that label or key, as data."""
    for each in page.get("bidi_component"):
        if each.proto.id.endswith(name) or f"-{name}-" in each.proto.id:
            return json.loads(each.proto.json)
    raise AssertionError(name)


def complete(page):
    return page.header and page.header[-1].value == "Its nearest in the table"


def cross_entropies(model, ids):
    with torch.no_grad():
        logits = model.eval()(torch.tensor(ids)[None]).logits[0, :-1]
    return F.cross_entropy(logits, torch.tensor(ids[1:]), reduction="none")


def test_without_a_run_it_is_the_tiny_gpt_and_the_way_to_a_run_of_ones_own():
    page = open_page()
    assert title(page) == "tiny"
    assert "You have no model of your own yet" in said(page)
    assert address(page, "model") == "tiny"
    model, tokenizer = load("tiny")
    ids = tokenizer.encode(TALE_HELD_OUT)
    losses = cross_entropies(model, ids)
    mean = float(losses.mean())
    assert metric(page, "Tokens") == str(len(ids))
    assert metric(page, "Mean loss, nats") == f"{mean:.3f}"
    assert metric(page, "Perplexity") == f"{math.exp(mean):.2f}"
    characters = len(tokenizer.decode(ids[1:]))
    bits = float(losses.sum()) / math.log(2) / characters
    assert metric(page, "Bits per character") == f"{bits:.3f}"
    levels = sent(page, "loss_chips")["levels"]
    assert levels[0] == levels[-1] == 0
    assert levels[1:-1] == pytest.approx(losses.tolist(), rel=1e-3, abs=1e-6)


def test_the_tales_are_the_last_of_the_corpus_and_its_first():
    tales = find_corpus("tiny_tales").load().rstrip().split("\n\n")
    assert (tales[0], tales[-1]) == (TALE_READ, TALE_HELD_OUT)


def test_ones_own_newest_run_is_shown_first_and_text_that_it_has_not_read(run):
    page = open_page(me=ME)
    assert title(page) == run.id
    assert "You have no model" not in said(page)
    text = page.text_area(key="passage").value
    assert len(text) == 48
    assert text in TEXT[int(0.9 * len(TEXT)) :]
    model, tokenizer = load_model(list_checkpoints(launcher().store.run_folder(run.id))[-1])
    mean = float(cross_entropies(model, tokenizer.encode(text)).mean())
    assert metric(page, "Mean loss, nats") == f"{mean:.3f}"
    assert complete(page)


@pytest.mark.parametrize("key", ["run", "model"])
def test_a_shared_run_opens_for_a_stranger(run, key):
    page = open_page(me="s" * 22, **{key: run.id})
    assert title(page) == run.id
    assert address(page, "model") == run.id
    assert "run" not in page.query_params
    assert not page.warning
    assert complete(page)


def test_a_kept_step_is_that_very_checkpoint(run, store):
    first = list_checkpoints(store.run_folder(run.id))[0]
    page = open_page(model=f"{run.id}@10")
    model, tokenizer = load_model(first)
    text = page.text_area(key="passage").value
    mean = float(cross_entropies(model, tokenizer.encode(text)).mean())
    assert metric(page, "Mean loss, nats") == f"{mean:.3f}"
    assert page.select_slider(key=f"model_step_{run.id}").value == 10
    page = sound(page.select_slider(key=f"model_step_{run.id}").set_value(20).run())
    assert address(page, "model") == run.id
    assert metric(page, "Mean loss, nats") != f"{mean:.3f}"


@pytest.mark.parametrize("step", ["7", "-1", "9" * 30, "nan", "🦉"])
def test_a_step_that_is_not_kept_gives_the_newest_and_a_sentence(run, step):
    page = open_page(model=f"{run.id}@{step}")
    assert "is not kept" in page.warning[0].value
    assert page.select_slider(key=f"model_step_{run.id}").value == 20
    assert complete(page)


def test_a_run_that_is_gone_or_has_saved_nothing_gives_the_tiny_gpt(store):
    page = open_page(model="nosuchrun")
    assert "not, or no longer, on this machine" in page.warning[0].value
    assert title(page) == "tiny"
    unsaved = store.create(RunConfig(corpus="tiny_tales"), owner=ME, title="New")
    store.finish(unsaved.id, RunState.STOPPED)
    page = open_page(run=unsaved.id)
    assert "has not saved a model yet" in page.warning[0].value
    assert title(page) == "tiny"
    assert complete(page)


def test_a_damaged_checkpoint_is_one_sentence_and_another_step_can_be_chosen(run, store):
    weights = list_checkpoints(store.run_folder(run.id))[-1] / "weights.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"x")
    page = open_page(model=run.id)
    assert [each.value for each in page.warning] == [
        "What this run kept after 20 steps cannot be read: choose another step."
    ]
    page = sound(page.select_slider(key=f"model_step_{run.id}").set_value(10).run())
    assert complete(page)


def test_runs_of_one_title_can_be_told_apart(store, run):
    train_run(store)
    options = open_page(me=ME).selectbox(key="model_source").options
    assert options[:2] == ["Cats", "Cats (2)"]


@pytest.mark.parametrize(
    "text", ["", "x", " ", "\x00", "🦉", "a" * 5000, "<b>*`$x$`*</b> | [a](b)"]
)
@pytest.mark.parametrize("which", ["tiny", "run"])
def test_any_text_is_taken_or_refused_with_a_sentence(run, which, text):
    page = open_page(model=run.id if which == "run" else "tiny")
    page = sound(page.text_area(key="passage").set_value(text).run())
    assert complete(page) or len(page.warning) == 1


def test_a_text_longer_than_the_context_is_cut_with_a_sentence(run):
    page = open_page(model=run.id)
    page = sound(page.text_area(key="passage").set_value("the cat sat on the mat " * 9).run())
    assert "sees 48 at once: what follows is about the first 48" in said(page)
    assert metric(page, "Tokens") == "48"


def test_two_steps_of_one_model_side_by_side():
    page = open_page(beside="tiny@250")
    (model, tokenizer), (earlier, _) = load("tiny"), load("tiny@250")
    ids = tokenizer.encode(TALE_HELD_OUT)
    ours, theirs = cross_entropies(model, ids), cross_entropies(earlier, ids)
    chips = sent(page, "difference_chips")
    assert chips["levels"][1:-1] == pytest.approx((ours - theirs).tolist(), rel=2e-3, abs=1e-4)
    assert min(chips["levels"]) < 0 < max(chips["levels"])
    table = "".join(each.proto.body for each in page.get("html"))
    for losses in (ours, theirs):
        assert f">{float(losses.mean()):.3f}<" in table
    total = abs(float((ours - theirs).sum()))
    assert f"Our tiny GPT is less surprised, by {total:.2f} nats" in said(page)


def test_models_with_other_tokens_are_compared_where_both_end(run):
    page = open_page(model=run.id, beside="tiny", place="6")
    text = "the cat sat on the mat."
    page = sound(page.text_area(key="passage").set_value(text).run())
    chips = sent(page, "difference_chips")
    assert chips["groups"][:4] == ["t", "he", "·cat", "·sat"]
    (model, tokenizer), (tiny, pairs) = (
        load_model(list_checkpoints(launcher().store.run_folder(run.id))[-1]),
        load("tiny"),
    )
    ours = cross_entropies(model, tokenizer.encode(text))
    theirs = cross_entropies(tiny, pairs.encode(text))
    assert len(pairs.encode(" cat")) == 1
    skipped = len(pairs.encode("the"))
    assert skipped == 2
    expected = float(ours[2:6].sum() - theirs[skipped - 1])
    assert chips["levels"][2] == pytest.approx(expected, rel=1e-3)
    # Place 6, the "a" of "cat", lies within the other model's token.
    assert "this is where those begin that hold the place" in said(page)
    assert "**Place 6** is `a`" in said(page)
    assert f"**Place {skipped + 1}** is `·cat`" in said(page)


@pytest.mark.parametrize("colours", ["difference", "the first model", "the second model", "<b>"])
@pytest.mark.parametrize("inside", ["the first model", "the second model"])
def test_every_view_of_two_models_opens_at_every_end(run, colours, inside):
    for place in ("1", "2", "48", "999"):
        page = open_page(model=run.id, beside="tiny@0", colours=colours, inside=inside, place=place)
        assert complete(page)


def test_a_model_beside_itself_is_a_sentence():
    page = open_page(model="tiny@500", beside="tiny@500")
    assert "Both are the same model" in page.info[0].value
    assert complete(page)


def test_what_the_second_model_cannot_read_is_a_sentence(run):
    page = open_page(beside=run.id)
    assert "Cats after 20 steps: This tokenizer has never seen" in page.warning[0].value
    assert complete(page)


def test_a_mistake_leads_to_its_place():
    page = open_page(passage="@one word changed")
    button = next(each for each in page.button if (each.key or "").startswith("mistake_"))
    place = int(button.key.removeprefix("mistake_"))
    page = sound(page.button(key="mistake_" + str(place)).click().run())
    assert f"**Place {place + 1}** is" in said(page)


def test_the_first_place_and_the_one_after_the_text_say_what_they_are():
    assert "nothing predicts it" in open_page(place="1").info[0].value
    page = open_page(place="9999")
    assert "**After the whole text**, it expects:" in said(page)
    assert "its first guess for what comes next" in said(page)


@pytest.mark.parametrize("nonsense", ["-1", "0", "99999999999999999999", "nan", "<b>", "🦉", ""])
def test_nonsense_in_the_address_gives_the_defaults(nonsense):
    keys = ("model", "beside", "place", "layer", "head", "looks", "run", "models")
    page = open_page(**dict.fromkeys(keys, nonsense))
    assert title(page) == "tiny"
    assert complete(page)


def test_every_control_can_go_to_its_ends(run):
    page = open_page(me=ME, beside="tiny")
    for key in ("layer", "head"):
        for end in ("max", "min"):
            widget = page.number_input(key=key)
            page = sound(widget.set_value(getattr(widget, end)).run())
            assert complete(page)
    for key in (f"model_step_{run.id}", "beside_step_tiny"):
        for option in ("first", "last"):
            values = page.select_slider(key=key).options
            value = int(values[0 if option == "first" else -1].replace(",", ""))
            page = sound(page.select_slider(key=key).set_value(value).run())
            assert complete(page)
    for option in page.radio(key="looks").options:
        assert complete(sound(page.radio(key="looks").set_value(option).run()))


def test_a_model_with_fewer_layers_takes_the_last_head_that_it_has(run):
    page = open_page(layer="4", head="4")
    assert "**Layer 4, head 4**" in said(page)
    page = sound(page.selectbox(key="beside_source").set_value("tiny").run())
    page = open_page(model=run.id, layer="4", head="4")
    assert complete(page)


def test_another_model_brings_its_own_example_and_leaves_ones_own_text(run):
    page = open_page(me=ME)
    page = sound(page.selectbox(key="model_source").set_value("tiny").run())
    assert page.text_area(key="passage").value == TALE_HELD_OUT
    page = sound(page.text_area(key="passage").set_value("the cat sat").run())
    page = sound(page.selectbox(key="model_source").set_value(run.id).run())
    assert page.text_area(key="passage").value == "the cat sat"


def test_the_large_model_is_only_loaded_when_it_is_asked_for():
    MODELS.release("smollm2")
    page = open_page(model="smollm2", beside="smollm2")
    assert page.button(key="load_smollm2")
    assert metric(page, "Tokens") == "119"
    assert "smollm2" not in MODELS.held()


@pytest.mark.parametrize("which", ["tiny@500", "run"])
def test_pasted_code_prints_the_numbers_on_screen(run, which, monkeypatch):
    page = open_page(model=f"{run.id}@10" if which == "run" else which, view="print", head="2")
    calls = [each.code[0].value for each in page.expander if each.label == "Show the code"]
    assert len(calls) == 3
    monkeypatch.chdir(ROOT)
    for call in calls:
        expected = re.findall(r"^print\(.*\)\s+# (.*)$", call, re.M)
        assert expected
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(compile(call, "pasted", "exec"), {})
        assert printed.getvalue().splitlines() == expected
