"""Pictures of sizes, of a token's way and of norms hold the numbers that they were given."""

import numpy as np
import pytest

from pages.figures.architecture import (
    journey_figure,
    lengths_figure,
    split_alt_text,
    split_figure,
    strip_figure,
)
from pages.figures.palette import ATTENTION, NEUTRAL, PREDICTION


def test_the_split_shows_shares_that_add_up():
    names, labels = ["attention", "norm", "output"], ["Attention", "Norms", "Output"]
    figure = split_figure(names, labels, [30, 10, 0], [2, 0, 6])
    parameters, flops = figure.data
    assert list(parameters.x) == [0.75, 0.25, 0]
    assert list(flops.x) == [0.25, 0, 0.75]
    assert list(parameters.y) == labels
    assert list(parameters.marker.color) == [ATTENTION, NEUTRAL, PREDICTION]
    assert list(flops.customdata) == ["2", "0", "6"]
    said = split_alt_text(labels, [30, 10, 0], [2, 0, 6])
    assert said == (
        "Most parameters: attention (75%), then norms (25%). "
        "Most FLOPs: output (75%), then attention (25%)."
    )


def test_nothing_at_all_is_no_error():
    figure = split_figure(["norm"], ["Norms"], [0], [0])
    assert list(figure.data[0].x) == [0]


def test_strips_share_one_scale_that_an_outlier_does_not_wash_out():
    vectors = np.random.default_rng(0).normal(size=(3, 500))
    vectors[2, 7] = 1000
    figure = strip_figure(["a", "b", "c"], vectors, roles=["train", "attention", "train"])
    assert [strip.y[0] for strip in figure.data] == ["a", "b", "c"]
    assert {(strip.zmin, strip.zmax) for strip in figure.data} == {
        (-figure.data[0].zmax, figure.data[0].zmax)
    }
    assert figure.data[0].zmax < 4
    np.testing.assert_allclose(figure.data[2].z[0], vectors[2], rtol=1e-6)
    ends = figure.data[1].colorscale
    assert ends[0][1] == "rgba(113,128,150,1)"
    assert ends[-1][1] == "rgba(149,66,214,1)"


def test_a_vector_of_zeros_has_a_scale():
    figure = strip_figure(["a"], np.zeros((1, 4)), roles=["train"])
    assert figure.data[0].zmax == 1


def test_the_way_marks_the_stage():
    figure = journey_figure(["e", "a", "f"], [1.0, 3.0, 9.0], [0.0, 0.2, 0.9], chosen=1)
    shares, lengths = figure.data
    assert list(shares.x) == [1, 2, 3]
    assert (list(shares.y), list(lengths.y)) == ([0, 0.2, 0.9], [1, 3, 9])
    assert {shape.x0 for shape in figure.layout.shapes} == {2}


def test_lengths_are_drawn_on_a_logarithmic_axis():
    figure = lengths_figure([("pre", [1, 2]), ("post", [1, 11.3, 11.3])])
    assert [list(line.y) for line in figure.data] == [[1, 2], [1, 11.3, 11.3]]
    assert figure.layout.yaxis.type == "log"
    assert len({line.line.dash for line in figure.data}) == 2


@pytest.mark.parametrize("columns", [96, 576])
def test_a_strip_is_a_small_message(columns):
    vectors = np.random.default_rng(0).normal(size=(3, columns))
    assert len(strip_figure(["a", "b", "c"], vectors, roles=["train"] * 3).to_json()) < 60_000
