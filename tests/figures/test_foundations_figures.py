"""Pictures of the first lesson hold the numbers that they were given."""

import math

import pytest

from pages.figures.foundations import (
    Recalled,
    Sized,
    compute_figure,
    orders_figure,
    power,
    reading_figure,
    recall_figure,
    score_figure,
    short,
    size_figure,
)

MODELS = [
    Sized("Old", 2018, 1e8, 1e10),
    Sized("Large", 2022, 5e11, 3e11),
    Sized("Our tiny GPT", 2025, 5e5, 4e6, ours=True),
]


def named(figure, name):
    return next(trace for trace in figure.data if trace.name == name)


def test_the_score_has_a_bar_a_word_for_each_player():
    figure = score_figure([0.5, 4.2], [0.1, 0.3], blind=2.58)
    assert list(named(figure, "you").y) == [0.5, 4.2]
    assert list(named(figure, "the model").y) == [0.1, 0.3]
    assert figure.layout.shapes[0].y0 == 2.58


def test_models_stand_at_their_sizes_and_the_line_at_twenty_tokens_a_parameter():
    figure = size_figure(MODELS, chosen="Large")
    points = named(figure, "published models")
    assert list(points.x) == [1e8, 5e11]
    assert list(points.y) == [1e10, 3e11]
    assert (named(figure, "our tiny GPT").x[0], named(figure, "our tiny GPT").y[0]) == (5e5, 4e6)
    line = named(figure, "20 tokens a parameter")
    assert [y / x for x, y in zip(line.x, line.y, strict=True)] == pytest.approx([20, 20])
    assert points.customdata[1][4] == "9 · 10²³"


def test_the_diamond_is_on_both_lines():
    figure = size_figure(MODELS, chosen="Large")
    diamond = named(figure, "spent by the 20-token rule")
    x, y = diamond.x[0], diamond.y[0]
    assert y == pytest.approx(20 * x)
    assert 6 * x * y == pytest.approx(MODELS[1].flops)
    equal = named(figure, "as much compute as Large")
    assert [6 * a * b for a, b in zip(equal.x, equal.y, strict=True)] == pytest.approx(
        [MODELS[1].flops] * 2
    )


def test_over_the_years_compute_is_drawn():
    figure = compute_figure(MODELS, chosen="Old")
    points = named(figure, "published models")
    assert list(points.x) == [2018, 2022]
    assert list(points.y) == [6e18, 9e23]


@pytest.mark.parametrize("draw", [size_figure, compute_figure])
def test_every_point_lies_within_the_axes(draw):
    figure = draw(MODELS, chosen="Old")
    low, high = figure.layout.yaxis.range
    for name in ("published models", "our tiny GPT"):
        assert all(low < math.log10(y) < high for y in named(figure, name).y)


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


@pytest.mark.parametrize(
    ("count", "shown"),
    [(7, "7"), (567_456, "567 k"), (999_900, "1 M"), (1.75e11, "175 B"), (15.6e12, "15.6 T")],
)
def test_counts_are_short(count, shown):
    assert short(count) == shown


@pytest.mark.parametrize(
    ("count", "shown"), [(3.15e23, "3.15 · 10²³"), (1e15, "10¹⁵"), (2.72e12, "2.72 · 10¹²")]
)
def test_powers_of_ten(count, shown):
    assert power(count) == shown
