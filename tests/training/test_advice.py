from dataclasses import replace

import pytest

from llm_core.training.advice import plan
from llm_core.training.limits import Limits
from llm_core.training.loop import train
from llm_core.training.trial import Trial, measure, try_out


def warnings_of(config, characters=100_000, parameters=3000):
    return plan(config, parameters=parameters, characters=characters, vocab_size=20).warnings


def test_a_sound_run_gets_no_warning(tiny_run):
    found = plan(tiny_run(steps=3000), parameters=3000, characters=100_000, vocab_size=20)
    assert found.warnings == ()
    assert found.read == 3000 * 4 * 8
    assert found.tokens_per_parameter == 32
    assert found.memory > 300e6


@pytest.mark.parametrize(
    ("change", "size", "sentence"),
    [
        ({"steps": 3000}, {"characters": 70}, "The context of 8 characters is longer than the 7"),
        ({"steps": 3000}, {"parameters": 20_000, "characters": 9_000}, "9,000 characters: it can"),
        ({"steps": 3000}, {"characters": 4_000}, "read the text 24 times"),
        ({"steps": 10}, {}, "see 0.3% of the text"),
        ({"steps": 3000, "model": {"dropout": 0.9}}, {}, "Dropping 90%"),
    ],
)
def test_what_may_go_wrong_is_said(tiny_run, change, size, sentence):
    model = tiny_run().model | change.pop("model", {})
    found = warnings_of(tiny_run(**change, model=model), **size)
    assert any(sentence in each for each in found), found


def test_a_high_rate_is_told_in_times_of_the_recipes(tiny_run):
    recipe = tiny_run().recipe
    high = tiny_run(steps=3000, recipe=replace(recipe, learning_rate=0.03))
    assert any("0.03 is 10 times what the classic" in each for each in warnings_of(high))
    raised = tiny_run(steps=3000, recipe=replace(recipe, learning_rate=0.006))
    assert warnings_of(raised) == ()


def test_the_time_adds_up_its_parts(tiny_run):
    trial = Trial(start=2.0, step=0.1, evaluation=1.0, sample=0.5, steps=20)
    config = tiny_run(
        steps=100,
        eval_interval=10,
        sample_interval=50,
        eval_windows=128,
        final_eval_windows=512,
    )
    assert trial.seconds(config) == pytest.approx(2 + 10 + 10 + 4 + 1.5)


def test_a_trial_takes_real_steps_and_leaves_nothing(tiny_run, tmp_path):
    config = tiny_run(steps=1000, sample_interval=500, sample_tokens=5)
    trial = measure(config)
    assert trial.steps >= 10
    assert min(trial.step, trial.start, trial.evaluation, trial.sample) > 0
    list(train(replace(config, steps=1)))  # the same config still trains
    found = try_out(replace(config, text_path="text.txt"), "the cat " * 50, tmp_path, Limits())
    assert found.step > 0
    assert list(tmp_path.glob("trial*")) == []


def test_a_trial_that_cannot_be_says_why(tiny_run, tmp_path):
    with pytest.raises(ValueError, match="needs"):
        try_out(tiny_run(), "ab", tmp_path, Limits())
