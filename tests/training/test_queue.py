import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import psutil
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_core.training.checkpoint_index import list_checkpoints
from llm_core.training.fairness import Waiting, starting_order
from llm_core.training.limits import HOSTED, Limits
from llm_core.training.queue import RunQueue
from llm_core.training.recipes import Recipe
from llm_core.training.runs import OWN_TEXT, RunState, RunStore

ROOT = Path(__file__).parents[2]
TEXT = "the cat sat on the mat. the dog sat on the log.\n" * 40
ONE = Limits(workers=1, threads=1)


def own(config_of, **changes):
    usual = {"text_path": OWN_TEXT, "steps": 100_000, "eval_interval": 0, "checkpoint_interval": 50}
    return config_of(**(usual | changes))


def wait_for(store, run, condition, seconds=90):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        now = store.get(run.id)
        if condition(now):
            return now
        time.sleep(0.05)
    raise AssertionError(f"waited in vain: {store.get(run.id)}")


def learning(run):
    return run.state is RunState.RUNNING and run.step > 50


@pytest.fixture
def store(tmp_path):
    return RunStore(tmp_path / "data")


@pytest.fixture
def queue_of(store):
    """Make a queue with these limits; it is closed in the end."""
    made = []

    def make(limits):
        made.append(RunQueue(store, limits))
        return made[-1]

    yield make
    for queue in made:
        queue.close()


OWNERS = st.sampled_from("abcd")


@settings(max_examples=300, deadline=None)
@given(st.lists(OWNERS | st.none(), min_size=1, max_size=60))
def test_visitors_take_turns(happenings):
    """Letters: a run of that visitor comes; None: a place gets free, and the next run starts."""
    waiting, served, started = [], {}, []
    place_before = {}
    for now, owner in enumerate(happenings, start=1):
        if owner:
            waiting.append(Waiting(f"{now:03}", owner, float(now)))
        elif waiting:
            first = starting_order(waiting, served)[0]
            waiting.remove(first)
            served[first.owner] = float(now)
            started.append((now, first))
        order = starting_order(waiting, served)
        assert sorted(order, key=lambda each: each.run) == waiting  # nobody is lost
        for each in {w.owner: w for w in reversed(waiting)}.values():  # oldest of each visitor
            place = order.index(each)
            assert place <= place_before.get(each.run, place)  # newcomers push nobody back
            place_before[each.run] = place
    for now, first in started:
        begun = [each for when, each in started if first.since < when < now]
        mine = [each for each in begun if each.owner == first.owner]
        since = max([first.since, *(when for when, each in started if each in mine)])
        meanwhile = Counter(each.owner for when, each in started if since < when < now)
        assert all(count == 1 for count in meanwhile.values())  # nobody twice while I wait
    by_owner = {}
    for _, each in started:
        assert each.run > by_owner.get(each.owner, "")  # one's own runs in their order
        by_owner[each.owner] = each.run


def test_a_real_queue_takes_turns_too(queue_of, store, tiny_run):
    queue = queue_of(ONE)
    config = own(tiny_run, steps=5, log_interval=1)
    runs = [
        queue.launch(config, owner=owner, title=str(number), text=TEXT)
        for number, owner in enumerate("aaab")
    ]
    places = queue.places()
    assert [places[runs[number].id] for number in (1, 3, 2)] == [1, 2, 3]
    for run in runs:
        wait_for(store, run, lambda now: not now.active)
    by_start = sorted((store.get(run.id) for run in runs), key=lambda run: run.launched)
    assert [(run.state, run.reason) for run in by_start] == [
        (RunState.DONE, "It has taken all of its 5 steps.")
    ] * 4
    assert "".join(run.title for run in by_start) == "0132"


def test_who_leaves_for_ever_frees_the_place_and_a_started_run_goes_on(queue_of, store, tiny_run):
    queue = queue_of(ONE)
    first = queue.launch(own(tiny_run), owner="a", title="x", text=TEXT)
    gone = queue.launch(own(tiny_run), owner="b", title="x", text=TEXT)
    here = queue.launch(own(tiny_run, steps=1), owner="c", title="x", text=TEXT)
    wait_for(store, first, learning)
    assert queue.places() == {gone.id: 1, here.id: 2}
    with store.database.transaction(write=True) as connection:  # 130 seconds go by
        from llm_core.training.run_rows import write_row

        for owner in "ab":
            write_row(connection, "visitors", (owner, time.time() - 130, 0.0))
    store._change(gone.id, launched=time.time() - 130)
    left = wait_for(store, gone, lambda run: not run.active)
    assert (left.state, "nobody was here" in left.reason) == (RunState.STOPPED, True)
    assert queue.places() == {here.id: 1}
    assert store.get(first.id).state is RunState.RUNNING
    queue.stop(store.get(first.id), by="a")
    wait_for(store, here, lambda run: run.state is RunState.DONE)
    queue.resume(left, by="b")  # who comes back may queue again
    assert wait_for(store, gone, learning)


def test_only_the_owner_controls_a_run(queue_of, store, tiny_run):
    queue = queue_of(ONE)
    run = queue.launch(own(tiny_run), owner="me", title="x", text=TEXT)
    for action in (queue.stop, queue.delete, queue.resume):
        with pytest.raises(PermissionError, match="somebody else's"):
            action(run, by="you")
    with pytest.raises(ValueError, match="Stop this run"):
        queue.delete(run, by="me")
    queue.stop(wait_for(store, run, learning), by="me")
    queue.delete(wait_for(store, run, lambda now: not now.active), by="me")
    assert store.get(run.id) is None
    assert not store.run_folder(run.id).exists()


SERVER = """
import sys, time
from pathlib import Path
from llm_core.training.config import RunConfig
from llm_core.training.limits import Limits
from llm_core.training.queue import RunQueue
from llm_core.training.runs import RunStore
queue = RunQueue(RunStore(Path(sys.argv[1])), Limits(workers=2, threads=1))
for owner in "abc":
    config = RunConfig.from_json(sys.argv[2])
    print(queue.launch(config, owner=owner, title="x", text=sys.argv[3]).id, flush=True)
time.sleep(600)
"""


def test_a_server_killed_during_three_runs_loses_none_of_them(queue_of, store, tiny_run):
    config = own(tiny_run, steps=3000, checkpoint_interval=20).to_json()
    command = [sys.executable, "-c", SERVER, str(store.folder), config, TEXT]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as server:
        runs = [store.get(server.stdout.readline().strip()) for _ in range(3)]
        workers = [wait_for(store, run, learning).pid for run in runs[:2]]
        server.kill()
    for run in runs[:2]:
        ended = wait_for(store, run, lambda now: not now.active)
        assert ended.state is RunState.INTERRUPTED
        assert list_checkpoints(store.run_folder(run.id))
    deadline = time.monotonic() + 30
    while any(map(psutil.pid_exists, workers)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(map(psutil.pid_exists, workers))  # no orphan
    assert store.get(runs[2].id).state is RunState.QUEUED
    queue = queue_of(Limits(workers=2, threads=1))  # the server comes back
    wait_for(store, runs[2], learning)
    queue.resume(store.get(runs[0].id), by="a")
    again = wait_for(store, runs[0], learning)
    assert again.facts.step > 0


def test_a_run_that_runs_away_is_told_so_and_keeps_its_good_weights(queue_of, store, tiny_run):
    queue = queue_of(ONE)
    recipe = Recipe(name="wild", learning_rate=0.5, schedule="wsd", warmup_steps=0, decay_share=0.0)
    wild = {"learning_rate": 1e30}
    run = queue.launch(
        own(tiny_run, recipe=Recipe(name="wild", warmup_steps=0, **wild)),
        owner="me",
        title="x",
        text=TEXT,
    )
    ended = wait_for(store, run, lambda now: not now.active)
    assert ended.state is RunState.DIVERGED
    assert "learning rate is too high" in ended.reason
    assert recipe.learning_rate < 1


def test_a_worker_that_gets_no_memory_says_so(queue_of, store, tiny_run):
    """The system itself refuses: the worker may map no more than it needs to begin."""
    queue = queue_of(ONE)
    big = dict(tiny_run().model) | {"d_model": 1024, "n_layers": 8, "context_length": 64}
    run = store.create(own(tiny_run, model=big, batch_size=64), owner="me", title="x", text=TEXT)
    now = wait_for(store, run, lambda now: now.pid is not None)
    process = psutil.Process(now.pid)
    process.rlimit(psutil.RLIMIT_DATA, (900_000_000, 900_000_000))
    ended = wait_for(store, run, lambda now: not now.active)
    assert ended.state is RunState.FAILED
    assert re.search("ran out of memory|memory had run out", ended.reason)
    assert queue.trouble == ""


def test_time_that_is_up_ends_a_run_and_keeps_it(store, tiny_run, monkeypatch):
    from llm_core.training import worker

    run = store.create(own(tiny_run), owner="me", title="x", text=TEXT)
    limits = Limits(max_minutes=1, workers=1, threads=1)
    clock = iter(range(0, 10_000, 7))
    monkeypatch.setattr(worker.time, "monotonic", lambda: float(next(clock)))

    class Watch:
        def __init__(self):
            import threading

            self.gone, self.ready = threading.Event(), threading.Event()

    state, reason = worker.work(store, run, Watch(), worker.Recorder(store, run), limits)
    assert state is RunState.STOPPED
    assert "1 minutes" in reason
    assert list_checkpoints(store.run_folder(run.id))


@pytest.mark.parametrize(
    ("limit", "sentence"),
    [
        ({"max_parameters": 2000}, "3,000 parameters, and 2,000 are allowed"),
        ({"max_steps": 99}, "100 steps, and 99 are allowed"),
        ({"max_memory_mb": 100}, "0.1 GB can be had here"),
    ],
)
def test_runs_above_a_limit_are_refused_with_the_number_allowed(tiny_run, limit, sentence):
    limits = Limits(workers=1, **limit)
    with pytest.raises(ValueError, match=sentence):
        limits.check_run(tiny_run(steps=100), parameters=3000, vocab_size=20, free=10**10)
    Limits(workers=1).check_run(tiny_run(steps=100), parameters=3000, vocab_size=20, free=10**10)


def test_visitors_above_a_limit_are_refused_with_the_number_allowed(queue_of, tiny_run):
    queue = queue_of(Limits(workers=1, threads=1, max_waiting=1, max_runs=3))
    config = own(tiny_run)
    for _ in range(2):
        queue.launch(config, owner="me", title="x", text=TEXT)
    with pytest.raises(ValueError, match="2 runs in the queue, and 1 are allowed"):
        queue.launch(config, owner="me", title="x", text=TEXT)
    for run in queue.store.of_owner("me"):
        queue.stop(run, by="me")
    wait_for(queue.store, queue.store.of_owner("me")[-1], lambda run: not run.active)
    queue.launch(config, owner="me", title="x", text=TEXT)
    with pytest.raises(ValueError, match="4 runs kept, and 3 are allowed"):
        queue.launch(config, owner="me", title="x", text=TEXT)
    with pytest.raises(ValueError, match="and 1 MB are allowed"):
        Limits(max_upload_mb=1).check_upload(1_100_000)
    with pytest.raises(ValueError, match="and 1 MB are allowed"):
        Limits(max_disk_mb=1).check_disk(1_100_000)


def test_limits_come_from_the_environment_and_go_to_the_worker():
    limits = Limits.from_environment({"INSIDE_LLMS_MAX_STEPS": "7", "INSIDE_LLMS_WORKERS": "3"})
    assert (limits.max_steps, limits.workers, limits.max_parameters) == (7, 3, None)
    assert Limits.from_environment({"INSIDE_LLMS_HOSTED": "1"}) == HOSTED
    assert Limits.from_environment(HOSTED.to_environment()) == HOSTED
    with pytest.raises(ValueError, match="INSIDE_LLMS_MAX_STEPS must be a whole number"):
        Limits.from_environment({"INSIDE_LLMS_MAX_STEPS": "many"})
    with pytest.raises(ValueError, match="at least 90"):
        Limits(lease_seconds=30)


def test_two_workers_never_train_the_same_run(store, tiny_run):
    from llm_core.training.worker import only_worker

    folder = store.run_folder(store.create(own(tiny_run), owner="me", title="x", text=TEXT).id)
    with only_worker(folder), pytest.raises(OSError), only_worker(folder):  # noqa: PT011
        pass


def test_workers_come_after_pages(queue_of, store, tiny_run):
    queue = queue_of(ONE)
    run = queue.launch(own(tiny_run), owner="me", title="x", text=TEXT)
    pid = wait_for(store, run, learning).pid
    assert psutil.Process(pid).nice() >= psutil.Process(os.getpid()).nice() + 10
    assert psutil.Process(pid).environ()["OMP_NUM_THREADS"] == "1"
    os.kill(pid, signal.SIGKILL)
    failed = wait_for(store, run, lambda now: not now.active)
    assert failed.state is RunState.FAILED  # noticed without anybody looking
