"""The loss figure: every number in it is one that was put in."""

import json
import math
from itertools import pairwise

import pytest

from pages.figures.curve import Curve, thin
from pages.figures.palette import TRAIN, VALIDATION
from pages.figures.training import (
    Change,
    Reference,
    loss_alt_text,
    loss_figure,
    loss_plot,
    loss_range,
)

REFERENCES = [Reference("knows nothing, ln(65)", math.log(65)), Reference("bigram model", 2.45)]
NOTHING = Curve([], [])


def curve(count: int, every: int = 1, floor: float = 1.0) -> Curve:
    steps = [every * (i + 1) for i in range(count)]
    return Curve(steps, [floor + 3 * math.exp(-i / 40) + 0.05 * math.sin(7 * i) for i in steps])


def test_a_short_curve_is_left_alone() -> None:
    short = curve(300)
    assert thin(short, 300) is short


@pytest.mark.parametrize("count", [301, 302, 511, 600, 5000, 20_001])
def test_thinning_keeps_ends_peaks_and_order(count: int) -> None:
    steps = list(range(count))
    losses = [2 + math.sin(i / 9) for i in steps]
    losses[count // 3], losses[count // 2] = 9.0, -4.0
    thinned = thin(Curve(steps, losses), 300)
    assert 100 < len(thinned.steps) <= 300
    assert (thinned.steps[0], thinned.steps[-1]) == (0, count - 1)
    assert {9.0, -4.0} <= set(thinned.losses)
    assert all(one < other for one, other in pairwise(thinned.steps))
    assert all(losses[s] == loss for s, loss in zip(thinned.steps, thinned.losses, strict=True))


def test_thinning_of_a_growing_curve_seldom_moves_a_point() -> None:
    long = curve(1000)
    before, after = (thin(Curve(long.steps[:n], long.losses[:n])) for n in (990, 1000))
    assert set(before.steps[:-3]) <= set(after.steps)


def test_traces_hold_the_numbers_and_the_roles_colours() -> None:
    train, validation = curve(50), curve(5, every=10)
    figure = loss_figure(train, validation, REFERENCES, total_steps=100)
    for trace, given, color in zip(
        figure.data, (train, validation), (TRAIN, VALIDATION), strict=False
    ):
        assert list(trace.x) == given.steps
        assert list(trace.y) == pytest.approx(given.losses, rel=1e-4)
        assert list(trace.customdata) == pytest.approx(list(map(math.exp, given.losses)), rel=5e-3)
        assert trace.line.color == color
    assert figure.data[0].mode == "lines"
    assert figure.data[1].marker.symbol == "diamond"  # a shape beside the colour


def test_the_newest_point_is_seen_even_alone() -> None:
    figure = loss_figure(Curve([1], [4.2]), NOTHING, REFERENCES, total_steps=100)
    assert (figure.data[2].x, figure.data[2].y) == ((1,), (4.2,))


def test_landmarks_are_lines_of_different_dashes_with_labels() -> None:
    figure = loss_figure(curve(50), NOTHING, REFERENCES, total_steps=100)
    assert [line.y0 for line in figure.layout.shapes] == pytest.approx([4.1744, 2.45])
    assert len({line.line.dash for line in figure.layout.shapes}) == 2
    texts = [label.text for label in figure.layout.annotations]
    assert texts == ["knows nothing, ln(65): 4.17", "bigram model: 2.45"]


def test_a_label_is_text_and_no_markup() -> None:
    figure = loss_figure(NOTHING, NOTHING, [Reference("a<b>c", 1.0)], total_steps=10)
    assert figure.layout.annotations[0].text == "a&lt;b&gt;c: 1.00"


def test_labels_of_near_landmarks_do_not_lie_on_each_other() -> None:
    near = [Reference("bigram model", 2.45), Reference("trigram model", 2.36), *REFERENCES[:1]]
    labels = loss_figure(NOTHING, NOTHING, near, total_steps=10).layout.annotations
    assert [label.yanchor for label in labels[:2]] == ["bottom", "top"]


def test_a_label_makes_way_for_the_curve() -> None:
    flat = Curve(list(range(0, 100, 2)), [2.6] * 50)  # where the label would stand
    labels = loss_figure(flat, NOTHING, REFERENCES, total_steps=100).layout.annotations
    assert labels[1].yanchor == "top"


def test_the_axis_shows_the_whole_run_from_the_start_and_stands_still() -> None:
    early, late = (
        loss_figure(curve(n), NOTHING, REFERENCES, total_steps=1500).layout for n in (5, 200)
    )
    assert early.xaxis.range[0] == 0
    assert 1500 < early.xaxis.range[1] < 1530
    assert early.xaxis.range == late.xaxis.range
    assert early.uirevision == late.uirevision


def test_the_range_holds_all_points_and_landmarks() -> None:
    low, high = loss_range(Curve([1, 2], [4.4, 0.9]), Curve([2], [1.1]), REFERENCES)
    assert 0 <= low < 0.9
    assert 4.4 < high < 5


def test_a_run_that_breaks_down_does_not_flatten_the_rest() -> None:
    broken = Curve([1, 2, 3, 4], [4.2, 900.0, math.nan, math.inf])
    figure = loss_figure(broken, NOTHING, REFERENCES, total_steps=10)
    assert figure.layout.yaxis.range[1] < 10
    assert list(figure.data[0].x) == [1, 2]
    json.loads(figure.to_json())


def test_without_points_and_landmarks_there_is_still_a_picture() -> None:
    figure = loss_figure(NOTHING, NOTHING, [], total_steps=10)
    assert list(figure.layout.yaxis.range) == [0, 5]


def test_a_full_figure_is_a_short_message() -> None:
    plot = loss_plot(curve(300, 5), curve(40, 37), REFERENCES, total_steps=1500)
    assert len(json.dumps(plot)) < 9000


def test_a_curve_needs_as_many_losses_as_steps() -> None:
    with pytest.raises(ValueError, match="one loss a step; here are 2 steps, 1 losses"):
        Curve([1, 2], [0.5])


def test_the_sentence_names_the_best_landmark_that_was_beaten() -> None:
    text = loss_alt_text(Curve([1200], [1.02]), Curve([1200], [1.08]), REFERENCES, total_steps=1500)
    assert text == (
        "After 1200 of 1500 steps training loss is 1.02 and validation loss 1.08, "
        "below 2.45 (bigram model)."
    )


def test_the_sentence_says_what_is_still_to_beat() -> None:
    text = loss_alt_text(Curve([1], [4.3]), NOTHING, REFERENCES, total_steps=1500)
    assert text.endswith("training loss is 4.30, still above 2.45 (bigram model).")


def test_the_sentence_sees_overfitting() -> None:
    validation = Curve([100, 200, 300], [1.6, 1.5, 1.9])
    text = loss_alt_text(Curve([300], [0.7]), validation, [], total_steps=400)
    assert text.endswith("; validation loss was lowest, 1.50, at step 200 and has risen since.")


def test_the_sentence_before_the_first_step() -> None:
    text = loss_alt_text(NOTHING, NOTHING, REFERENCES, total_steps=400)
    assert text == "Training has not started: 0 of 400 steps."


def test_changes_stand_where_they_were_made() -> None:
    curve = Curve([1, 500], [4.0, 2.0])
    changes = [Change(100 * i, f"rate × {i}") for i in range(1, 13)]
    figure = loss_figure(curve, Curve([], []), [], total_steps=2000, changes=changes)
    lines = [shape.x0 for shape in figure.layout.shapes]
    assert lines == [100 * i for i in range(5, 13)]  # the last eight
    assert [each.text for each in figure.layout.annotations][-1] == "rate × 12"
