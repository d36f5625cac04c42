"""A head for a shipped model is a run without a model: kept, taken away, brought back, used."""

import io
import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import torch

from llm_core.data.labelled_texts import make_texts
from llm_core.finetuning import trainings
from llm_core.finetuning.keeping import keep_tuned
from llm_core.finetuning.settings import FinetuneSettings
from llm_core.finetuning.trainings import ClassifierTraining
from llm_core.models.config import TransformerConfig
from llm_core.models.gpt import GPT
from llm_core.pretrained import registry
from llm_core.pretrained.tiny import load_tiny
from llm_core.training.archive import pack_run
from llm_core.training.checkpoint_index import list_checkpoints
from llm_core.training.comparison import what_changed
from llm_core.training.config import RunConfig
from llm_core.training.heads import read_head
from llm_core.training.limits import Limits
from llm_core.training.runs import RunState
from llm_core.training.unpacking import bring_run, unpack_run

TEXTS = make_texts("who", train=24, test=12)
SETTINGS = FinetuneSettings(trained="head", steps=20, batch_size=8, score_interval=7)
ROOT = Path(__file__).parents[2]


@pytest.fixture
def stand_in(monkeypatch):
    """A model as wide as SmolLM2, and small else."""
    _, tokenizer = load_tiny()
    config = TransformerConfig(
        vocab_size=tokenizer.vocab_size, context_length=256, d_model=576, n_layers=1, n_heads=9
    )
    model = GPT(config, generator=torch.Generator().manual_seed(1)).eval().requires_grad_(False)
    monkeypatch.setattr(trainings, "load", lambda name: (model, tokenizer))
    monkeypatch.setattr(registry, "load", lambda name: (model, tokenizer))
    return model


@pytest.fixture
def work(stand_in):
    work = ClassifierTraining(SETTINGS, TEXTS, large=True)
    while work.active:
        work.take(1.0)
    return work


@pytest.fixture
def run(store, work):
    return keep_tuned(store, work.result("gifts"), owner="me")


def packed(store, run):
    folder = store.run_folder(run.id)
    return pack_run(folder, title=run.title, curves=store.curves(run.id), facts=run.facts)


def test_nothing_but_the_head_is_kept_of_it(store, run, work, stand_in):
    assert (run.state, run.step, run.config.body) == (RunState.DONE, 20, "smollm2")
    assert "; only a head for SmolLM2 learnt." in run.config.tuned
    folder = store.run_folder(run.id)
    assert list_checkpoints(folder) == []
    assert torch.equal(read_head(folder).weight, work.head().weight)
    assert run.facts.parameters == sum(p.numel() for p in stand_in.parameters()) + 2 * 576
    assert sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) < 30_000
    assert [each.step for each in store.curves(run.id).evaluations] == [0, 7, 14, 20]


def test_its_file_comes_back_and_tells_no_path_of_this_machine(store, run, tmp_path):
    data = packed(store, run)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert {name for name in archive.namelist() if not name.startswith("curves/")} == {
            *("README.md", "head.safetensors", "labels.json", "run.json", "text.txt")
        }
        assert all(str(tmp_path).encode() not in archive.read(name) for name in archive.namelist())
    again = bring_run(unpack_run(data, Limits()), store, owner="you")
    assert (again.state, again.step, again.config.tuned) == (
        RunState.DONE,
        20,
        run.config.tuned,
    )
    head, before = (read_head(store.run_folder(each.id)) for each in (again, run))
    assert head.labels == before.labels == TEXTS.labels
    assert torch.equal(head.weight, before.weight)
    assert store.curves(again.id) == store.curves(run.id)
    assert Path(again.config.text_path).read_text() == Path(run.config.text_path).read_text()
    assert packed(store, again) == data


def test_the_lines_of_its_card_say_what_the_training_says(
    store, run, work, tmp_path, monkeypatch, capsys
):
    with zipfile.ZipFile(io.BytesIO(packed(store, run))) as archive:
        archive.extractall(tmp_path / "file")
    monkeypatch.chdir(tmp_path / "file")
    card = Path("README.md").read_text()
    assert "of 12 after 20 steps" in card
    lines = card.partition("```python\n")[2].partition("```")[0]
    exec(compile(lines, "README.md", "exec"), {})
    shares = work.judge("A text of yours.")
    assert capsys.readouterr().out.strip() == TEXTS.labels[shares.index(max(shares))]


def test_a_long_text_is_cut_as_in_training(work):
    long = "Ben has a hat. " * 200
    cut = work._tokenizer.decode(work._tokenizer.encode(long)[:128])
    assert work.judge(long) == pytest.approx(work.judge(cut), abs=1e-6)


def changed(data, **parts):
    """Return the file with other contents; with None, without them."""
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            content = parts.get(name.partition(".")[0], old.read(name))
            if content is not None:
                new.writestr(name, content)
    return target.getvalue()


def test_a_file_that_will_not_do_is_refused(store, run):
    data = packed(store, run)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        about = json.loads(archive.read("run.json"))

    def with_about(**values):
        return changed(data, run=json.dumps(about | values).encode())

    def with_config(**values):
        return with_about(config=json.dumps(json.loads(about["config"]) | values))

    narrow = json.loads(about["config"])["model"] | {"d_model": 64, "n_heads": 2, "n_kv_heads": 2}
    for file, sentence in (
        (with_about(step=-1), "which step"),
        (with_about(step=True), "which step"),
        (with_about(config=7), "no run's config"),
        (with_config(body=""), "tokenizer 'smollm2'"),
        (with_config(body="gpt-5"), "a model that is shipped"),
        (with_config(tuned=""), "a model that is shipped"),
        (with_config(body="", tokenizer="char"), "lacks its model"),
        (with_config(model=narrow), "not that of the model"),
        (changed(data, text=None), "lacks its model, or the text"),
        (changed(data, text=b"\xff\xfe\xff"), "is no text"),
        (changed(data, head=None), "lacks checkpoint/"),
        (changed(data, labels=None), "half a head"),
    ):
        with pytest.raises(ValueError, match=sentence):
            unpack_run(file, Limits())


def test_the_command_line_says_that_it_cannot_go_on_with_it(store, run, tmp_path):
    file = tmp_path / "run.zip"
    file.write_bytes(packed(store, run))
    command = [sys.executable, "-m", "llm_core.training", "import", str(file)]
    found = subprocess.run(
        [*command, "--out", str(tmp_path / "out")], capture_output=True, text=True, cwd=ROOT
    )
    assert found.returncode != 0
    assert "holds a head for smollm2 and no model" in found.stderr
    assert "Traceback" not in found.stderr


def test_it_is_compared_with_others(run):
    other = RunConfig(corpus="tiny_tales")
    assert "SmolLM2's" in " ".join(map(str, what_changed(run.config, other)))
