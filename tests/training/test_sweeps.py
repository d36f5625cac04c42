"""Sweeps: each run differs from its base in one setting, and nothing beyond the limits starts."""

import pytest

from llm_core.training.comparison import what_changed
from llm_core.training.limits import HOSTED
from llm_core.training.queue import RunQueue
from llm_core.training.runs import RunStore
from llm_core.training.sweeps import SETTINGS, find_setting, sweep


@pytest.mark.parametrize("name", SETTINGS)
def test_a_sweep_changes_one_thing(tiny_run, name):
    setting = find_setting(name)
    config = tiny_run(rate_changes=((5, 3.0),), earlier_steps=((10, 20),))
    plain = tiny_run(steps=20)
    values = [value for value in setting.usual if value != setting.get(plain)][:3]
    for value, changed in zip(values, sweep(config, setting, values), strict=True):
        assert setting.get(changed) == value
        assert (changed.steps, changed.rate_changes) == (20, ())  # as the run was begun
        told = what_changed(changed, plain)
        assert len(told) in (1, 2), told  # the rate of both optimizers, in one go
        assert setting.get(setting.put(changed, setting.get(plain))) == setting.get(plain)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("layers", "2.5"),
        ("layers", "0"),
        ("learning rate", "abc"),
        ("dropout", "nan"),
        ("batch", ""),
    ],
)
def test_a_value_that_cannot_be_gets_a_sentence(name, text):
    with pytest.raises(ValueError, match=f"The {name} must be a"):
        find_setting(name).read(text)


def test_values_are_few_and_different(tiny_run):
    setting = find_setting("seed")
    assert setting.read(" 1,000 ") == 1000
    with pytest.raises(ValueError, match="1 to 5 values; these are 6"):
        sweep(tiny_run(), setting, [1, 2, 3, 4, 5, 6])
    with pytest.raises(ValueError, match="comes twice"):
        sweep(tiny_run(), setting, [1, 1])
    with pytest.raises(ValueError, match="split evenly"):
        sweep(tiny_run(), find_setting("heads"), [3])


def test_a_hosted_demo_refuses_a_sweep_with_the_number(tmp_path, monkeypatch):
    monkeypatch.setattr(RunQueue, "tick", lambda self: None)
    queue = RunQueue(RunStore(tmp_path), HOSTED)
    queue.close()
    places = HOSTED.workers
    queue.require_room("me", more=2)
    with pytest.raises(ValueError, match=rf"{3} runs in the queue, and 2 are allowed"):
        queue.require_room("me", more=3 + places)
    with pytest.raises(ValueError, match="11 runs kept, and 10 are allowed"):
        queue.require_room("me", more=11)


def test_a_note_is_its_owners_and_short(tmp_path, tiny_run, monkeypatch):
    monkeypatch.setattr(RunQueue, "tick", lambda self: None)
    queue = RunQueue(RunStore(tmp_path))
    queue.close()
    run = queue.store.create(tiny_run(), owner="me", title="A run")
    queue.annotate(run, "  it was the dropout\n", by="me")
    assert queue.store.notes([run.id]) == {run.id: "it was the dropout"}
    with pytest.raises(PermissionError):
        queue.annotate(run, "mine!", by="you")
    with pytest.raises(ValueError, match="500 characters; this one has 501"):
        queue.annotate(run, "x" * 501, by="me")
