import os
import threading
import time

import pytest
import torch

from llm_core.training.booth import Booth, Work
from llm_core.training.translation import TranslatorSettings

SHORT = TranslatorSettings(task="reverse", steps=12, batch_size=4, score_interval=4)
LONG = TranslatorSettings(task="reverse", steps=100_000, batch_size=4, score_interval=100_000)


def nothing(model):
    return ""


def finish(booth, training):
    while training.active:
        booth.go_on(training, 0.1)


def test_a_training_goes_on_piece_by_piece_to_its_end():
    booth = Booth()
    training = booth.start(SHORT, lambda model: f"{model.config.d_model}")
    assert training.active
    assert not training.losses
    finish(booth, training)
    assert training.state == "done"
    assert [each.step for each in training.losses] == list(range(1, 13))
    assert [each.step for each in training.scores] == [0, 4, 8, 12]
    assert training.said == ["48"] * 4
    assert training.seconds > 0


def test_it_comes_back_after_the_time_that_it_was_given():
    booth = Booth()
    training = booth.start(LONG, nothing)
    booth.go_on(training, 0.01)
    assert len(training.scores) + len(training.losses) >= 1
    while not training.losses:
        booth.go_on(training, 0.1)
    taken = len(training.losses)
    assert training.active
    time.sleep(0.2)
    assert len(training.losses) == taken  # nothing happens unasked
    booth.go_on(training, 0.1)
    assert len(training.losses) > taken


def test_after_a_long_pause_it_makes_up_for_it():
    booth = Booth()
    training = booth.start(LONG, nothing)
    booth.go_on(training, 0.01)
    time.sleep(0.6)
    before = training.seconds
    booth.go_on(training, 0.01)
    assert training.seconds - before > 0.5


def test_one_at_a_time():
    booth = Booth()
    first = booth.start(LONG, nothing)
    booth.go_on(first, 0.05)
    assert booth.taken()
    with pytest.raises(ValueError, match="Somebody else is training"):
        booth.start(SHORT, nothing)
    first.stop()
    assert not booth.taken()
    second = booth.start(SHORT, nothing)
    finish(booth, second)
    assert (first.state, second.state) == ("stopped", "done")
    assert not booth.taken()


def test_who_is_gone_gives_way_and_finds_the_training_stopped():
    booth = Booth(patience=0.1)
    first = booth.start(LONG, nothing)
    booth.go_on(first, 0.05)
    time.sleep(0.2)
    second = booth.start(SHORT, nothing)
    assert first.state == "stopped"
    steps = len(first.losses)
    booth.go_on(first, 0.2)
    assert len(first.losses) == steps
    assert second.active


def test_nothing_goes_on_for_ever():
    booth = Booth(most_seconds=0.2)
    training = booth.start(LONG, nothing)
    finish(booth, training)
    assert training.state == "stopped"


def test_a_failure_is_reported_and_frees_the_booth(monkeypatch):
    booth, seen = Booth(), []
    monkeypatch.setattr(threading, "excepthook", lambda hook: seen.append(hook.exc_type))

    def fail(model):
        raise RuntimeError("broken")

    training = booth.start(SHORT, fail)
    booth.go_on(training, 5)
    assert training.state == "failed"
    assert seen == [RuntimeError]
    assert not booth.taken()


def test_the_thread_steps_back_behind_the_pages_and_leaves_no_trace():
    found = {}

    def note(model):
        found["nice"] = os.getpriority(os.PRIO_PROCESS, threading.get_native_id())
        found["threads"] = torch.get_num_threads()
        return ""

    before = os.getpriority(os.PRIO_PROCESS, threading.get_native_id())
    threads = torch.get_num_threads()
    booth = Booth()
    finish(booth, booth.start(SHORT, note))
    assert found == {"nice": min(before + 5, 19), "threads": 1}
    assert os.getpriority(os.PRIO_PROCESS, threading.get_native_id()) == before
    assert torch.get_num_threads() == threads


def test_once_it_has_settled_a_stopped_training_changes_no_more():
    stopped, noted = threading.Event(), []

    class Slow(Work):
        def events(self):
            for step in range(100):
                stopped.wait(5)  # the learner presses Stop in the middle of a step
                time.sleep(0.1)
                yield step

        def note(self, event):
            noted.append(event)

    work = Slow()
    thread = threading.Thread(target=work.take, args=(60.0,))
    thread.start()
    while work._events is None:
        time.sleep(0.01)
    work.stop()
    stopped.set()
    assert noted == []
    work.settle()
    assert noted == [0]
    thread.join()
    assert noted == [0]
