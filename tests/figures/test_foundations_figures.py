"""Pictures of the first lesson hold the numbers that they were given."""

import math

import pytest

from pages.figures.foundations import (
    Recalled,
    orders_figure,
    reading_figure,
    recall_figure,
    score_figure,
)


def named(figure, name):
    return next(trace for trace in figure.data if trace.name == name)


def test_the_score_has_a_bar_a_word_for_each_player():
    figure = score_figure([0.5, 4.2], [0.1, 0.3], blind=2.58)
    assert list(named(figure, "you").y) == [0.5, 4.2]
    assert list(named(figure, "the model").y) == [0.1, 0.3]
    assert figure.layout.shapes[0].y0 == 2.58


def test_orders_are_drawn_with_the_gpt_below_them():
    figure = orders_figure([180, 10, 5], [170, 9, 4], gpt=1.6, gpt_name="GPT")
    assert list(named(figure, "on held-out text").y) == [180, 10, 5]
    assert list(named(figure, "on the text that was counted").y) == [170, 9, 4]
    assert figure.layout.shapes[0].y0 == 1.6
    assert figure.layout.annotations[0].y == pytest.approx(math.log10(1.6))  # an axis of logarithms
    low, high = figure.layout.yaxis.range
    assert low < math.log10(1.6)
    assert math.log10(180) < high


def test_a_live_curve_is_told_apart_from_the_measured_ones():
    figure = recall_figure(
        [Recalled("1×", [0, 10], [90, 50]), Recalled("yours", [0, 10], [80, 1.234], live=True)],
        blind=36,
        blind_name="four words",
    )
    measured, live = figure.data
    assert list(live.y) == [80, 1.23]
    assert live.line.color != measured.line.color
    assert live.line.dash != measured.line.dash


def test_readings():
    figure = reading_figure(["a", "b"], [0.2, 9], [1.1, 1.2])
    assert list(named(figure, "our tiny GPT").x) == [0.2, 9]
    assert list(named(figure, "SmolLM2").x) == [1.1, 1.2]
    assert figure.layout.xaxis.range[1] > 9
