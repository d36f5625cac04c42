import random
import sqlite3
import threading
import time
from contextlib import closing

import pytest

from llm_core.training import database as database_module
from llm_core.training.database import RecordDamagedError, RecordError
from llm_core.training.events import EvalEvent, SampleEvent, StartEvent
from llm_core.training.limits import Limits
from llm_core.training.points import Point
from llm_core.training.queue import RunQueue
from llm_core.training.runs import RunState, RunStore
from llm_core.training.worker import Recorder

START = StartEvent(0, 20, 3000, 900, 100, 3.0, 2.0, "cpu")


@pytest.fixture
def store(tmp_path, tiny_run):
    """A store with two runs and their curves."""
    store = RunStore(tmp_path / "data")
    for owner in ("me", "you"):
        run = store.create(tiny_run(), owner=owner, title="Ein Lauf, süß")
        store.record_start(run.id, START)
        for step in range(1, 60):
            store.record_point(run.id, Point(step, 3.0 / step, 0.1, 1.0, 500.0, 0.1 * step))
            store.record_evaluation(run.id, EvalEvent(step, 2.0 / step, 99))
            store.record_sample(run.id, SampleEvent(step, "the", " cat" * 20))
        store.finish(run.id, RunState.STOPPED)
        store.see(owner)
    return store


def everything(store):
    runs = [run for owner in ("me", "you") for run in store.of_owner(owner)]
    return runs, [store.curves(run.id) for run in runs], dict(store.visitors())


def whole_file(store):
    """The database as one file, nothing beside it."""
    with closing(sqlite3.connect(store.database.path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.execute("PRAGMA journal_mode=DELETE")
    return store.database.path.read_bytes()


def put(store, data):
    for path in store.folder.glob("runs.sqlite-*"):
        path.unlink()
    store.database.path.write_bytes(data)


def test_a_truncated_database_is_never_read_as_a_shorter_one(store):
    expected, data = everything(store), whole_file(store)
    draw = random.Random(0)
    for _ in range(200):
        put(store, data[: draw.randrange(len(data))])
        with pytest.raises(RecordError):
            store.database.check()
    put(store, data)
    assert everything(store) == expected


def test_a_flipped_bit_in_the_database_never_gives_other_data(store):
    expected, data = everything(store), whole_file(store)
    draw, refused = random.Random(0), 0
    for _ in range(200):
        damaged = bytearray(data)
        damaged[draw.randrange(len(data))] ^= 1 << draw.randrange(8)
        put(store, bytes(damaged))
        try:
            store.database.check()
            assert everything(store) == expected  # a bit that says nothing, in free space
        except RecordError:
            refused += 1
    assert refused > 50


def test_a_damaged_database_gives_way_to_the_last_good_copy(store, tmp_path):
    store.check_or_repair()
    assert store.note == ""
    expected = everything(store)
    late = store.create(expected[0][0].config, owner="me", title="after the copy")
    store.record_point(late.id, Point(1, 3.0, 0.1, 1.0, 500.0, 0.1))
    put(store, whole_file(store)[:5000])
    again = RunStore(store.folder)
    again.check_or_repair()
    assert "last good copy took its place" in again.note
    assert "1 runs were found again" in again.note
    runs, curves, visitors = everything(again)
    assert [run for run in runs if run.id != late.id] == expected[0]
    assert curves[1:] == expected[1]
    assert visitors == expected[2]
    found = again.get(late.id)
    assert (found.state, found.title, found.owner) == (
        RunState.INTERRUPTED,
        "after the copy",
        "me",
    )
    assert list(store.folder.glob("runs.damaged-*"))  # nothing is thrown away


def test_without_any_database_runs_are_found_by_their_folders(store):
    expected = {run.id: (run.owner, run.title) for run in everything(store)[0]}
    for path in store.folder.glob("runs.*"):
        path.unlink()
    again = RunStore(store.folder)
    with pytest.raises(RecordDamagedError, match="is gone"):
        again.latest("me")
    again.check_or_repair()
    assert {run.id: (run.owner, run.title) for run in everything(again)[0]} == expected


def test_a_deleted_run_does_not_come_back_with_the_copy(store):
    store.check_or_repair()
    gone = store.latest("me")
    store.delete(gone.id)
    put(store, b"")
    store.check_or_repair()
    assert store.get(gone.id) is None
    assert store.latest("you")


def test_a_running_server_repairs_what_is_damaged_under_its_hands(store):
    queue = RunQueue(store, Limits(workers=1, threads=1))
    try:
        put(store, whole_file(store)[:3000])
        deadline = time.monotonic() + 30
        while not store.note and time.monotonic() < deadline:
            time.sleep(0.05)
        assert "last good copy" in store.note
        assert store.latest("me").state is RunState.STOPPED
    finally:
        queue.close()


def test_a_locked_database_is_told_and_a_worker_writes_later(store, monkeypatch):
    monkeypatch.setattr(database_module, "_BUSY_SECONDS", 0.05)
    run = store.create(store.latest("me").config, owner="me", title="x")
    recorder = Recorder(store, run)
    recorder.add(START)
    holder = sqlite3.connect(store.database.path, isolation_level=None, check_same_thread=False)
    holder.execute("BEGIN IMMEDIATE")
    with pytest.raises(RecordError, match="held by another program"):
        store.finish(run.id, RunState.DONE)
    recorder.add(EvalEvent(3, 2.5, 99))  # is kept back
    assert store.evaluations(run.id) == []  # and readers never wait
    threading.Timer(0.5, lambda: holder.execute("COMMIT")).start()
    recorder.finish(RunState.DONE)
    holder.close()
    assert store.evaluations(run.id) == [EvalEvent(3, 2.5, 99)]
    assert store.get(run.id).state is RunState.DONE


def test_a_record_that_cannot_be_written_is_told(store, monkeypatch):
    def full(*_, **__):
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(sqlite3, "connect", full)
    with pytest.raises(RecordError, match=r"cannot be written: .*full"):
        store.latest("me")


def test_another_programs_tables_are_refused(tmp_path):
    (tmp_path / "data").mkdir()
    with closing(sqlite3.connect(tmp_path / "data" / "runs.sqlite")) as connection:
        connection.execute("CREATE TABLE runs (id PRIMARY KEY)")
    with pytest.raises(RecordDamagedError, match="other tables"):
        RunStore(tmp_path / "data").latest("me")
