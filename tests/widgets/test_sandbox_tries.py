"""What the experiments promise really happens: each is set up by its own link, and then trained."""

import re
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from llm_core.training.divergence import TrainingDivergedError
from llm_core.training.events import AnswerEvent, EvalEvent, StartEvent, StepEvent
from llm_core.training.loop import train
from llm_core.training.queue import RunQueue
from llm_core.training.runs import RunStore
from pages.widgets.catalog import find_lesson
from pages.widgets.prose import sections
from pages.widgets.sandbox_tries import TRIES
from pages.widgets.training import launcher

ROOT = Path(__file__).parents[2]


@pytest.fixture
def config_of(tmp_path, monkeypatch):
    """Follow an experiment's link, press Train, and return the config of the run: none is started.

    It is made smaller, so that a test takes seconds, unless its size is the point.
    """
    import streamlit as st
    import torch

    torch.set_num_threads(1)
    monkeypatch.setenv("INSIDE_LLMS_DATA", str(tmp_path))
    monkeypatch.setattr(RunQueue, "tick", lambda self: None)
    st.cache_resource.clear()

    def follow(name, label, *, small=True, **changes):
        app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=120).run()
        app.query_params.update({"try": name, **TRIES[name][label]})
        app = app.switch_page("pages/51_training_sandbox.py").run()
        assert not app.exception
        app.button(key="train").click().run()
        store = RunStore(tmp_path)
        run = store.all()[-1]
        config = run.config
        model = config.model | ({"n_layers": 1, "d_model": 32} if small else {})
        if small and config.transformer(2).context_length > 16:
            model["context_length"] = 16
        usual = {"eval_interval": 50, "eval_windows": 48, "final_eval_windows": 48}
        usual |= {"sample_interval": 0, "checkpoint_interval": 0, "precision": "float32"}
        return replace(config, model=model, **(usual | changes))

    yield follow
    launcher().close()  # or its thread would start what is queued once `tick` is itself again
    st.cache_resource.clear()


def losses_of(config):
    """Return the validation losses by step, the training losses, and what the start told."""
    evaluations, steps, start = [], [], None
    for event in train(config):
        match event:
            case EvalEvent():
                evaluations.append(event.loss)
            case StepEvent():
                steps.append(event.loss)
            case StartEvent():
                start = event
    return evaluations, steps, start


def test_every_experiment_has_its_texts_and_its_settings_are_real():
    texts = sections(find_lesson("training_sandbox").path.with_suffix(".md"))
    assert {name.removeprefix("try_") for name in texts if name.startswith("try_")} == set(TRIES)
    for name in TRIES:
        part = texts[f"try_{name}"]
        assert part.title
        assert re.search(r"\?", part.text), f"{name} asks nothing"
        assert part.notice, f"{name} does not say what to look at"


def test_one_page_is_learnt_by_heart_and_dropout_holds_it_back(config_of):
    config = config_of("overfit", "Set it up", small=False, steps=400)
    assert Path(config.text_path).stat().st_size <= 3000
    evaluations, steps, _ = losses_of(config)
    assert min(evaluations) < evaluations[0] - 1  # first it learns what holds elsewhere too
    assert evaluations[-1] > min(evaluations) + 0.1  # and then it gets worse there
    assert sum(steps[-20:]) / 20 < min(evaluations) - 0.5
    config = config_of("dropout", "Set it up", small=False, steps=400)
    with_dropout, dropped, _ = losses_of(config)
    assert sum(dropped[-20:]) > sum(steps[-20:])
    assert with_dropout[-1] < evaluations[-1]


def test_a_rate_far_too_high_runs_away_and_one_far_too_low_goes_nowhere(config_of):
    with pytest.raises(TrainingDivergedError, match="ran away"):
        losses_of(config_of("high_rate", "Set it up"))
    evaluations, _, start = losses_of(config_of("low_rate", "Set it up", steps=200))
    assert evaluations[-1] < evaluations[0]
    assert evaluations[-1] > start.bigram_loss


def test_without_positions_it_learns_and_with_them_better(config_of):
    without, _, _ = losses_of(config_of("no_positions", "Without positions", steps=400))
    with_them, _, _ = losses_of(config_of("no_positions", "With positions", steps=400))
    assert without[-1] < without[0] - 1
    assert with_them[-1] < without[-1]


def test_the_modern_recipe_is_sooner_there(config_of):
    classic, _, _ = losses_of(config_of("modern", "Classic", steps=200))
    modern, _, _ = losses_of(config_of("modern", "Modern", steps=200))
    assert modern[2] < classic[-1]  # half of the steps


def test_another_seed_is_another_run_that_ends_nearby(config_of):
    one, _, _ = losses_of(config_of("seed", "Seed 1", steps=200))
    two, _, _ = losses_of(config_of("seed", "Seed 2", steps=200))
    assert one != two
    assert one[-1] == pytest.approx(two[-1], rel=0.05)


def test_four_characters_of_memory_come_down_and_stop_above(config_of):
    four, _, _ = losses_of(config_of("short_context", "Four characters", steps=200))
    more, _, _ = losses_of(config_of("short_context", "64 characters", steps=200))
    assert four[-1] < four[0] - 1
    assert more[-1] < four[-1] - 0.05


def test_one_window_a_step_is_a_thicket_and_learns_all_the_same(config_of):
    evaluations, one, _ = losses_of(config_of("batch", "One window", steps=200))
    _, sixteen, _ = losses_of(config_of("batch", "Sixteen", steps=200))
    jumps_of_one, jumps_of_sixteen = (
        sum(abs(after - before) for before, after in pairwise(losses[-100:]))
        for losses in (one, sixteen)
    )
    assert jumps_of_one > 2 * jumps_of_sixteen
    assert evaluations[-1] < evaluations[0] - 0.5


def test_it_sorts_what_it_has_never_seen(config_of):
    config = config_of("sorting", "Sort digits", small=False, steps=300, eval_interval=150)
    answers = [event for event in train(config) if isinstance(event, AnswerEvent)]
    assert answers[0].right == 0
    assert answers[-1].right >= 35
