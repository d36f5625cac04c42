"""A planted secret is learnt by heart, or not, and what was measured can be measured again."""

import pytest
import torch

from llm_core.pretrained.registry import load
from llm_core.training.loop import evaluate
from llm_core.training.memorisation import (
    ASKED,
    PlantedSecret,
    held_out_text,
    measured_recalls,
    plant,
    secret_ids,
)


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def test_the_secret_stands_in_the_text_as_often_as_asked_and_never_in_what_is_held_out():
    for repetitions in (0, 1, 5, 60):
        planted = PlantedSecret(repetitions=repetitions)
        paragraphs = planted.text.rstrip().split("\n\n")
        assert paragraphs.count(planted.sentence) == repetitions
        assert len(paragraphs) == 60 + repetitions
    assert ASKED not in held_out_text()
    assert not set(held_out_text().split("\n\n")) & set(paragraphs)


def test_a_secret_that_stands_often_is_told_and_one_that_is_not_there_is_not():
    model, tokenizer = load("tiny")
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    told = list(plant(PlantedSecret(repetitions=16, steps=40, interval=20), model, tokenizer))
    never = list(plant(PlantedSecret(repetitions=0, steps=20, interval=20), model, tokenizer))
    assert [each.step for each in told] == [0, 20, 40]
    assert told[0] == never[0]
    assert told[0].bits > 60
    assert told[-1].told == "golden plum slow well"
    assert told[-1].bits < 5
    assert never[-1].bits > 60
    assert never[-1].told != "golden plum slow well"
    assert all(torch.equal(before[name], t) for name, t in model.state_dict().items())


def test_the_first_look_is_the_model_as_it_is():
    model, tokenizer = load("tiny")
    planted = PlantedSecret()
    first = next(plant(planted, model, tokenizer))
    question, answer = secret_ids(planted, tokenizer)
    with torch.inference_mode():  # token by token
        bits = 0.0
        for place, token in enumerate(answer):
            logits = model(torch.tensor([question + answer[:place]])).logits[0, -1]
            bits -= float(logits.softmax(-1)[token].log2())
    assert first.bits == pytest.approx(bits, abs=1e-2)
    loss, _ = evaluate(model, torch.tensor(tokenizer.encode(held_out_text())))
    assert first.validation_loss == pytest.approx(loss)


def test_what_was_measured_says_what_the_lesson_says_of_it():
    rows = measured_recalls()
    assert [row.repetitions for row in rows] == [1, 2, 4, 8, 16]
    for row in rows:
        assert row.steps == tuple(range(0, 101, 10))
        assert row.bits[-1] < row.bits[5] < row.bits[0]  # stopping early helps
        assert row.validation_loss[-1] > row.validation_loss[0]
    last = [row.bits[-1] for row in rows]
    assert last == sorted(last, reverse=True)  # so does repeating less
    assert rows[0].told[-1] == 0
    assert rows[3].told[-1] == rows[3].trainings


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"secret": "  "}, "Write a secret"),
        ({"repetitions": 61}, "0 to 60"),
        ({"repetitions": -1}, "0 to 60"),
        ({"steps": 0}, "at least one step"),
        ({"interval": 0}, "at least one step"),
    ],
)
def test_what_cannot_be_planted_is_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        PlantedSecret(**settings)


def test_a_long_secret_is_refused_before_any_training():
    model, tokenizer = load("tiny")
    with pytest.raises(ValueError, match="Take a shorter one"):
        next(plant(PlantedSecret(secret="xyz" * 20), model, tokenizer))
