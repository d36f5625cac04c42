"""A fine-tuning as a run: the same model, here, in a file, and in transformers."""

import io
import json
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
import torch
import transformers

from llm_core.data.labelled_texts import make_texts
from llm_core.finetuning.classification import sort_text
from llm_core.finetuning.keeping import keep_tuned
from llm_core.finetuning.settings import FinetuneSettings
from llm_core.finetuning.trainings import ClassifierTraining, InstructionTraining
from llm_core.training.archive import pack_run
from llm_core.training.booth import Booth
from llm_core.training.checkpoint_index import latest_checkpoint
from llm_core.training.checkpoints import load_newest, load_newest_model
from llm_core.training.heads import read_head
from llm_core.training.limits import Limits
from llm_core.training.queue import RunQueue
from llm_core.training.runs import RunState
from llm_core.training.unpacking import bring_run, unpack_run

pytestmark = pytest.mark.usefixtures("few_tales")
TEXTS = make_texts("who", train=40, test=20)
LORA = FinetuneSettings(trained="lora", steps=6, batch_size=8, score_interval=3, rank=4)
LIMITS = Limits(workers=1)


@pytest.fixture(scope="module")
def classifier():
    return trained(ClassifierTraining(LORA, TEXTS))


@pytest.fixture(scope="module")
def follower():
    settings = FinetuneSettings(steps=3, batch_size=4, score_interval=3, replay=0.25)
    return trained(InstructionTraining(settings, pairs=40))


def trained(work):
    booth = Booth()
    booth.admit(lambda: work)
    while work.active:
        booth.go_on(work, 0.1)
    return work


def packed(store, run):
    folder = store.run_folder(run.id)
    return pack_run(folder, title=run.title, curves=store.curves(run.id), facts=run.facts)


def unpacked_for_transformers(data, folder):
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        archive.extractall(folder)
    return folder / "transformers"


def test_a_classifier_is_a_run_like_others(store, classifier):
    run = keep_tuned(store, classifier.result("gifts"), owner="me")
    assert store.of_owner("me") == [run]
    assert (run.state, run.step, run.title) == (RunState.DONE, 6, "Fine-tuned: gifts")
    assert "LoRA and the head learnt (rank 4), from pretrained weights" in run.config.tuned
    curves = store.curves(run.id)
    assert [each.step for each in curves.points] == [1, 2, 3, 4, 5, 6]
    assert [each.loss for each in curves.points] == [each.loss for each in classifier.losses]
    assert all(each.gradient_norm > 0 and each.tokens_per_second > 0 for each in curves.points)
    assert curves.points[2].learning_rate == LORA.rate(3)
    scores = classifier.scores
    assert [each.loss for each in curves.evaluations] == [each.loss for each in scores]
    assert [each.right / each.asked for each in curves.answers] == pytest.approx(
        [each.accuracy for each in scores]
    )
    lines = [line.split("\t") for line in curves.answers[-1].text.splitlines()]
    assert len(lines) == 12
    for (text, said, right), each, label in zip(lines, TEXTS.test, scores[-1].said, strict=False):
        assert each.text.startswith(text.removesuffix("…"))
        assert (said, right) == (TEXTS.labels[label], TEXTS.labels[each.label])

    model, tokenizer = load_newest_model(store.run_folder(run.id))
    head = read_head(store.run_folder(run.id))
    assert head.labels == TEXTS.labels
    for each in TEXTS.test[:5]:
        mine = sort_text(model, tokenizer, head.weight, each.text)
        assert mine == pytest.approx(classifier.judge(each.text), abs=1e-5)


def test_transformers_opens_the_classifier_and_says_the_same(
    store, classifier, tmp_path, monkeypatch, capsys
):
    run = keep_tuned(store, classifier.result("gifts"), owner="me")
    folder = unpacked_for_transformers(packed(store, run), tmp_path / "file")
    theirs = transformers.AutoModelForSequenceClassification.from_pretrained(folder).eval()
    assert theirs.config.id2label == dict(enumerate(TEXTS.labels))
    _, tokenizer = load_newest_model(store.run_folder(run.id))
    # Their pooling looks for the last token that is no padding. "!" is token 0: it must count.
    texts = [*(each.text for each in TEXTS.test[:6]), "Ben gave it to Ida!", "Ben gave it!!"]
    rows = [tokenizer.encode(text) for text in texts]
    assert rows[-1][-1] == 0
    longest, pad = max(map(len, rows)), theirs.config.pad_token_id
    padded = torch.tensor([[*row, *[pad] * (longest - len(row))] for row in rows])
    with torch.inference_mode():
        together = theirs(padded).logits.softmax(dim=-1).tolist()
        alone = [theirs(torch.tensor([row])).logits.softmax(dim=-1)[0].tolist() for row in rows]
    for text, one, other in zip(texts, together, alone, strict=True):
        assert one == pytest.approx(classifier.judge(text), abs=1e-4)
        assert other == pytest.approx(classifier.judge(text), abs=1e-4)
    card = (folder.parent / "README.md").read_text()
    lines = card.partition("```python\n")[2].partition("```")[0]
    assert "AutoModelForSequenceClassification" in lines
    monkeypatch.chdir(folder.parent)
    exec(compile(lines, "README.md", "exec"), {})
    shares = classifier.judge("A text of yours.")
    assert capsys.readouterr().out.strip() == TEXTS.labels[shares.index(max(shares))]
    assert f"of 20 after {run.step} steps" in card
    assert "llm_core.training" not in card  # no command of ours repeats it


def test_its_file_comes_back_with_its_head(store, classifier):
    run = keep_tuned(store, classifier.result("gifts"), owner="me")
    found = unpack_run(packed(store, run), LIMITS)
    again = bring_run(found, store, owner="you")
    assert again.config.tuned == run.config.tuned
    head, before = (read_head(store.run_folder(each.id)) for each in (again, run))
    assert head.labels == before.labels
    assert torch.equal(head.weight, before.weight)
    assert store.curves(again.id).answers == store.curves(run.id).answers


def changed(data, name, content):
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(target, "w") as new:
        for each in old.namelist():
            if each != name:
                new.writestr(each, old.read(each))
        if content is not None:
            new.writestr(name, content)
    return target.getvalue()


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("labels.json", None, "half a head"),
        ("labels.json", b"[1, 2]", "a label that is none"),
        ("labels.json", b"{", "cannot be read"),
        ("labels.json", json.dumps(["a", "b", "c"]).encode(), "no row of weights for each label"),
        ("head.safetensors", b"no weights at all", "no file of weights"),
    ],
)
def test_a_spoilt_head_is_refused(store, classifier, name, content, sentence):
    data = packed(store, keep_tuned(store, classifier.result("gifts"), owner="me"))
    with pytest.raises(ValueError, match=sentence):
        unpack_run(changed(data, name, content), LIMITS)


def test_instructions_are_kept_as_a_whole_gpt(store, follower, tmp_path):
    run = keep_tuned(store, follower.result("instructions"), owner="me")
    assert "25% tales mixed in" in run.config.tuned
    model, tokenizer = load_newest_model(store.run_folder(run.id))
    ids = torch.tensor([tokenizer.encode(run.config.sample_prompt)])
    assert torch.equal(model(ids).logits, follower.model(ids).logits)
    folder = unpacked_for_transformers(packed(store, run), tmp_path / "file")
    theirs = transformers.AutoModelForCausalLM.from_pretrained(folder).eval()
    torch.testing.assert_close(theirs(ids).logits, model(ids).logits, atol=1e-4, rtol=1e-4)
    samples = store.curves(run.id).samples
    assert [each.step for each in samples] == [0, 3]
    assert read_head(store.run_folder(run.id)) is None


def test_stopped_it_is_kept_as_stopped_and_before_a_step_not_at_all(store):
    work = ClassifierTraining(replace(LORA, trained="head", steps=500), TEXTS)
    with pytest.raises(ValueError, match="has not begun"):
        work.result("gifts")
    booth = Booth()
    booth.admit(lambda: work)
    booth.go_on(work, 0.001)
    with pytest.raises(ValueError, match="Not one step"):
        keep_tuned(store, work.result("gifts"), owner="me")
    while len(work.losses) < 2:
        booth.go_on(work, 0.01)
    work.stop()
    run = keep_tuned(store, work.result("a\nb" * 100), owner="me")
    assert (run.state, run.step) == (RunState.STOPPED, len(work.losses))
    assert run.title.startswith("Fine-tuned: a ba b")
    assert len(run.title) == 80


def test_the_training_loop_does_not_go_on_with_it(store, follower):
    run = keep_tuned(store, follower.result("instructions"), owner="me")
    with pytest.raises(ValueError, match="fine-tuning"):
        load_newest(store.run_folder(run.id))
    queue = RunQueue(store, LIMITS)
    try:
        for action in (
            lambda: queue.resume(run, by="me"),
            lambda: queue.step_once(run, by="me"),
            lambda: queue.change_rate(run, 0.5, by="me"),
            lambda: queue.change_steps(run, 10, by="me"),
            lambda: queue.branch(run, 3, by="me", title="x", factor=1.0, steps=9),
            lambda: queue.launch(run.config, owner="me", title="x"),
        ):
            with pytest.raises(ValueError, match="fine-tuned"):
                action()
        queue.rename(run, "Mine", by="me")
        assert store.get(run.id).title == "Mine"
        queue.delete(run, by="me")
        assert store.get(run.id) is None
    finally:
        queue.close()


def test_the_record_lost_it_is_found_again(store, classifier):
    run = keep_tuned(store, classifier.result("gifts"), owner="me")
    Path(store.database.path).write_bytes(b"no database" * 100)
    store.check_or_repair()
    again = store.get(run.id)
    assert again.config == run.config
    assert latest_checkpoint(store.run_folder(run.id)).name == "checkpoint-00000006"
