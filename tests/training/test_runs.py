import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from llm_core.training.checkpoint_index import list_checkpoints
from llm_core.training.events import EvalEvent, SampleEvent, StartEvent
from llm_core.training.limits import Limits
from llm_core.training.points import Point
from llm_core.training.queue import RunQueue
from llm_core.training.runs import OWN_TEXT, RunState, RunStore

ROOT = Path(__file__).parents[2]
TEXT = "the cat sat on the mat. the dog sat on the log.\n" * 40
START = StartEvent(0, 20, 3000, 900, 100, 3.0, 2.0, "cpu")


@pytest.fixture
def store(tmp_path):
    return RunStore(tmp_path / "data")


@pytest.fixture
def queue(store):
    queue = RunQueue(store, Limits(workers=2, threads=1))
    yield queue
    queue.close()


def own(config_of, **changes):
    return config_of(
        **(
            {
                "text_path": OWN_TEXT,
                "steps": 100_000,
                "eval_interval": 500,
                "checkpoint_interval": 0,
            }
            | changes
        )
    )


def wait_for(queue, run, condition, seconds=60):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        now = queue.check(queue.store.get(run.id))
        if condition(now):
            return now
        time.sleep(0.05)
    log = queue.store.run_folder(run.id) / "worker.log"
    raise AssertionError(f"waited in vain; the run is {now.state}; its log: {log.read_text()}")


def is_at_work(pid):
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


def learning(run):
    return run.state is RunState.RUNNING and run.step > 10


def ended(run):
    return not run.active


def test_what_is_recorded_comes_back(store, tiny_run):
    run = store.create(tiny_run(), owner="me", title="A run")
    assert run.state is RunState.QUEUED
    assert run.facts is None
    store.record_start(run.id, START)
    points = [Point(step, 3.0 / step, 0.1, 1.0, 500.0, 0.1 * step) for step in (1, 5, 10)]
    for point in points:
        store.record_point(run.id, point)
    evaluations = [EvalEvent(0, 3.0, 99), EvalEvent(10, 2.0, 99)]
    for event in evaluations:
        store.record_evaluation(run.id, event)
    samples = [SampleEvent(10, "the", " 'cat'\n\0")]
    store.record_sample(run.id, samples[0])
    now = store.get(run.id)
    assert (now.state, now.step, now.facts) == (RunState.RUNNING, 10, START)
    assert now.config == tiny_run()
    assert store.points(run.id) == points
    assert store.evaluations(run.id) == evaluations
    assert store.samples(run.id) == samples


def test_runs_have_owners_and_unguessable_names(store, tiny_run):
    runs = [store.create(tiny_run(), owner=owner, title="x") for owner in ("me", "you", "me")]
    assert store.latest("me").id == runs[2].id
    assert store.latest("nobody") is None
    assert store.get("nonsense") is None
    assert len({run.id for run in runs}) == 3
    assert all(len(run.id) >= 22 for run in runs)  # 128 random bits


def test_the_first_end_of_a_run_stands(store, tiny_run):
    run = store.create(tiny_run(), owner="me", title="x")
    assert store.finish(run.id, RunState.DONE)
    assert not store.finish(run.id, RunState.FAILED, "too late")
    assert (store.get(run.id).state, store.get(run.id).reason) == (RunState.DONE, "")


def test_going_on_drops_what_lies_after_the_checkpoint(store, tiny_run):
    run = store.create(tiny_run(), owner="me", title="x")
    for step in (1, 5, 10):
        store.record_point(run.id, Point(step, 1.0, 0.1, 1.0, 500.0, 1.0))
    store.restart(run.id)
    store.record_start(run.id, StartEvent(5, 20, 3000, 900, 100, 3.0, 2.0, "cpu"))
    assert [point.step for point in store.points(run.id)] == [1, 5]
    assert store.get(run.id).step == 5


def test_the_database_is_in_wal_mode(store):
    with sqlite3.connect(store.folder / "runs.sqlite") as database:
        (mode,) = database.execute("PRAGMA journal_mode").fetchone()
    database.close()
    assert mode == "wal"


def test_a_run_trains_in_a_process_of_its_own_until_it_is_done(queue, tiny_run):
    config = own(tiny_run, steps=60, eval_interval=20, sample_interval=20)
    run = queue.launch(config, owner="me", title="x", text=TEXT)
    done = wait_for(queue, run, ended)
    assert (done.state, done.step) == (RunState.DONE, 60)
    assert done.pid != os.getpid()
    assert done.facts.train_tokens == int(len(TEXT) * 0.9)
    assert queue.store.points(run.id)[-1].loss < done.facts.uniform_loss
    assert [event.step for event in queue.store.evaluations(run.id)] == [0, 20, 40, 60]
    assert [event.step for event in queue.store.samples(run.id)] == [0, 20, 40, 60]
    wait_for(queue, run, lambda now: not is_at_work(now.pid))
    assert (queue.store.run_folder(run.id) / "worker.log").read_text() == ""


def test_stopping_keeps_what_was_learnt_and_going_on_finishes(queue, tiny_run):
    run = queue.launch(own(tiny_run, steps=3000), owner="me", title="x", text=TEXT)
    queue.stop(wait_for(queue, run, learning), by="me")
    asked = time.monotonic()
    stopped = wait_for(queue, run, ended)
    assert stopped.state is RunState.STOPPED
    assert time.monotonic() - asked < 5  # a second on an idle machine
    (checkpoint,) = list_checkpoints(queue.store.run_folder(run.id))
    queue.resume(stopped, by="me")
    done = wait_for(queue, run, ended, seconds=120)
    assert (done.state, done.facts.step) == (RunState.DONE, int(checkpoint.name[-8:]))
    steps = [point.step for point in queue.store.points(run.id)]
    assert steps == sorted(set(steps))
    assert steps[-1] == 3000


def test_a_run_can_be_stopped_before_it_begins_to_learn(queue, tiny_run):
    run = queue.launch(own(tiny_run), owner="me", title="x", text=TEXT)
    queue.stop(queue.store.get(run.id), by="me")
    assert wait_for(queue, run, ended).state is RunState.STOPPED


def test_a_killed_worker_is_reported_as_failed_with_the_reason(queue, tiny_run):
    run = queue.launch(own(tiny_run), owner="me", title="x", text=TEXT)
    os.kill(wait_for(queue, run, learning).pid, signal.SIGKILL)
    failed = wait_for(queue, run, ended)
    assert failed.state is RunState.FAILED
    assert "SIGKILL" in failed.reason


def test_another_server_notices_a_dead_worker_too(queue, store, tiny_run):
    run = queue.launch(own(tiny_run), owner="me", title="x", text=TEXT)
    pid = wait_for(queue, run, learning).pid
    other = RunQueue(store, Limits(workers=1))
    assert other.check(store.get(run.id)).state is RunState.RUNNING
    os.kill(pid, signal.SIGKILL)
    found = wait_for(other, run, ended)  # its own server may be first to see it, and knows more
    assert found.state is RunState.FAILED
    assert re.match("The training process (is gone|was ended by the system)", found.reason)


def test_a_worker_that_fails_says_why(queue, tiny_run):
    config = own(tiny_run, sample_interval=5, sample_prompt="€")
    run = queue.launch(config, owner="me", title="x", text=TEXT)
    failed = wait_for(queue, run, ended)
    assert failed.state is RunState.FAILED
    assert "never seen '€'" in failed.reason


def test_a_process_that_never_came_is_not_waited_for_for_ever(queue, store, tiny_run):
    queue.close()
    run = store.create(tiny_run(), owner="me", title="x")
    assert store.claim(run.id, 2)
    assert queue.check(store.get(run.id)).active
    store._change(run.id, launched=time.time() - 60)
    assert queue.check(store.get(run.id)).state is RunState.FAILED


def test_a_run_above_the_places_waits_and_starts_when_one_is_free(queue, tiny_run):
    runs = [
        queue.launch(own(tiny_run), owner=owner, title="x", text=TEXT) for owner in ("a", "b", "c")
    ]
    assert queue.places() == {runs[2].id: 1}
    assert queue.store.get(runs[2].id).state is RunState.QUEUED
    queue.stop(queue.store.get(runs[0].id), by="a")
    wait_for(queue, runs[0], ended)
    wait_for(queue, runs[2], learning)
    assert queue.places() == {}


SERVER = """
import sys, time
from pathlib import Path
from llm_core.training.config import RunConfig
from llm_core.training.queue import RunQueue
from llm_core.training.runs import RunStore
queue = RunQueue(RunStore(Path(sys.argv[1])))
run = queue.launch(RunConfig.from_json(sys.argv[2]), owner="me", title="x", text=sys.argv[3])
print(run.id, flush=True)
time.sleep(600)
"""


def test_a_worker_whose_server_is_killed_ends_resumable(store, tiny_run):
    command = [sys.executable, "-c", SERVER, str(store.folder), own(tiny_run).to_json(), TEXT]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as server:
        run = store.get(server.stdout.readline().strip())
        new_server = RunQueue(store)
        wait_for(new_server, run, learning)
        server.kill()
    interrupted = wait_for(new_server, run, ended)
    assert interrupted.state is RunState.INTERRUPTED
    assert list_checkpoints(store.run_folder(run.id))
    new_server.resume(interrupted, by="me")
    going_on = wait_for(new_server, run, lambda now: now.step > interrupted.step)
    assert going_on.facts.step >= 10
    new_server.close()
