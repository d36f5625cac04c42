"""Pictures of embeddings hold the numbers that they were given."""

import numpy as np
import pytest

from pages.figures.embeddings import (
    descent_figure,
    groups_figure,
    rows_figure,
    share_figure,
    space_figure,
)
from pages.figures.palette import KEY, PREDICTION, VALUE
from pages.figures.word_geometry import (
    analogy_figure,
    dimension_figure,
    layers_figure,
    leaning_figure,
)


def test_shares_are_of_the_whole_and_yours_is_marked():
    figure = share_figure([64, 128], [30, 50], [70, 150], chosen=128)
    curve, mark = figure.data
    assert list(curve.y) == [30, 25]
    assert (list(mark.x), list(mark.y)) == ([128], [25])
    assert list(figure.layout.yaxis.range) == [0, 100]


def test_groups_are_drawn_by_step_with_chance():
    measures = {"alike": [0.1, 0.9], "within": [0.0, 0.6], "between": [0.01, 0.02]}
    figure = groups_figure([0, 2000], measures, chance=0.13, chosen=1)
    assert [list(trace.y) for trace in figure.data] == [*measures.values()]
    assert list(figure.data[0].x) == ["0", "2,000"]
    assert len({(t.line.dash, t.marker.symbol) for t in figure.data}) == 3  # not by colour alone
    chance, chosen = figure.layout.shapes
    assert (chance.y0, chosen.x0) == (0.13, 1)


def test_a_cube_is_as_wide_to_all_sides():
    looks = [("birds", VALUE, "circle"), ("fish", KEY, "triangle-up")]
    places = [[1, 2, 3], [-1, 0, 1], [0, 0, 2]]
    figure = space_figure(
        ["owl", "cod", "jay"], places, [0, 1, 0], looks, limit=4, chosen=0, named=[2]
    )
    birds, fish = figure.data
    assert (list(birds.x), list(birds.z), list(birds.text)) == ([1, 0], [3, 2], ["owl", "jay"])
    assert birds.marker.size[0] > birds.marker.size[1]
    assert (list(fish.y), list(fish.customdata)) == ([0], ["cod"])
    scene = figure.layout.scene
    assert {tuple(axis.range) for axis in (scene.xaxis, scene.yaxis, scene.zaxis)} == {(-4, 4)}
    assert birds.marker.symbol != fish.marker.symbol


def test_bars_of_rows_are_in_order_and_the_longest_is_on_top():
    figure = rows_figure(["·kite", "·red", "<b>"], [9, 7, 1], ["target", "input", "other"])
    drawn = {trace.name: (list(trace.y), list(trace.x)) for trace in figure.data}
    assert drawn == {"input": ([1], [7]), "target": ([0], [9]), "other": ([2], [1])}
    assert list(figure.layout.yaxis.ticktext) == ["·kite", "·red", "&lt;b>"]
    assert figure.layout.yaxis.autorange == "reversed"


def test_the_tangent_touches_the_curve_where_the_vector_stands():
    distances = [-0.5, 0.0, 0.5]
    figure = descent_figure(
        [7, 8, 9], [20.0, 3.0, 15.0], distances, [4.0, 3.0, 2.5], chosen=8, slope=-1.5
    )
    others, truth, curve, tangent, here = figure.data
    assert (list(others.x), list(others.y)) == ([7, 8, 9], [20, 3, 15])
    assert (list(truth.x), list(truth.y)) == ([8], [3])
    assert list(curve.y) == [4, 3, 2.5]
    assert (list(here.x), list(here.y)) == ([0], [3])
    rise = (tangent.y[1] - tangent.y[0]) / (tangent.x[1] - tangent.x[0])
    assert rise == pytest.approx(-1.5)
    assert np.interp(0, tangent.x, tangent.y) == pytest.approx(3)


def test_both_arrows_of_an_analogy_are_equal():
    corners = [[0, 0], [0, 2], [1, 0.5], [1, 2.5]]
    figure = analogy_figure(
        ("man", "king", "woman"), corners, {"queen": [0.9, 2.2], "<b>": [0.5, 1]}
    )
    arrows = [(a.x - a.ax, a.y - a.ay) for a in figure.layout.annotations]
    assert arrows == [(0, 2), (0, 2)]
    three, end, winner, others = figure.data
    assert list(three.text) == ["man", "king", "woman"]
    assert (list(end.x), list(end.y)) == ([1], [2.5])
    assert (list(winner.text), winner.marker.color) == (["queen"], PREDICTION)
    assert list(others.text) == ["&lt;b>"]
    for axis, places in ((figure.layout.xaxis, (0, 1)), (figure.layout.yaxis, (0, 2.5))):
        assert axis.range[0] < places[0] < places[1] < axis.range[1]
    assert figure.layout.yaxis.scaleanchor == "x"


def test_leanings_are_sorted_and_go_to_their_side():
    figure = leaning_figure(["nurse", "cook", "captain"], [-0.3, 0.01, 0.4], ("she", "he"))
    she, he = figure.data
    assert (she.name, list(she.x)) == ("towards she", [-0.3])
    assert (he.name, list(he.x)) == ("towards he", [0.01, 0.4])
    assert list(figure.layout.yaxis.ticktext) == ["nurse", "cook", "captain"]
    assert sorted([*she.y, *he.y]) == [0, 1, 2]
    low, high = figure.layout.xaxis.range
    assert low == -high < -0.4


def test_what_dimensions_keep_is_in_per_cent():
    figure = dimension_figure([1, 50], [0.1, 1], [0, 1], [0.2, 1], chosen=50)
    assert [list(trace.y) for trace in figure.data] == [[10, 100], [0, 100], [20, 100]]
    assert figure.layout.shapes[0].x0 == 50


def test_layers_tell_the_same_meaning_from_the_other():
    figure = layers_figure(
        ["token", "layer 1"], [[1, 0.9], [1, 0.2]], ["two", "three"], [True, False], chosen=1
    )
    same, other = figure.data
    assert (same.name, same.line.color, same.line.dash) == ("two: same meaning", VALUE, "solid")
    assert (other.name, other.line.color, other.line.dash) == ("three: other meaning", KEY, "dash")
    assert figure.layout.yaxis.range[0] < 0.2  # nothing is cut off
    unknown = layers_figure(["token"], [[1]], ["two"], [None], chosen=0)
    assert unknown.data[0].name == "two"
