"""Models stand where their sizes put them, and the lines where the arithmetic does."""

import math

import pytest

from pages.figures.model_sizes import Sized, compute_figure, power, short, size_figure

MODELS = [
    Sized("Old", 2018, 1e8, 1e10),
    Sized("Large", 2022, 5e11, 3e11),
    Sized("Our tiny GPT", 2025, 5e5, 4e6, ours=True),
]


def named(figure, name):
    return next(trace for trace in figure.data if trace.name == name)


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
