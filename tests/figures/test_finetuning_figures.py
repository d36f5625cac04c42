import pytest

from pages.figures.curve import Curve
from pages.figures.finetuning import (
    Landmark,
    Way,
    forgetting_figure,
    learning_alt_text,
    padding_figure,
    share_figure,
    task_figure,
    ways_figure,
)

MARKS = [Landmark("commonest label", 0.5), Landmark("counted words", 0.62)]


def test_shares_stand_among_their_baselines():
    figure = share_figure([0, 10], [0.4, 0.9], MARKS, total_steps=100, run="a")
    assert list(figure.data[0].y) == [0.4, 0.9]
    assert [list(trace.y) for trace in figure.data[1:]] == [[0.5, 0.5], [0.62, 0.62]]
    assert figure.data[2].name == "counted words (62%)"
    assert len({trace.line.dash for trace in figure.data}) == 3
    assert figure.layout.xaxis.range[1] > 100


def test_what_is_forgotten_is_drawn_against_where_it_stood():
    curves = [("plain", [0, 5], [0.5, 0.8]), ("replay", [0, 5], [0.5, 0.55])]
    figure = forgetting_figure(curves, before=0.5, total_steps=5)
    assert [list(trace.y) for trace in figure.data] == [[0.5, 0.8], [0.5, 0.55]]
    assert figure.layout.shapes[0].y0 == 0.5
    low, high = figure.layout.yaxis.range
    assert low < 0.5 < 0.8 < high
    shares = task_figure(curves, total_steps=5)
    assert not shares.layout.shapes
    assert shares.data[0].line.color == figure.data[0].line.color


def test_ways_are_read_from_the_top_with_their_spread():
    figure = ways_figure([Way("words", 0.5, 0.4, 0.55, True), Way("all", 0.9, 0.9, 1.0)])
    (trace,) = figure.data
    assert list(trace.y) == ["all", "words"]
    assert list(trace.error_x.array) == [pytest.approx(0.1), pytest.approx(0.05)]
    assert list(trace.error_x.arrayminus) == [pytest.approx(0), pytest.approx(0.1)]
    assert list(trace.marker.symbol) == ["circle", "square"]


def test_both_kinds_of_pooling_are_drawn():
    figure = padding_figure([0, 1, 2], [0.9, 0.9, 0.9], [0.9, 0.3, 0.1])
    assert [list(trace.y) for trace in figure.data] == [[0.9] * 3, [0.9, 0.3, 0.1]]


def test_the_sentence_says_what_is_drawn():
    text = learning_alt_text(Curve([1, 2], [0.7, 0.25]), [0, 2], [0.5, 0.875], MARKS, total_steps=9)
    assert "After 2 of 9 steps" in text
    assert "0.250" in text
    assert "87.5%" in text
    assert "counted words 62.0%" in text
    assert "not begun" in learning_alt_text(Curve([], []), [], [], MARKS, total_steps=9)
