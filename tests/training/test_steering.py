import time
from dataclasses import replace

import pytest

from llm_core.training.checkpoint_index import checkpoint_step, list_checkpoints
from llm_core.training.checkpoints import superfluous
from llm_core.training.config import RunConfig
from llm_core.training.events import EvalEvent, StepEvent
from llm_core.training.limits import Limits
from llm_core.training.loop import train
from llm_core.training.queue import RunQueue
from llm_core.training.runs import OWN_TEXT, RunState, RunStore
from llm_core.training.schedules import learning_rate_share, planned_share
from llm_core.training.steering import checked_title, settled, with_rate, with_steps

TEXT = "the cat sat on the mat. the dog sat on the log.\n" * 40


def steps_of(events):
    return [event for event in events if isinstance(event, StepEvent)]


def wait_for(store, run, condition, seconds=90):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        now = store.get(run.id)
        if condition(now):
            return now
        time.sleep(0.05)
    raise AssertionError(f"waited in vain: {store.get(run.id)}")


def ended(run):
    return not run.active


@pytest.fixture
def store(tmp_path):
    return RunStore(tmp_path / "data")


@pytest.fixture
def queue(store):
    queue = RunQueue(store, Limits(workers=1, threads=1, max_steps=200_000))
    yield queue
    queue.close()


def own(config_of, **changes):
    usual = {"text_path": OWN_TEXT, "steps": 100_000, "eval_interval": 0, "checkpoint_interval": 0}
    return config_of(**(usual | changes))


def test_changes_act_from_their_step_on(tiny_run):
    config = tiny_run(steps=40, rate_changes=[[10, 0.5], [20, 2]], earlier_steps=[[15, 30]])
    plain = [learning_rate_share(config.recipe, step, steps=30) for step in range(1, 16)]
    longer = [learning_rate_share(config.recipe, step, steps=40) for step in range(16, 41)]
    factors = [1.0] * 10 + [0.5] * 10 + [2.0] * 20
    wanted = [share * factor for share, factor in zip(plain + longer, factors, strict=True)]
    assert [planned_share(config, step) for step in range(1, 41)] == wanted
    assert RunConfig.from_json(config.to_json()) == config


@pytest.mark.parametrize(
    "change",
    [
        {"rate_changes": [[5, 0.0]]},
        {"rate_changes": [[5, float("nan")]]},
        {"rate_changes": [[9, 1.0], [5, 1.0]]},
        {"rate_changes": [["5", 1.0]]},
        {"earlier_steps": [[5, 1.5]]},
        {"keep_checkpoints": 1},
    ],
)
def test_nonsense_changes_are_refused(tiny_run, change):
    with pytest.raises(ValueError, match="must"):
        tiny_run(**change)


def test_a_steered_run_is_what_its_config_says_in_the_end(tiny_run):
    """Steered on its way, or told everything before: the same losses."""
    start = tiny_run(steps=20)

    def steer(step):
        config = start
        if step >= 8:
            config = with_rate(0.25, since=8)(config)
        if step >= 12:
            config = with_steps(30, taken=12)(config)
        return config

    steered = steps_of(train(start, steer=steer))
    told = tiny_run(steps=30, rate_changes=((8, 0.25),), earlier_steps=((12, 20),))
    assert steer(12) == told
    at_once = steps_of(train(told))
    assert [event.step for event in steered] == list(range(1, 31))
    assert [event.loss for event in steered] == [event.loss for event in at_once]
    assert [event.loss for event in steered] != [e.loss for e in steps_of(train(start))]


def test_wishes_are_put_in_force_after_the_step_that_the_worker_has_taken(tiny_run):
    known = with_rate(0.5, since=10)(tiny_run(steps=100))
    wanted = with_rate(3.0, since=41)(with_rate(2.0, since=40)(known))
    wanted = with_steps(300, taken=41)(wanted)
    config = settled(wanted, known, 50)
    assert config.rate_changes == ((10, 0.5), (50, 3.0))
    assert (config.steps, config.earlier_steps) == (300, ((50, 100),))
    assert settled(known, known, 60) == known
    with pytest.raises(ValueError, match="taken 41 steps already"):
        with_steps(41, taken=41)(known)


def test_checkpoints_that_stay_spread_over_the_run(tmp_path):
    made = [tmp_path / f"checkpoint-{step:08d}" for step in (100, 200, 300, 400, 410, 500)]
    assert superfluous(made, 6) == []
    assert [checkpoint_step(each) for each in superfluous(made, 5)] == [400]
    assert [checkpoint_step(each) for each in superfluous(made, 2)] == [100, 200, 300, 400]


def test_as_many_checkpoints_stay_as_the_config_says(tiny_run, tmp_path):
    list(train(tiny_run(steps=60, keep_checkpoints=4), out=tmp_path))
    assert [checkpoint_step(each) for each in list_checkpoints(tmp_path)] == [0, 20, 50, 60]


def test_the_rate_of_a_running_run_changes_and_the_record_says_after_which_step(
    queue, store, tiny_run
):
    run = queue.launch(own(tiny_run), owner="me", title="x", text=TEXT)
    now = wait_for(store, run, lambda run: run.state is RunState.RUNNING and run.step > 50)
    queue.change_rate(now, 0.1, by="me")
    asked = store.get(run.id).config.rate_changes
    wait_for(store, run, lambda now: now.config.rate_changes != asked)
    ((step, factor),) = store.get(run.id).config.rate_changes
    wait_for(store, run, lambda now: now.step > step + 20)
    queue.stop(store.get(run.id), by="me")
    stopped = wait_for(store, run, ended)
    assert factor == 0.1
    for point in store.points(run.id):
        expected = 3e-3 * learning_rate_share(run.config.recipe, point.step, steps=100_000)
        expected *= 0.1 if point.step > step else 1.0
        assert point.learning_rate == pytest.approx(expected)
    assert stopped.config.rate_changes == ((step, 0.1),)


def test_a_run_that_is_done_goes_on_with_more_steps(queue, store, tiny_run):
    run = queue.launch(own(tiny_run, steps=20), owner="me", title="x", text=TEXT)
    done = wait_for(store, run, ended)
    assert done.state is RunState.DONE
    with pytest.raises(ValueError, match="taken 20 steps already"):
        queue.change_steps(done, 20, by="me")
    with pytest.raises(ValueError, match="200,000 are allowed"):
        queue.change_steps(done, 200_001, by="me")
    queue.change_steps(done, 35, by="me")
    queue.resume(store.get(run.id), by="me")
    done = wait_for(store, run, ended)
    assert (done.state, done.step, done.config.earlier_steps) == (RunState.DONE, 35, ((20, 20),))
    folder = store.run_folder(run.id)
    assert RunConfig.load(list_checkpoints(folder)[-1] / "config.json") == done.config
    losses = [event.loss for event in train(done.config) if isinstance(event, EvalEvent)]
    assert store.evaluations(run.id)[-1].loss == pytest.approx(losses[-1], abs=1e-6)


def test_a_branch_begins_where_the_other_run_was_and_needs_it_no_more(queue, store, tiny_run):
    config = own(tiny_run, steps=30, checkpoint_interval=10, eval_interval=10, keep_checkpoints=6)
    run = queue.launch(config, owner="me", title="x", text=TEXT)
    wait_for(store, run, ended)
    # Somebody who may look at a run may branch from it: the branch is theirs.
    twin = queue.branch(run, 10, by="you", title="twin", factor=1.0, steps=30)
    other = queue.branch(run, 10, by="me", title="other", factor=0.1, steps=40)
    with pytest.raises(ValueError, match="Of step 11 no checkpoint"):
        queue.branch(run, 11, by="me", title="none", factor=1.0, steps=30)
    queue.delete(store.get(run.id), by="me")
    twin, other = wait_for(store, twin, ended), wait_for(store, other, ended)
    assert (twin.owner, other.owner) == ("you", "me")
    assert [twin.state, other.state] == [RunState.DONE] * 2, twin.reason + other.reason
    assert other.config.rate_changes == ((10, 0.1),)
    assert other.config.earlier_steps == ((10, 30),)
    straight = [event.loss for event in train(twin.config) if isinstance(event, EvalEvent)]
    twins = [each.loss for each in store.evaluations(twin.id)]
    others = [each.loss for each in store.evaluations(other.id)]
    assert twins == pytest.approx(straight, abs=1e-6)
    assert others[:2] == twins[:2]  # until step 10 it is the same run
    assert others[2] != twins[2]


def test_only_the_owner_steers_and_renames(queue, store, tiny_run):
    run = store.create(own(tiny_run), owner="me", title="x", text=TEXT)
    for action in (
        lambda: queue.change_rate(run, 0.1, by="you"),
        lambda: queue.change_steps(run, 10, by="you"),
        lambda: queue.rename(run, "mine", by="you"),
    ):
        with pytest.raises(PermissionError, match="somebody else's"):
            action()
    queue.rename(run, "  my \n first  one ", by="me")
    assert store.get(run.id).title == "my first one"
    for title in ("", " \n", "x" * 81, "a\x00b"):
        with pytest.raises(ValueError, match="1 to 80 letters"):
            checked_title(title)


def test_a_run_found_again_by_its_folder_knows_its_changes(store, tiny_run):
    run = store.create(own(tiny_run, steps=50), owner="me", title="x", text=TEXT)
    store.change_config(run.id, lambda config: replace(config, steps=70))
    store.rename(run.id, "y")
    store.finish(run.id, RunState.STOPPED)
    store.database.path.write_bytes(b"")
    store.database.copy.unlink(missing_ok=True)
    store.check_or_repair()
    again = store.get(run.id)
    assert (again.title, again.config.steps) == ("y", 70)


def test_a_paused_run_is_led_step_by_step_and_then_trains_on(queue, store, tiny_run):
    run = queue.launch(own(tiny_run, steps=300, log_interval=50), owner="me", title="x", text=TEXT)
    wait_for(store, run, lambda now: now.state is RunState.RUNNING and now.step >= 1)
    queue.stop(store.get(run.id), by="me")
    paused = wait_for(store, run, ended)
    assert "paused after" in paused.reason
    (saved,) = [checkpoint_step(each) for each in list_checkpoints(store.run_folder(run.id))][-1:]
    queue.step_once(paused, by="me")
    for step in (saved + 1, saved + 2):
        now = wait_for(store, run, lambda now, step=step: now.step == step)
        assert now.state is RunState.RUNNING  # it waits, and has not to start again
        assert store.points(run.id)[-1].step == step
        if step == saved + 1:
            time.sleep(0.3)
            assert store.get(run.id).step == step  # exactly one
            queue.step_once(now, by="me")
    with pytest.raises(PermissionError, match="somebody else's"):
        queue.train_on(now, by="you")
    queue.train_on(now, by="me")
    done = wait_for(store, run, ended)
    assert (done.state, done.step) == (RunState.DONE, 300)
    assert "all of its 300 steps" in done.reason
    stepped = {point.step: point.loss for point in store.points(run.id)}
    straight = steps_of(train(replace(done.config, eval_interval=0)))
    for step in (saved + 1, saved + 2):
        assert stepped[step] == pytest.approx(straight[step - 1].loss, abs=1e-6)
    with pytest.raises(ValueError, match="all of its 300 steps"):
        queue.step_once(done, by="me")


def test_a_run_that_waits_between_steps_makes_room_for_who_waits(queue, store, tiny_run):
    run = queue.launch(own(tiny_run, steps=300), owner="me", title="x", text=TEXT)
    wait_for(store, run, lambda now: now.state is RunState.RUNNING)
    with pytest.raises(ValueError, match="pause it first"):
        queue.step_once(store.get(run.id), by="me")
    queue.stop(store.get(run.id), by="me")
    queue.step_once(wait_for(store, run, ended), by="me")
    wait_for(store, run, lambda now: now.state is RunState.RUNNING)
    other = queue.launch(own(tiny_run, steps=2), owner="you", title="y", text=TEXT)
    assert wait_for(store, other, ended).state is RunState.DONE
    assert wait_for(store, run, ended).state is RunState.STOPPED


def test_a_run_that_met_its_loss_goes_on_without_it(queue, store, tiny_run):
    config = own(tiny_run, steps=60, stop_loss=50.0, eval_interval=10)
    run = queue.launch(config, owner="me", title="x", text=TEXT)
    done = wait_for(store, run, ended)
    assert (done.state, done.step) == (RunState.DONE, 10)
    assert "validation loss of 50" in done.reason
    queue.resume(done, by="me")
    done = wait_for(store, run, ended)
    assert (done.step, done.config.stop_loss) == (60, None)
