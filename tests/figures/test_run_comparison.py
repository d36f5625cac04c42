import pytest

from pages.figures.curve import Curve
from pages.figures.run_comparison import (
    MOST_RUNS,
    NamedCurve,
    run_sign,
    runs_alt_text,
    runs_figure,
)

ONE = NamedCurve("one", Curve([0, 100, 200], [4.0, 2.5, 2.75]))
TWO = NamedCurve("two", Curve([0, 300], [4.0, 2.25]))


def test_every_run_has_its_numbers_and_looks_of_its_own() -> None:
    figure = runs_figure([ONE, TWO])
    assert list(figure.data[0].y) == [4.0, 2.5, 2.75]
    assert list(figure.data[1].x) == [0, 300]
    looks = [(trace.line.color, trace.line.dash, trace.marker.symbol) for trace in figure.data]
    assert all(a != b for a, b in zip(*looks, strict=True))
    assert figure.data[0].line.color == run_sign(0)[1]
    assert [each.text for each in figure.layout.annotations] == ["<b>1</b>", "<b>2</b>"]
    low, high = figure.layout.yaxis.range
    assert low < 2.25
    assert high > 4


def test_the_sentence_names_the_lowest_and_the_next() -> None:
    expected = "The lowest validation loss is 2.25: two, after 300 steps; next comes one with 2.50."
    assert runs_alt_text([ONE, TWO]) == expected
    assert runs_alt_text([NamedCurve("x", Curve([], []))]) == (
        "No validation loss has been measured yet."
    )


def test_losses_that_are_no_numbers_and_empty_runs_leave_a_picture() -> None:
    broken = NamedCurve("x", Curve([0, 1], [float("nan"), 3.0]))
    figure = runs_figure([broken, NamedCurve("y", Curve([], []))])
    assert [len(trace.x) for trace in figure.data] == [1, 0]


def test_a_picture_of_all_runs_is_a_short_message_and_more_are_refused() -> None:
    long = NamedCurve("a name as long as may be " * 3, Curve(range(5000), [2.0 / 3] * 5000))
    assert len(runs_figure([long] * MOST_RUNS).to_json()) < 16_000
    with pytest.raises(ValueError, match="holds 6 runs"):
        runs_figure([ONE] * (MOST_RUNS + 1))
