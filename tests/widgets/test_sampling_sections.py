"""The lesson's numbers are the engine's own: what is shown is what `generate` would write."""

import math

import numpy as np
import pytest
import torch

from llm_core.generation.sample import SamplingSettings, generate
from pages.widgets.sampling_beam import beam_tree, compared_texts, explored
from pages.widgets.sampling_chat import conversation, template_html
from pages.widgets.sampling_four import Task, measures, written
from pages.widgets.sampling_models import tiny_writer
from pages.widgets.sampling_pipeline import run_pipeline
from pages.widgets.sampling_settings import settings_code
from pages.widgets.sampling_step import entropy_bits, read_step, step_after
from pages.widgets.sampling_write import MOST, story_from_link

PROMPT = "The owl was afraid of the"


@pytest.fixture(scope="module")
def step():
    return read_step(tiny_writer(), PROMPT)


def generated(step, settings, seed):
    generator = torch.Generator().manual_seed(seed)
    ids = torch.tensor(step.ids)
    return list(generate(step.writer.model, ids, settings, generator=generator))


def test_the_step_is_the_models_own_distribution(step):
    with torch.no_grad():
        logits = step.writer.model(torch.tensor([step.ids])).logits[0, -1].double()
    expected = logits.softmax(dim=-1).numpy()
    np.testing.assert_allclose(step.probabilities, expected, rtol=1e-4)
    assert step.probabilities.sum() == pytest.approx(1)
    first = generated(step, SamplingSettings(max_new_tokens=1), 0)[0]
    assert entropy_bits(step.probabilities) == pytest.approx(first.entropy, rel=1e-4)


def test_reading_on_is_the_same_as_a_longer_prompt(step):
    longer = read_step(step.writer, f"{PROMPT} old")
    after = step_after(step, longer.ids[-1])
    assert after.ids == longer.ids
    np.testing.assert_allclose(after.probabilities, longer.probabilities)


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize(
    "settings",
    [
        SamplingSettings(max_new_tokens=1, temperature=1.4),
        SamplingSettings(max_new_tokens=1, temperature=0.7, top_p=0.8, repetition_penalty=1.3),
        SamplingSettings(max_new_tokens=1, top_k=4, min_p=0.1),
    ],
)
def test_the_dart_hits_the_token_that_generate_would_write(step, settings, seed):
    drawn = run_pipeline(step, settings, seed)
    expected = generated(step, settings, seed)[0]
    assert drawn.token == expected.id
    assert float(drawn.probabilities[drawn.token]) == pytest.approx(expected.probability)


def test_settings_are_written_out_as_python_that_makes_them():
    settings = SamplingSettings(temperature=0.7, top_k=3)
    assert settings_code(settings) == "SamplingSettings(temperature=0.7, top_k=3)"
    assert eval(settings_code(settings)) == settings
    assert settings_code(SamplingSettings()) == "SamplingSettings()"


def test_a_link_holds_a_story(step):
    ids = [s.id for s in generated(step, SamplingSettings(max_new_tokens=5), 3)]
    story = story_from_link(step, "-".join(map(str, ids)))
    assert list(story.ids()) == ids
    logs = [math.log(s.model_probability) for s in story.steps()]
    alone = [math.log(s.model_probability) for s in generated(step, SamplingSettings(), 3)[:5]]
    assert logs == pytest.approx(alone, rel=1e-3)


@pytest.mark.parametrize(
    "link", ["owl", "1-", "-1", "1.5", "99999999", "1166", "²", "-".join(["1"] * (MOST + 1))]
)
def test_a_link_that_makes_no_sense_is_an_empty_story(step, link):
    assert story_from_link(step, link).ids() == ()


def test_four_texts_are_what_each_would_be_alone(step):
    settings = tuple(
        SamplingSettings(max_new_tokens=12, temperature=t, alternatives=0) for t in (0, 0.7, 1, 2)
    )
    task = Task(step.writer.key, step.ids, settings, 40)
    rows = written(step.writer, task)
    for number, (row, each) in enumerate(zip(rows, settings, strict=True)):
        assert [s.id for s in row] == [s.id for s in generated(step, each, 40 + number)]
    found = measures(rows[0])
    logs = [math.log(s.model_probability) for s in rows[0]]
    assert found["log_probability"] == pytest.approx(sum(logs) / 12)


def test_the_drawn_tree_is_the_one_that_beam_search_explored(step):
    levels = explored(step.writer, step.writer.key, step.ids, 3, 4)
    nodes = beam_tree(step.writer, levels, step.ids[-1])
    assert len(nodes) == 1 + sum(len(level) for level in levels)
    path = [n for n in nodes if n.state == "path"]
    assert [n.level for n in path] == [0, 1, 2, 3, 4]
    assert [n.label for n in path[1:]] == [step.writer.label(i) for i in levels[-1][0].ids]
    assert all(
        sum(n.level == level for n in nodes if n.state != "dropped") == 3 for level in (1, 2)
    )


def test_the_default_prompt_shows_what_the_lesson_says_about_it(step):
    """A beam beats greedy decoding, with another word; the searched texts surprise least."""
    best = explored(step.writer, step.writer.key, step.ids, 3, 5)[-1][0]
    greedy = explored(step.writer, step.writer.key, step.ids, 1, 5)[-1][0]
    assert best.total > greedy.total + 0.1
    assert best.ids[0] != greedy.ids[0]
    beam, alone, drawn, real = compared_texts(
        step.writer, step.writer.key, step.ids, step.writer.real_text, 3
    )
    assert max(beam.mean, alone.mean) < min(drawn.mean, real.mean)


def test_half_trained_greedy_decoding_repeats_itself_most():
    half = read_step(tiny_writer("tiny@1000"), PROMPT)
    settings = tuple(
        SamplingSettings(max_new_tokens=200, temperature=t, top_p=p, alternatives=0)
        for t, p in ((0.0, 1.0), (0.7, 0.9), (1.0, 1.0), (2.0, 1.0))
    )
    rows = written(half.writer, Task(half.writer.key, half.ids, settings, 10))
    shares = [measures(row)["repeated"] for row in rows]
    assert shares[0] > 0.3 > 0.1 > max(shares[1:])


def test_an_empty_prompt_is_refused_with_a_sentence():
    with pytest.raises(ValueError, match="at least one token"):
        read_step(tiny_writer(), "  ")


def test_the_template_marks_turns_and_takes_messages_as_text():
    shown = template_html(conversation("<b>hi</b>", ""))
    assert "&lt;b&gt;hi&lt;/b&gt;" in shown
    assert shown.count("&lt;|im_start|&gt;") == 3  # its makers' system message, you, the answer
    assert shown.count("&lt;|im_end|&gt;") == 2
    assert "Be brief" in template_html(conversation("hi", "Be brief"))
