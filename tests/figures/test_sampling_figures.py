"""The pictures of drawing a token, as data."""

import numpy as np
import pytest

from pages.figures.sampling import (
    dart_figure,
    draws_figure,
    rank_alt_text,
    rank_figure,
    surprise_figure,
    within_errors,
)


def zipf(count):
    shares = 1 / np.arange(1, count + 1)
    return shares / shares.sum()


def test_the_curve_by_rank_falls_from_the_likeliest_to_the_last_of_all():
    p = np.random.default_rng(0).permutation(zipf(49_152))
    curve = rank_figure(p, listed=10).data[0]
    assert len(curve.x) <= 200
    assert (curve.x[0], curve.x[-1]) == (1, 49_152)
    assert curve.y[0] == pytest.approx(p.max(), rel=1e-3)
    assert curve.y[-1] == pytest.approx(p.min(), rel=1e-3)
    assert all(before >= after for before, after in zip(curve.y, curve.y[1:], strict=False))


def test_the_curve_by_rank_holds_every_token_of_a_small_vocabulary_and_a_probability_of_0():
    curve = rank_figure(np.array([0.0, 0.75, 0.25]), listed=10).data[0]
    assert list(curve.x) == [1, 2, 3]
    assert list(curve.y) == [0.75, 0.25, 1e-30]


def test_the_alt_text_counts_the_tokens_that_hold_nearly_all():
    assert "The 3 likeliest have 99% of it" in rank_alt_text(np.array([0.005, 0.5, 0.4, 0.095]))


@pytest.mark.parametrize(
    ("dart", "hit"), [(0.0, "a"), (0.499, "a"), (0.5, "b"), (0.76, "c"), (0.95, "all others")]
)
def test_the_dart_hits_the_piece_of_the_bar_that_it_lands_on(dart, hit):
    figure = dart_figure(["a", "b", "c"], [0.5, 0.25, 0.15], tail=0.1, dart=dart)
    *pieces, marker = figure.data
    assert [piece.base[0] for piece in pieces] == pytest.approx([0, 0.5, 0.75, 0.9])
    assert sum(piece.x[0] for piece in pieces) == pytest.approx(1)
    full = [piece for piece in pieces if piece.marker.opacity == 0.85]
    assert [piece.hovertemplate.split(":")[0] for piece in full] == [hit]
    assert marker.x[0] == dart


def test_tokens_that_were_cut_off_take_no_room_on_the_bar():
    figure = dart_figure(["a", "b"], [1.0, 0.0], tail=0.0, dart=0.3)
    assert len(figure.data) == 2  # one piece, and the dart


def test_markup_in_a_token_is_text():
    figure = dart_figure(["<b>"], [1.0], tail=0.0, dart=0.3)
    assert "&lt;b&gt;" in figure.data[0].text[0]


def test_draws_stand_beside_what_their_probability_lets_expect():
    figure = draws_figure(["a", "b"], [0.8, 0.2], [79, 21], draws=100)
    drawn, expected = figure.data
    assert list(drawn.y) == [0.79, 0.21]
    assert list(expected.y) == [0.8, 0.2]
    assert list(expected.error_y.array) == pytest.approx([0.08, 0.08])  # 2 sqrt(0.8 · 0.2 / 100)


def test_two_standard_errors_are_what_95_of_100_experiments_stay_within():
    p = np.array([0.5, 0.3, 0.2])
    generator = np.random.default_rng(3)
    inside = [within_errors(p, generator.multinomial(1000, p), draws=1000) for _ in range(400)]
    assert sum(inside) / (3 * 400) == pytest.approx(0.95, abs=0.02)
    assert within_errors([0.5, 0.5], [560, 440], draws=1000) == 0


def test_each_text_has_a_line_of_its_own_look():
    figure = surprise_figure({"greedy": [0.0, 1.0], "drawn": [3.0, 0.5], "real": [2.0]})
    assert [line.name for line in figure.data] == ["greedy", "drawn", "real"]
    assert list(figure.data[1].x) == [1, 2]
    assert list(figure.data[1].y) == [3.0, 0.5]
    for name in ("color", "dash"):
        assert len({line.line[name] for line in figure.data}) == 3
