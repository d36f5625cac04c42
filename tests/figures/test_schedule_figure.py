import pytest

from pages.figures.schedule import schedule_alt_text, schedule_figure


def test_the_picture_holds_the_rates() -> None:
    figure = schedule_figure([1, 5, 10], [0.1, 0.3, 0.0])
    assert list(figure.data[0].x) == [1, 5, 10]
    assert list(figure.data[0].y) == [0.1, 0.3, 0.0]
    with pytest.raises(ValueError, match="2 steps, 1 rates"):
        schedule_figure([1, 2], [0.1])


def test_the_sentence_tells_the_peak_and_how_long_it_lasts() -> None:
    rising = "The learning rate rises to 0.3 until step 5, and ends at 0.01."
    assert schedule_alt_text([1, 5, 10], [0.1, 0.3, 0.01]) == rising
    held = "The learning rate rises to 0.3 until step 5, stays there until step 8, and ends at 0."
    assert schedule_alt_text([1, 5, 8, 10], [0.1, 0.3, 0.3, 0.0]) == held
