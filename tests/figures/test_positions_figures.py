"""Pictures of positions hold the numbers that they were given."""

import math

import pytest

from llm_core.models.config import POSITIONS
from pages.figures.positions import (
    LOOKS,
    arrows_figure,
    bias_figure,
    differences_figure,
    learning_figure,
    neighbours_figure,
    reading_figure,
    rows_figure,
    turning_figure,
)


def test_every_kind_looks_different():
    assert set(POSITIONS) <= set(LOOKS)
    names, colours, dashes, symbols = zip(*LOOKS.values(), strict=True)
    assert len(set(names)) == len(set(colours)) == len(set(symbols)) == len(LOOKS)
    assert set(dashes) > {"solid", "dash"}


def test_differences_stand_on_a_logarithmic_axis_and_zero_at_its_end():
    figure = differences_figure(
        {"none": 0.0, "rope": 1.5}, {"none": 0.7, "rope": 2.0}, chosen="rope"
    )
    plain, causal = figure.data
    assert list(plain.x) == [1e-8, 1.5]
    assert list(causal.x) == [0.7, 2.0]
    assert list(plain.y) == ["no positions", "RoPE"]
    assert list(plain.marker.opacity) == [0.45, 1.0]
    assert figure.layout.xaxis.type == "log"


def test_rows_and_neighbours_are_drawn_a_place_each():
    figure = rows_figure([3, 2, 0], [1.5, 0.25, 0])
    assert [list(trace.y) for trace in figure.data] == [[3, 2, 0], [1.5, 0.25, 0]]
    figure = neighbours_figure([0.9, 0.8], [1, 2, 3])
    assert [list(trace.y) for trace in figure.data] == [[0.9, 0.8], [1, 2, 3]]


def test_biases_have_a_dash_a_head():
    figure = bias_figure({"head 0": [0, -1], "head 1": [0, -0.5]}, trained=64)
    assert [list(trace.y) for trace in figure.data] == [[0, -1], [0, -0.5]]
    assert figure.layout.shapes[0].x0 == 64
    assert figure.data[0].line.dash != figure.data[1].line.dash


@pytest.mark.parametrize(("m", "n", "turn"), [(9, 4, 0.5), (2, 60, 1.0), (5, 5, 1.0)])
def test_the_arc_winds_from_key_to_query(m, n, turn):
    query, key = ((math.cos(place * turn), math.sin(place * turn)) for place in (m, n))
    _, arc, first, second = arrows_figure(query, key, places=(m, n), turn=turn).data
    for tip, trace, at in ((query, first, -1), (key, second, 0)):
        assert (trace.x[1], trace.y[1]) == pytest.approx(tip)
        radius = math.hypot(arc.x[at], arc.y[at])
        assert (arc.x[at] / radius, arc.y[at] / radius) == pytest.approx(tip, abs=1e-3)
    assert "place 9" in first.name or m != 9


def test_turning_marks_the_trained_length():
    figure = turning_figure({"a": [1, 0.5], "b": [1, 0.25]}, trained=64)
    assert [list(trace.y) for trace in figure.data] == [[1, 0.5], [1, 0.25]]
    assert figure.layout.shapes[0].x0 == 64


def test_reading_draws_as_far_as_a_kind_can_read():
    figure = reading_figure(
        {"learned": [2.0, 1.5], "alibi": [2.1, 1.4, 1.3, 1.2]},
        width=8,
        trained=16,
        chosen="alibi",
        top=3,
    )
    learned, alibi = figure.data
    assert list(learned.x) == [4, 12]
    assert list(alibi.x) == [4, 12, 20, 28]
    assert list(alibi.y) == [2.1, 1.4, 1.3, 1.2]
    assert alibi.line.width > learned.line.width
    assert list(figure.layout.xaxis.range) == [0, 32]
    assert figure.layout.yaxis.range[1] == 3
    assert figure.layout.shapes[0].x0 == 16


def test_learning_draws_all_points():
    figure = learning_figure({"none": [(0, 6.2), (10, 2.0)], "t5": [(0, 6.2)]}, chosen="t5")
    assert list(figure.data[0].x) == [0, 10]
    assert list(figure.data[0].y) == [6.2, 2.0]
    assert figure.data[1].line.width > figure.data[0].line.width
