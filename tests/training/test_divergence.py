import math

import pytest
import torch

from llm_core.training.divergence import PATIENCE, DivergenceWatch, TrainingDivergedError
from llm_core.training.state import prepare


@pytest.fixture
def state(tiny_run):
    return prepare(tiny_run(steps=500))


def bound(state):
    return 2 * math.log(state.tokenizer.vocab_size) + 1


def walk(watch, state, losses):
    """Let the watch see losses as the loop shows them, with weights that count the steps."""
    for loss in losses:
        watch.check(state.step + 1, loss, 1.0)
        state.step += 1
        with torch.no_grad():
            for parameter in state.model.parameters():
                parameter.fill_(state.step)
        watch.keep()


def test_a_loss_that_rises_and_stays_up_ends_the_run_at_good_weights(state):
    watch = DivergenceWatch(state)
    with pytest.raises(TrainingDivergedError, match="stayed up") as caught:
        walk(watch, state, [2.0] * 130 + [bound(state) * 3] * 100)
    assert state.step == caught.value.good_step == 50  # what came after 100 is not trusted yet
    assert all(bool((each == 50).all()) for each in state.model.parameters())


def test_a_short_spike_is_forgiven_and_not_saved(state):
    watch = DivergenceWatch(state)
    walk(watch, state, [2.0] * 10 + [bound(state) + 1] * (PATIENCE - 1))
    assert not watch.calm
    walk(watch, state, [2.0] * 10)
    assert watch.calm


@pytest.mark.parametrize(
    ("loss", "norm", "word"),
    [(math.nan, 1.0, "loss"), (math.inf, 1.0, "loss"), (2.0, math.nan, "gradient")],
)
def test_what_is_no_number_ends_the_run_at_once(state, loss, norm, word):
    watch = DivergenceWatch(state)
    walk(watch, state, [2.0] * 101)
    with pytest.raises(TrainingDivergedError, match=f"the {word} was no number") as caught:
        watch.check(102, loss, norm)
    assert caught.value.good_step == 50
