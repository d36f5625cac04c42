import subprocess
import sys
import threading
from pathlib import Path

import pytest

from llm_core.pretrained import registry
from llm_core.pretrained.registry import BUDGET, MODELS, Entry, Registry, default_budget
from llm_core.pretrained.tiny import snapshot_steps
from llm_core.pretrained.translator import translator_steps

MB = 1_000_000


class Shelf(Registry):
    """Models that are only names, of 10, 20, 30 and 100 MB; counts how often each is loaded."""

    def __init__(self, megabytes=60):
        self.loads = []
        self.megabytes = megabytes

        def entry(name, size):
            def load_it(on_progress):
                self.loads.append(name)
                return object()

            return Entry(load_it, size * MB)

        sizes = {"ten": 10, "twenty": 20, "thirty": 30, "hundred": 100}
        entries = {name: entry(name, size) for name, size in sizes.items()}
        super().__init__(entries, budget=lambda: self.megabytes * MB)


def test_a_model_is_loaded_once():
    shelf = Shelf()
    assert shelf.load("ten") is shelf.load("ten")
    assert shelf.loads == ["ten"]


def test_the_longest_unused_go_first():
    shelf = Shelf(megabytes=50)
    for name in ("ten", "twenty", "ten", "thirty"):
        shelf.load(name)
    assert shelf.held() == ["ten", "thirty"]  # twenty made room
    shelf.load("twenty")
    assert shelf.held() == ["thirty", "twenty"]
    assert shelf.loads == ["ten", "twenty", "thirty", "twenty"]


def test_no_more_go_than_must():
    shelf = Shelf(megabytes=60)
    for name in ("ten", "twenty", "thirty"):
        shelf.load(name)
    assert shelf.held() == ["ten", "twenty", "thirty"]


def test_the_budget_may_change_while_the_server_runs():
    shelf = Shelf(megabytes=60)
    for name in ("ten", "twenty"):
        shelf.load(name)
    shelf.megabytes = 35
    shelf.load("thirty")
    assert shelf.held() == ["thirty"]


def test_what_never_fits_is_refused_and_nothing_is_let_go():
    shelf = Shelf()
    shelf.load("ten")
    with pytest.raises(ValueError, match=f"takes 100 MB .* 60 MB for models.*{BUDGET}"):
        shelf.load("hundred")
    assert shelf.held() == ["ten"]


def test_a_model_can_be_let_go():
    shelf = Shelf()
    first = shelf.load("ten")
    shelf.release("ten")
    shelf.release("ten")
    assert shelf.held() == []
    assert shelf.load("ten") is not first


def test_unknown_names_are_refused():
    with pytest.raises(ValueError, match="no model 'gpt5': choose of ten"):
        Shelf().load("gpt5")


def test_many_at_once_load_once():
    shelf, began, release = Shelf(), threading.Event(), threading.Event()
    original = shelf.entries["ten"].load

    def slow(on_progress):
        began.set()
        release.wait()
        return original(on_progress)

    shelf.entries["ten"] = Entry(slow, 10 * MB)
    found = []
    threads = [threading.Thread(target=lambda: found.append(shelf.load("ten"))) for _ in range(8)]
    for thread in threads:
        thread.start()
    began.wait()
    shelf.load("twenty")  # another model does not wait for the one that is being loaded
    shelf.megabytes = 35
    with pytest.raises(ValueError, match="just being loaded"):
        shelf.load("thirty")
    release.set()
    for thread in threads:
        thread.join()
    assert len(set(map(id, found))) == 1
    assert len(found) == 8
    assert shelf.loads == ["twenty", "ten"]


def test_a_load_that_fails_leaves_nothing_behind():
    shelf = Shelf()
    works = shelf.entries["ten"]

    def fail(on_progress):
        raise ValueError("no network")

    shelf.entries["ten"] = Entry(fail, 10 * MB)
    with pytest.raises(ValueError, match="no network"):
        shelf.load("ten")
    shelf.entries["ten"] = works
    shelf.megabytes = 10
    assert shelf.load("ten") is shelf.load("ten")


def test_progress_reaches_whoever_asked():
    seen, shelf = [], Shelf()
    shelf.entries["ten"] = Entry(lambda on_progress: on_progress("half"), 10 * MB)
    shelf.load("ten", on_progress=seen.append)
    assert seen == ["half"]


def test_the_budget_follows_the_environment(monkeypatch, tmp_path):
    monkeypatch.setenv(BUDGET, "300")
    assert default_budget() == 300 * MB
    for wrong in ("much", "0", "-5", "inf", "nan", ""):
        monkeypatch.setenv(BUDGET, wrong)
        with pytest.raises(ValueError, match="number of megabytes above 0"):
            default_budget()


def test_without_it_half_of_the_machine_or_container_is_taken(monkeypatch, tmp_path):
    monkeypatch.delenv(BUDGET, raising=False)
    limit = tmp_path / "memory.max"
    monkeypatch.setattr(registry, "_CONTAINER", limit)
    machine = default_budget()
    assert machine == registry.psutil.virtual_memory().total // 2
    limit.write_text("max\n")
    assert default_budget() == machine
    limit.write_text("1000000000\n")
    assert default_budget() == 500 * MB


def test_the_courses_models_are_shared_and_frozen(monkeypatch):
    monkeypatch.setenv(BUDGET, "12")
    model, tokenizer = registry.load("tiny")
    assert registry.load("tiny")[0] is model
    assert not any(parameter.requires_grad for parameter in model.parameters())
    assert tokenizer.vocab_size == model.config.vocab_size
    start, _ = registry.load("tiny@0")
    assert start is not model
    whole = {"smollm2", "minilm", "glove", "tiny", "tiny_encoder", "tiny_instructions"}
    whole.add("translator")
    snapshots = {f"tiny@{step}" for step in snapshot_steps()}
    snapshots |= {f"translator@{step}" for step in translator_steps()}
    assert set(MODELS.entries) == whole | snapshots
    with pytest.raises(ValueError, match="smollm2 takes 430 MB"):
        registry.load("smollm2")
    MODELS.release("tiny")
    MODELS.release("tiny@0")


@pytest.mark.parametrize("name", ["tiny_encoder", "translator", "translator@0"])
def test_our_own_models_are_shared_and_frozen(name):
    model, _ = registry.load(name)
    assert registry.load(name)[0] is model
    assert not any(parameter.requires_grad for parameter in model.parameters())
    MODELS.release(name)


@pytest.mark.parametrize("name", ["minilm", "glove"])
def test_fetched_models_come_through_the_registry(name):
    assert registry.load(name) is registry.load(name)
    MODELS.release(name)


def test_it_needs_no_torch_until_a_model_is_asked_for():
    code = "import sys, llm_core.pretrained.registry; sys.exit('torch' in sys.modules)"
    root = Path(__file__).parents[2]
    assert subprocess.run([sys.executable, "-c", code], cwd=root, check=False).returncode == 0
