import pytest

from pages.figures.tokenization import (
    languages_alt_text,
    languages_figure,
    merges_alt_text,
    merges_figure,
)


def test_a_token_grows_as_the_text_shrinks():
    figure = merges_figure([100, 80, 50], 100, chosen=1)
    curve, now = figure.data
    assert list(curve.x) == [0, 1, 2]
    assert list(curve.y) == pytest.approx([1.0, 1.25, 2.0])
    assert (now.x, now.y) == ((1,), (1.25,))
    assert merges_alt_text([100, 80, 50], 100, chosen=1) == (
        "A token holds 1.00 characters before the first merge, 1.25 after 1, and 2.00 after all 2."
    )


def test_every_bar_is_a_count():
    tokens = {"yours": [10, 30], "GPT-2": [8, 12]}
    figure = languages_figure(tokens, ["English", "Hindi"])
    assert {bar.name: list(bar.y) for bar in figure.data} == tokens
    assert all(list(bar.x) == ["English", "Hindi"] for bar in figure.data)
    assert len({bar.marker.pattern.shape for bar in figure.data}) == 2
    assert languages_alt_text(tokens, ["English", "Hindi"]) == (
        "yours: Hindi takes 3.0 times the tokens of English; "
        "GPT-2: Hindi takes 1.5 times the tokens of English."
    )
