import os
import threading
import time

import pytest

from llm_core.training.booth import Booth
from llm_core.training.translation import TranslatorSettings

SHORT = TranslatorSettings(task="reverse", steps=12, batch_size=4, score_interval=4)
LONG = TranslatorSettings(task="reverse", steps=100_000, batch_size=4, score_interval=100_000)


def wait(condition, seconds=60.0):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)


@pytest.fixture
def booth():
    booth = Booth()
    yield booth
    wait(lambda: not booth.taken)


def test_a_training_runs_to_its_end_and_says_what_it_came_to(booth):
    training = booth.start(SHORT, lambda model: f"{model.config.d_model}")
    wait(lambda: not training.active)
    assert training.state == "done"
    assert [each.step for each in training.losses] == list(range(1, 13))
    assert [each.step for each in training.scores] == [0, 4, 8, 12]
    assert training.said == ["48"] * 4
    wait(lambda: not booth.taken)


def test_one_at_a_time(booth):
    first = booth.start(LONG, lambda model: "")
    with pytest.raises(ValueError, match="Somebody else is training"):
        booth.start(SHORT, lambda model: "")
    first.stop()
    wait(lambda: not booth.taken)
    second = booth.start(SHORT, lambda model: "")
    wait(lambda: not second.active)
    assert first.state == "stopped"
    assert second.state == "done"


def test_what_nobody_watches_stops_by_itself():
    booth = Booth(patience=0.5)
    training = booth.start(LONG, lambda model: "")
    for _ in range(10):  # watched for longer than its patience
        time.sleep(0.1)
        training.look()
    assert training.active
    wait(lambda: not training.active)
    assert training.state == "stopped"
    wait(lambda: not booth.taken)


def test_nothing_goes_on_for_ever():
    booth = Booth(most_seconds=0.3)
    training = booth.start(LONG, lambda model: "")
    wait(lambda: not training.active)
    assert training.state == "stopped"


def test_a_failure_frees_the_booth(monkeypatch):
    booth, seen = Booth(), []
    monkeypatch.setattr(threading, "excepthook", lambda hook: seen.append(hook.exc_type))

    def fail(model):
        raise RuntimeError("broken")

    training = booth.start(SHORT, fail)
    wait(lambda: not training.active)
    wait(lambda: not booth.taken)
    wait(lambda: seen)
    assert training.state == "failed"
    assert seen == [RuntimeError]  # it is reported, too


def test_the_thread_steps_back_behind_the_pages():
    found = {}
    booth = Booth()

    def note(model):
        found["nice"] = os.getpriority(os.PRIO_PROCESS, threading.get_native_id())
        return ""

    before = os.getpriority(os.PRIO_PROCESS, threading.get_native_id())
    training = booth.start(SHORT, note)
    wait(lambda: not training.active)
    assert found["nice"] >= min(before + 5, 19)
    assert os.getpriority(os.PRIO_PROCESS, threading.get_native_id()) == before
