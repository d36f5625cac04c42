"""A run stops by steps, minutes or loss, to the bit as if it had never been interrupted."""

from dataclasses import replace

import pytest
import torch

from llm_core.training.checkpoint_index import checkpoint_step, latest_checkpoint
from llm_core.training.checkpoints import load_model
from llm_core.training.divergence import TrainingDivergedError
from llm_core.training.events import CheckpointEvent, EvalEvent, StepEvent
from llm_core.training.goals import EndEvent, reached
from llm_core.training.loop import train


def of_kind(events, kind):
    return [event for event in events if isinstance(event, kind)]


def test_each_goal_is_told_in_a_sentence(tiny_run):
    config = tiny_run(steps=100, stop_minutes=2, stop_loss=1.5)
    at = {"step": 40, "seconds": 119.0, "validation_loss": 1.51}
    assert reached(config, **at) is None
    assert "all of its 100 steps" in reached(config, **at | {"step": 100})
    assert "to train for 2 minutes" in reached(config, **at | {"seconds": 120.0})
    assert "40 of 100 steps it is at 1.500" in reached(config, **at | {"validation_loss": 1.5})
    assert reached(config, **at | {"step": 0, "seconds": 500.0, "validation_loss": 1.0}) is None


def test_it_ends_at_the_first_evaluation_below_its_loss(tiny_run, tmp_path):
    plain = list(train(tiny_run(steps=200)))
    losses = {event.step: event.loss for event in of_kind(plain, EvalEvent)}
    goal = losses[50] + 1e-6
    first = min(step for step, loss in losses.items() if step and loss <= goal)
    events = list(train(tiny_run(steps=200, stop_loss=goal), out=tmp_path))
    assert isinstance(events[-1], EndEvent)
    assert f"after {first} of 200 steps" in events[-1].reason
    assert [event.loss for event in of_kind(events, StepEvent)] == [
        event.loss for event in of_kind(plain, StepEvent)
    ][:first]
    assert checkpoint_step(latest_checkpoint(tmp_path)) == first
    # Killed after its last save, it is still at its end, and does not train on.
    again = list(train(tiny_run(steps=200, stop_loss=goal), resume=tmp_path))
    assert of_kind(again, StepEvent) == []
    assert again[-1] == events[-1]


def test_its_minutes_are_counted_over_all_starts(tiny_run, tmp_path, monkeypatch):
    """A clock that a step takes half a second on: 3 seconds are 6 steps, in one go or in two."""
    now = [0.0]

    def clock():
        now[0] += 0.5
        return now[0]

    monkeypatch.setattr("llm_core.training.loop.time.perf_counter", clock)
    config = tiny_run(stop_minutes=0.05)
    whole = list(train(config, out=tmp_path / "whole"))
    assert len(of_kind(whole, StepEvent)) == 6
    assert "0.05 minutes" in whole[-1].reason
    assert of_kind(whole, EvalEvent)[-1].step == 6  # what it came to is measured
    for event in (events := train(config, out=tmp_path / "parts")):
        if isinstance(event, StepEvent) and event.step == 4:
            events.close()
            break
    rest = list(train(config, resume=tmp_path / "parts"))
    assert [event.step for event in of_kind(rest, StepEvent)] == [5, 6]
    weights = [
        load_model(latest_checkpoint(tmp_path / name))[0].state_dict()
        for name in ("whole", "parts")
    ]
    assert all(torch.equal(weights[0][name], weights[1][name]) for name in weights[0])


@pytest.mark.parametrize(
    "change",
    [
        {"stop_minutes": 0},
        {"stop_loss": float("nan")},
        {"stop_minutes": "5"},
        {"stop_loss": 1.0, "eval_interval": 0},
        {"accumulation": 0},
    ],
)
def test_goals_that_nobody_can_mean_are_refused(tiny_run, change):
    with pytest.raises(ValueError, match=r"above 0|evaluate|at least 1"):
        tiny_run(**change)


def test_accumulated_batches_are_one_large_batch(tiny_run):
    """The same windows in two batches of 4 or one of 8: the same step, but for rounding."""
    parts = of_kind(train(tiny_run(batch_size=4, accumulation=2, eval_interval=0)), StepEvent)
    whole = of_kind(train(tiny_run(batch_size=8, eval_interval=0)), StepEvent)
    assert parts[0].loss == pytest.approx(whole[0].loss, rel=1e-5)
    assert parts[0].gradient_norm == pytest.approx(whole[0].gradient_norm, rel=1e-4)
    assert parts[-1].tokens == whole[-1].tokens == 30 * 8 * 8
    assert parts[-1].loss == pytest.approx(whole[-1].loss, rel=1e-3)


def test_a_pause_from_outside_saves_and_says_nothing(tiny_run, tmp_path):
    config = tiny_run()
    events = list(train(config, out=tmp_path, steer=lambda step: config if step < 7 else None))
    assert of_kind(events, EndEvent) == []
    assert of_kind(events, CheckpointEvent)[-1].step == 7


def test_the_first_weights_are_kept(tiny_run, tmp_path):
    """A run that runs away at once leaves something to begin from again."""
    wild = replace(tiny_run().recipe, learning_rate=1e30, warmup_steps=0)
    with pytest.raises(TrainingDivergedError):
        list(train(tiny_run(recipe=wild), out=tmp_path))
    assert checkpoint_step(latest_checkpoint(tmp_path)) == 0
