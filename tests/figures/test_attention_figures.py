"""Pictures of attention hold the numbers that they were given."""

import base64
import io

import numpy as np
import pytest
from PIL import Image

from pages.figures.attention import (
    arcs_figure,
    cost_figure,
    heads_picture,
    parting_figure,
    reach_alt_text,
    reach_figure,
    spread_figure,
)
from pages.figures.palette import ATTENTION

WAYS = {
    "attention": [0.1, 0.2, 0.4],
    "window": [0.0, 0.3, 0.3],
    "recurrent": [1e-12, 0.01, 1.0],
}


def test_reach_is_compared_with_the_token_itself_and_zero_is_not_drawn():
    figure = reach_figure(WAYS, distance=2)
    drawn = [list(trace.y) for trace in figure.data]
    assert drawn[0] == pytest.approx([1, 0.5, 0.25])
    assert drawn[1] == [1, 1, None]
    assert drawn[2] == [1, pytest.approx(0.01), None]
    assert figure.layout.yaxis.type == "log"
    assert figure.layout.shapes[0].x0 == 2
    said = reach_alt_text(WAYS, distance=2)
    assert "over all: 0.25; attention in a window: nothing at all; recurrent network: 1e-12" in said


def test_spread_shows_both_pairs_of_curves():
    figure = spread_figure([2, 8], [[2, 8], [1, 1]], [[3, 1], [3.5, 3.4]], most=4, chosen=8)
    assert [list(trace.y) for trace in figure.data] == [[2, 8], [1, 1], [3, 1], [3.5, 3.4]]
    assert all(list(trace.x) == [2, 8] for trace in figure.data)
    assert 4 in [shape.y0 for shape in figure.layout.shapes]


def test_the_quadratic_curve_ends_at_the_last_measurement():
    figure = cost_figure([10, 20, 40], [1.0, 3.0, 16.0], [1.0, 2.0, 4.0], unit="ms")
    explicit, fused, curve = (list(trace.y) for trace in figure.data)
    assert (explicit, fused) == ([1, 3, 16], [1, 2, 4])
    assert curve == [1, 4, 16]


def test_arcs_span_from_the_query_to_each_key():
    figure = arcs_figure(["a", "<b>", "c"], [0.7, 0.005, 0.295], query=2)
    arc, itself = figure.data  # a weight below a hundredth has none
    assert (min(arc.x), max(arc.x)) == pytest.approx((0, 2))
    assert max(arc.y) == pytest.approx(1)
    assert set(itself.x) == {2}
    assert arc.line.width > itself.line.width
    assert figure.layout.xaxis.ticktext[1] == "&lt;b>"


def test_the_grid_of_heads_is_a_picture_in_the_colour_of_attention():
    maps = np.zeros((2, 3, 4, 4))
    maps[1, 2, 3, 0] = 1
    address = heads_picture(maps)
    kind, content = address.split(",")
    assert kind == "data:image/png;base64"
    image = Image.open(io.BytesIO(base64.b64decode(content))).convert("RGBA")
    pixels = np.asarray(image)
    assert pixels.shape == (2 * 6 - 2, 3 * 6 - 2, 4)
    assert {tuple(colour) for colour in pixels[..., :3].reshape(-1, 3)} == {
        tuple(bytes.fromhex(ATTENTION[1:]))
    }
    full = np.argwhere(pixels[..., 3] == 255)
    assert full.tolist() == [[6 + 3, 12 + 0]]
    assert (pixels[4:6, :, 3] == 0).all()  # the gap between two layers


def test_thirty_layers_of_nine_heads_stay_small():
    draws = np.random.default_rng(0).random((30, 9, 64, 64)) ** 8
    maps = np.tril(draws) / np.tril(draws).sum(axis=-1, keepdims=True)
    assert len(heads_picture(maps)) < 500_000  # noise; real weights are smoother, hence smaller


@pytest.mark.parametrize("causal", [False, True])
def test_parting_colours_the_mask_that_is_looked_at(causal):
    figure = parting_figure([1.0, 0.7], [1.0, 1.0], causal=causal)
    free, hidden = figure.data
    assert (list(free.y), list(hidden.y)) == ([1.0, 0.7], [1.0, 1.0])
    assert list(free.x) == ["embedding", "layer 1"]
    assert [trace.line.color == ATTENTION for trace in (free, hidden)] == [not causal, causal]
    assert free.line.dash != hidden.line.dash
