"""Tasks as prompts: who judges an answer, and that the recorded ones are SmolLM2's."""

import pytest

from llm_core.data.passages import find_passage, other_passages, tales
from llm_core.generation.measures import bits_a_character
from llm_core.generation.prompted_tasks import (
    PROMPTS,
    Prompt,
    answer,
    prompts_of,
    read_answers,
    read_readings,
    right_answers,
)
from llm_core.pretrained.registry import load


@pytest.mark.parametrize(
    ("answered", "right"),
    [
        ("8", True),
        ("A spider has eight legs. Bees have six.", True),
        ("Six. Some say eight.", False),  # only the first sentence counts
        ("It has 18 legs.", False),  # a whole word
        ("", False),
    ],
)
def test_an_answer_is_right_if_its_first_sentence_names_the_right_one(answered, right):
    assert Prompt("answer", "How many legs?", ("8", "eight")).judge(answered) is right


def test_every_prompt_has_a_recorded_answer_and_every_passage_a_reading():
    assert set(read_answers()) == {prompt.text for prompt in PROMPTS}
    assert set(read_readings()) == {each.name for each in (*tales(), *other_passages())}
    for task in ("continue", "answer", "summarise", "classify"):
        assert prompts_of(task)
    assert right_answers("summarise") == (0, 0)  # nothing to judge


def test_what_the_lesson_says_of_the_answers():
    """Reviews: half are positive, and it calls all of them so."""
    assert right_answers("classify") == (5, 10)
    assert all("positive" in read_answers()[p.text] for p in prompts_of("classify"))
    right, judged = right_answers("answer")
    assert 0 < right < judged
    assert "11" in read_answers()["How many letters are in the word “owl”?"]


@pytest.mark.parametrize("place", [3, 12, 14])
def test_recorded_answers_are_given_again(place):
    prompt = PROMPTS[place]
    assert answer(prompt) == read_answers()[prompt.text]


def test_a_recorded_reading_is_read_again():
    model, tokenizer = load("smollm2")
    bits = bits_a_character(model, tokenizer, find_passage("manual").text)
    assert bits == pytest.approx(read_readings()["manual"], abs=0.01)


def test_the_tiny_gpt_is_worlds_apart_on_its_own_ground_and_off_it():
    model, tokenizer = load("tiny")
    tale = bits_a_character(model, tokenizer, find_passage("tale1").text)
    speech = bits_a_character(model, tokenizer, find_passage("lincoln").text)
    assert tale < read_readings()["tale1"] / 4
    assert speech > 4 * read_readings()["lincoln"]
