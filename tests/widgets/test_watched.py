"""What a page has read of a run is not read again, and forgotten where the run was set back."""

from types import SimpleNamespace

import pytest

from llm_core.training.config import RunConfig
from llm_core.training.events import EvalEvent, LayerEvent, StartEvent
from llm_core.training.points import Point
from llm_core.training.runs import RunState, RunStore
from pages.widgets import watched as module
from pages.widgets.watched import watched

START = StartEvent(0, 20, 3000, 900, 100, 3.0, 2.0, "cpu")


@pytest.fixture
def store(tmp_path, monkeypatch):
    store = RunStore(tmp_path)
    monkeypatch.setattr(module, "launcher", lambda: SimpleNamespace(store=store))
    return store


def test_only_what_is_new_is_read_and_what_was_taken_back_is_forgotten(store, monkeypatch):
    run = store.create(RunConfig(corpus="tiny_tales"), owner="me", title="A run")
    store.record_start(run.id, START)

    def record(step):
        store.record_point(run.id, Point(step, 3.0 / step, 0.1, 1.0, 500.0, 0.1 * step))
        store.record_measured(run.id, LayerEvent(step, (1.0,), (0.1,)))

    for step in (1, 2, 3):
        record(step)
    store.record_evaluation(run.id, EvalEvent(2, 2.5, 99))
    assert [each.step for each in watched(store.get(run.id)).points] == [1, 2, 3]
    record(4)
    asked = []
    read = store.news
    monkeypatch.setattr(
        store, "news", lambda run_id, after: asked.append(after) or read(run_id, after)
    )
    seen = watched(store.get(run.id))
    assert asked == [{"points": 3, "layers": 3}]
    assert (
        [each.step for each in seen.points] == [each.step for each in seen.layers] == [1, 2, 3, 4]
    )
    assert [each.step for each in seen.evaluations] == [2]

    store.finish(run.id, RunState.STOPPED)
    store.restart(run.id)
    assert len(watched(store.get(run.id)).points) == 4  # it waits: nothing was taken back yet
    store.claim(run.id, 9)
    store.record_start(run.id, StartEvent(2, 20, 3000, 900, 100, 3.0, 2.0, "cpu"))
    assert [each.step for each in watched(store.get(run.id)).points] == [1, 2]
    record(3)
    assert [each.step for each in watched(store.get(run.id)).points] == [1, 2, 3]


def test_those_who_watch_one_run_share_what_was_read_and_nobodys_list_grows(store, monkeypatch):
    run = store.create(RunConfig(corpus="tiny_tales"), owner="me", title="A run")
    store.record_start(run.id, START)
    store.record_point(run.id, Point(1, 3.0, 0.1, 1.0, 500.0, 0.1))
    mine = watched(store.get(run.id))
    store.record_point(run.id, Point(2, 2.0, 0.1, 1.0, 500.0, 0.2))
    yours = watched(store.get(run.id))
    assert [each.step for each in mine.points] == [1]  # being drawn meanwhile, in another thread
    assert [each.step for each in yours.points] == [1, 2]
    assert yours.points[0] is mine.points[0]

    monkeypatch.setattr(module, "_MOST_RUNS", 1)
    other = store.create(RunConfig(corpus="tiny_tales"), owner="me", title="Another")
    watched(other)
    again = watched(store.get(run.id))
    assert again.points == yours.points
    assert again.points[0] is not mine.points[0]  # it was let go, and read anew
