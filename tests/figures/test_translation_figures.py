from pages.figures.curve import Curve
from pages.figures.palette import TRAIN, VALIDATION
from pages.figures.translation import (
    Shares,
    learning_alt_text,
    shares_figure,
    translation_loss_figure,
)

LOSSES = Curve([1, 2, 3], [4.5, float("nan"), 2.25])
SHARES = Shares([0, 3], [0.1, 0.6], [0.05, 0.5], [0.0, 0.25])


def test_the_loss_is_drawn_over_the_whole_training():
    figure = translation_loss_figure(LOSSES, total_steps=100, run="a")
    (trace,) = figure.data
    assert list(trace.x) == [1, 3]  # what is no number is left out
    assert list(trace.y) == [4.5, 2.25]
    assert trace.line.color == TRAIN
    assert figure.layout.xaxis.range[0] == 0
    assert figure.layout.xaxis.range[1] >= 100
    assert figure.layout.uirevision == "a"


def test_three_shares_are_told_apart_by_dash_and_marker():
    traces = shares_figure(SHARES, total_steps=100, run="a").data
    assert [list(trace.y) for trace in traces] == [[0.1, 0.6], [0.05, 0.5], [0.0, 0.25]]
    assert {trace.line.color for trace in traces} == {VALIDATION}
    assert len({trace.line.dash for trace in traces}) == 3
    assert len({trace.marker.symbol for trace in traces}) == 3


def test_a_tick_stays_small():
    many = Curve(list(range(1000)), [1.0 / (n + 1) for n in range(1000)])
    assert len(translation_loss_figure(many, total_steps=1000, run="a").to_json()) < 12_000


def test_words_say_what_the_pictures_show():
    said = learning_alt_text(LOSSES, SHARES, total_steps=100)
    assert said.startswith("After 3 of 100 steps the loss is 2.250.")
    assert "25.0% are right to the last sign" in said
    assert "60.0% with teacher forcing and 50.0% in free running" in said
    assert "has not begun" in learning_alt_text(Curve([], []), SHARES, total_steps=100)
