"""A fine-tuning is a run of the store while it trains: seen, stopped, and closed from elsewhere."""

import time
from dataclasses import replace

import pytest
import torch

from llm_core.data.labelled_texts import make_texts
from llm_core.finetuning.recording import Recording
from llm_core.finetuning.settings import FinetuneSettings
from llm_core.finetuning.trainings import ClassifierTraining
from llm_core.pretrained.tiny import load_tiny
from llm_core.training.booth import Booth
from llm_core.training.checkpoint_index import checkpoint_step, list_checkpoints
from llm_core.training.checkpoints import load_newest_model
from llm_core.training.config import RunConfig
from llm_core.training.head_files import has_head
from llm_core.training.limits import Limits
from llm_core.training.queue import RunQueue
from llm_core.training.runs import RunState

pytestmark = pytest.mark.usefixtures("few_tales")
TEXTS = make_texts("who", train=40, test=20)
LONG = FinetuneSettings(trained="head", steps=100_000, batch_size=8, score_interval=50)


@pytest.fixture
def queue(store, monkeypatch):
    monkeypatch.setattr(RunQueue, "_start", lambda self, run_id: None)  # places only, no process
    queue = RunQueue(store, Limits(workers=1))
    yield queue
    queue.close()


def recorded(store, settings=LONG, **options):
    work = ClassifierTraining(settings, TEXTS)
    work.run_id = "a" * 22
    recording = Recording(store, work, owner="me", title="gifts", **options)
    work.recording, work.after_piece = recording, recording.note
    return work


def begun(store, booth, steps=3, **options):
    """Return a training that has taken some steps."""
    work = booth.admit(lambda: recorded(store, **options))
    while len(work.losses) < steps:
        booth.go_on(work, 0.01)
    return work


def test_it_is_a_run_that_grows_from_its_first_score_on(store):
    booth, work = Booth(), recorded(store)
    booth.admit(lambda: work)
    assert store.all() == []
    while not work.scores:
        booth.go_on(work, 0.0)
    run = store.get(work.run_id)
    assert (run.owner, run.state, run.title) == ("me", RunState.RUNNING, "Fine-tuned: gifts")
    assert run.facts.uniform_loss == pytest.approx(0.6931, abs=1e-4)  # ln 2: there are two labels
    for _ in range(3):
        booth.go_on(work, 0.01)
        curves = store.curves(work.run_id)
        assert [each.step for each in curves.evaluations] == [each.step for each in work.scores]
        interval = run.config.log_interval
        points = [each.step for each in curves.points]
        assert points == [
            each.step for each in work.losses if each.step == 1 or each.step % interval == 0
        ]
    assert list_checkpoints(store.run_folder(work.run_id)) == []
    assert booth.of_run(work.run_id) is work
    assert booth.of_run("another") is None


def test_a_wish_to_stop_that_stands_in_the_record_is_heeded_and_all_is_kept(store, queue):
    booth = Booth()
    work = begun(store, booth)
    queue.stop(store.get(work.run_id), by="me")
    assert work.active
    booth.go_on(work, 0.01)
    assert work.state == "stopped"
    run = store.get(work.run_id)
    assert run.state is RunState.STOPPED
    model, _ = load_newest_model(store.run_folder(run.id))
    assert torch.equal(model.token_embedding.weight, load_tiny()[0].token_embedding.weight)
    assert has_head(store.run_folder(run.id))
    kept = list_checkpoints(store.run_folder(run.id))
    assert [checkpoint_step(each) for each in kept] == [len(work.losses)]
    queue.delete(run, by="me")
    work.settle()  # nothing comes back
    assert store.all() == []
    assert not store.run_folder(run.id).exists()


def test_who_comes_next_ends_it_and_it_is_kept(store):
    booth = Booth(patience=0.0)
    first = begun(store, booth)
    second = recorded(store)
    second.run_id = "b" * 22
    booth.admit(lambda: second)
    assert store.get(first.run_id).state is RunState.STOPPED
    assert has_head(store.run_folder(first.run_id))


def test_who_leaves_for_good_ends_it(store):
    work = begun(store, Booth(), leave_seconds=0.3)
    deadline = time.monotonic() + 30
    while store.get(work.run_id).active and time.monotonic() < deadline:
        time.sleep(0.05)
    assert store.get(work.run_id).state is RunState.STOPPED
    assert work.state == "stopped"
    assert has_head(store.run_folder(work.run_id))


def test_without_a_step_there_is_no_run_in_the_end(store):
    booth, work = Booth(), recorded(store)
    booth.admit(lambda: work)
    while not work.scores:
        booth.go_on(work, 0.0)
    assert store.get(work.run_id).active
    work.stop()
    work.settle()
    assert store.all() == []
    assert not work.recording.begun


def test_it_takes_no_place_of_the_queue_and_the_queue_does_not_end_its_server(store, queue):
    work = begun(store, Booth())
    waiting = store.create(RunConfig(corpus="tiny_tales"), owner="you", title="x")
    assert store.claim(waiting.id, 1)
    run = store.get(work.run_id)
    asked_long_ago = replace(run, stop_requested=time.time() - 3600)
    assert queue.check(asked_long_ago) == asked_long_ago  # else this very process were ended now
    gone = replace(run, pid=2**22 + 1)
    assert queue.check(gone).state is RunState.INTERRUPTED


def test_where_there_is_no_room_it_trains_all_the_same(store):
    work = recorded(store, replace(LONG, steps=4))
    work.recording.refuse("You keep 50 runs.")
    booth = Booth()
    booth.admit(lambda: work)
    while work.active:
        booth.go_on(work, 0.1)
    assert (work.state, len(work.losses)) == ("done", 4)
    assert work.recording.trouble == "You keep 50 runs."
    assert store.all() == []


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_training_that_breaks_down_is_a_run_that_failed(store):
    booth = Booth()
    work = begun(store, booth)
    work._events = (1 / 0 for _ in "x")
    booth.go_on(work, 0.01)
    work.settle()
    run = store.get(work.run_id)
    assert run.state is RunState.FAILED
    assert "our mistake" in run.reason
