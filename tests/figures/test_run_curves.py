"""The other curves of a run: measures, layers, and other axes; the numbers are those put in."""

import math

import pytest

from pages.figures.curve import SECONDS, TOKENS, Curve
from pages.figures.run_curves import (
    layers_alt_text,
    layers_figure,
    layers_plot,
    measure_figure,
    measure_plot,
)
from pages.figures.training import Change, Reference, loss_figure, loss_plot

NAMES = ["embeddings", "layer 1", "output"]


def test_the_plain_description_is_the_figure() -> None:
    curve = Curve([1, 2, 3], [3.0, 2.0, 1.5])
    options = {"total_steps": 10, "changes": [Change(2, "rate × 3")], "picked": Change(3, "shown")}
    plain = loss_plot(curve, curve, [Reference("bigram model", 2.0)], **options)
    checked = loss_figure(curve, curve, [Reference("bigram model", 2.0)], **options)
    assert len(checked.data) == len(plain["data"]) == 3
    assert [shape.x0 for shape in checked.layout.shapes] == [0, 2, 3]
    assert plain["layout"]["xaxis"]["range"] == list(checked.layout.xaxis.range)


def test_other_axes_have_their_names_and_their_places() -> None:
    curve = Curve([0.5, 12.25], [3.0, 2.0])
    figure = loss_figure(curve, Curve([], []), [], total_steps=60.0, axis=SECONDS)
    assert figure.layout.xaxis.title.text == "seconds of training"
    assert list(figure.data[0].x) == [0.5, 12.25]
    assert figure.layout.xaxis.unifiedhovertitle.text.startswith("seconds")
    tokens = loss_figure(curve, curve, [], total_steps=10**6, axis=TOKENS)
    assert tokens.data[0].hovertemplate.startswith("%{x:.3s}")


def test_a_measure_is_thinned_with_its_ends_and_extremes() -> None:
    values = [1 + 0.1 * math.sin(n) for n in range(5000)]
    values[1234], values[4321] = 9.0, 0.01
    figure = measure_figure(
        Curve(range(5000), values), name="gradient norm", color="#D9390A", total=5000
    )
    shown = figure.data[0]
    assert len(shown.x) <= 300
    assert (shown.x[0], shown.x[-1]) == (0, 4999)
    assert {9.0, 0.01} <= set(shown.y)
    assert figure.layout.yaxis.range[0] == 0
    assert figure.layout.yaxis.range[1] >= 9


def test_a_share_goes_from_none_to_all() -> None:
    plot = measure_plot(
        Curve([1, 2], [0.0, 0.4]), name="right", color="#B38000", total=10, share=True
    )
    assert plot["layout"]["yaxis"]["range"] == [0, 1.05]


def test_a_strip_has_a_row_a_layer_and_keeps_first_and_last_column() -> None:
    steps = list(range(1, 1001))
    values = [[0.001, 0.01 * step, 0.0] for step in steps]
    figure = layers_figure(steps, values, NAMES, what="update", total=1000)
    strip = figure.data[0]
    assert list(strip.y) == NAMES
    assert (strip.x[0], strip.x[-1]) == (1, 1000)
    assert len(strip.x) <= 120
    assert strip.z[0][0] == pytest.approx(-3)
    assert strip.z[1][-1] == pytest.approx(1)
    assert strip.z[2][0] is None  # 0 has no power of ten
    assert strip.customdata[1][-1] == "10"
    plot = layers_plot(steps, [[0.1] * 14] * 1000, ["x"] * 14, what="update", total=1000)
    assert len(str(plot)) < 20_000


def test_the_strip_in_words() -> None:
    said = layers_alt_text([[1.0, 1.0, 1.0], [0.002, 0.03, 0.0]], NAMES, what="update")
    assert "largest in layer 1 (0.03) and smallest in embeddings (0.002)" in said
    assert layers_alt_text([], NAMES, what="update") == "Nothing has been measured yet."
    assert "0 in all layers" in layers_alt_text([[0.0, 0.0, 0.0]], NAMES, what="update")
