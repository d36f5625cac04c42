"""Bars of a distribution: every bar is a probability, nothing is lost in the tail."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pages.figures.distribution import (
    distribution_alt_text,
    distribution_figure,
    percent,
    top_outcomes,
)
from pages.figures.palette import NEUTRAL, ROLES


@given(st.lists(st.floats(0, 1), min_size=1, max_size=50), st.integers(1, 60))
def test_top_and_tail_are_all_there_is(weights, count):
    probabilities = np.array(weights)
    places, tail = top_outcomes(probabilities, count)
    assert len(places) == min(count, len(weights))
    shown = [weights[place] for place in places]
    assert shown == sorted(weights, reverse=True)[:count]
    assert tail == pytest.approx(math.fsum(weights) - math.fsum(shown), abs=1e-9)
    assert places == sorted(places, key=lambda place: (-weights[place], place))


def test_the_bars_are_the_probabilities():
    figure = distribution_figure(
        ["<b>", "·owl"], [0.5, 0.2], tail=0.3, tail_label="9 others", chosen=1
    )
    bars = figure.data[0]
    assert list(bars.x) == [0.5, 0.2, 0.3]
    assert list(figure.layout.yaxis.ticktext) == ["&lt;b&gt;", "·owl", "9 others"]
    assert list(bars.text) == ["50 %", "20 % ◂ chosen", "30 %"]
    assert list(bars.marker.opacity) == [0.55, 1.0, 0.55]
    assert list(bars.marker.color) == [ROLES["prediction"]] * 2 + [NEUTRAL]
    assert list(bars.marker.pattern.shape) == ["", "", "/"]
    assert figure.layout.yaxis.range[0] > figure.layout.yaxis.range[1]  # the first is on top


def test_without_a_tail_there_is_no_bar_for_it():
    figure = distribution_figure(["a", "a"], [0.5, 0.5], role="value")
    assert list(figure.data[0].x) == [0.5, 0.5]
    assert list(figure.data[0].y) == [0, 1]  # equal labels stay two bars
    assert set(figure.data[0].marker.color) == {ROLES["value"]}
    assert distribution_figure([], []).data[0].x == ()


@given(st.lists(st.floats(1e-12, 1), min_size=1, max_size=20), st.booleans())
def test_every_bar_lies_within_its_axis(weights, log):
    total = math.fsum(weights)
    probabilities = [weight / total for weight in weights]
    axis = distribution_figure(["t"] * len(weights), probabilities, log=log).layout.xaxis
    low, high = axis.range
    for probability in probabilities:
        place = math.log10(probability) if log else probability
        assert low < place < high or (not log and place == low)
    ticks = [math.log10(tick) for tick in axis.tickvals] if log else list(axis.tickvals)
    assert len(ticks) <= 6
    assert all(low <= tick <= high for tick in ticks)
    assert max(axis.tickvals, default=0) <= 1


def test_an_outcome_that_cannot_be_is_shown_on_both_axes():
    for log in (False, True):
        figure = distribution_figure(["a", "b"], [1.0, 0.0], log=log)
        assert figure.data[0].text[1] == "0 %"
        assert all(map(math.isfinite, figure.layout.xaxis.range))


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"labels": ["a"], "probabilities": [0.5, 0.5]}, "1 outcomes, and 2 probabilities"),
        ({"labels": ["a"], "probabilities": [1.5]}, "between 0 and 1"),
        ({"labels": ["a"], "probabilities": [-0.1]}, "between 0 and 1"),
        ({"labels": ["a"], "probabilities": [math.nan]}, "between 0 and 1"),
        ({"labels": ["a"], "probabilities": [0.5], "tail": 0.6}, "not 1.1"),
        ({"labels": ["a"], "probabilities": [0.5], "chosen": 1}, "not among those shown"),
    ],
)
def test_what_is_no_distribution_is_refused(arguments, sentence):
    with pytest.raises(ValueError, match=sentence):
        distribution_figure(**arguments)


def test_the_sentence():
    assert distribution_alt_text(
        ["b", "a", "c", "d"], [0.2, 0.5, 0.1, 0.05], tail=0.15, chosen=2
    ) == (
        "The most probable is “a” with 50 %, followed by “b” with 20 % and “c” with 10 %. "
        "Together, all others have 15 %. Chosen was “c”."
    )
    assert distribution_alt_text(["a"], [1.0]) == "The most probable is “a” with 100 %."
    assert distribution_alt_text([], []) == "There is nothing to choose from."


@pytest.mark.parametrize(
    ("probability", "text"),
    [(1, "100 %"), (0.1234, "12.3 %"), (0.999, "99.9 %"), (0.00123, "0.123 %"),
     (2e-7, "2.0e-05 %"), (0, "0 %")],
)  # fmt: skip
def test_per_cent(probability, text):
    assert percent(probability) == text


def test_what_marks_the_outcome_that_counts_can_be_said_otherwise():
    figure = distribution_figure(["a", "b"], [0.9, 0.1], chosen=1, mark="in the text")
    assert figure.data[0].text == ("90 %", "10 % ◂ in the text")
    said = distribution_alt_text(["a", "b"], [0.9, 0.1], chosen=1, mark="in the text")
    assert said.endswith("In the text was “b”.")
