import json
import math
import re
import struct
import tomllib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from streamlit.testing.v1 import AppTest

from pages.figures.palette import NEUTRAL, ROLES
from pages.widgets.matrix_heatmap import color_limits, pack_matrix


def unpack(content):
    """What the browser does: the upper three bytes of a big-endian float."""
    (length,) = struct.unpack_from("<I", content)
    head = json.loads(content[4 : 4 + length])
    cells = content[4 + length :]
    words = [cells[at : at + 3] + b"\0" for at in range(0, len(cells), 3)]
    return head, [struct.unpack(">f", word)[0] for word in words]


finite = st.floats(1e-30, 1e30) | st.floats(-1e30, -1e-30) | st.just(0.0)


@given(st.lists(finite, min_size=1, max_size=30))
def test_four_significant_digits_arrive(numbers):
    _, values = unpack(pack_matrix(np.array([numbers]), {}))
    for number, value in zip(numbers, values, strict=True):
        # Of a number half way between two, either neighbour is right.
        unit = 10.0 ** (math.floor(math.log10(abs(number))) - 3) if number else 1.0
        assert f"{value:.3e}" == f"{round(number / unit) * unit:.3e}"
        assert abs(float(f"{value:.3e}") - number) <= 0.500001 * unit


def test_what_is_no_number_arrives():
    matrix = np.array([[-np.inf, np.inf], [np.nan, 0.0]])
    head, values = unpack(pack_matrix(matrix, {"rows": ["<b>", "ß"]}))
    assert head == {"rows": ["<b>", "ß"]}
    assert values[:2] == [-math.inf, math.inf]
    assert math.isnan(values[2])
    assert values[3] == 0


def test_the_scale():
    matrix = np.array([[0.25, -np.inf], [np.nan, 0.75]])
    assert color_limits(matrix, False, None) == (0, 0.75)
    assert color_limits(matrix - 1, False, None) == (-0.75, -0.25)
    assert color_limits(np.array([[-3.0, 2.0]]), False, None) == (-3, 2)
    assert color_limits(np.array([[-3.0, 2.0]]), True, None) == (-3, 3)
    assert color_limits(matrix, False, (0, 1)) == (0, 1)
    assert color_limits(matrix, True, (-1, 4)) == (-4, 4)
    for empty in (np.zeros((2, 2)), np.full((2, 2), np.nan), np.full((2, 2), -np.inf)):
        assert color_limits(empty, False, None) == (0, 1)
        low, high = color_limits(empty, True, None)
        assert low < high


def page():
    import numpy as np
    import streamlit as st

    from pages.widgets.matrix_heatmap import matrix_heatmap

    size = st.session_state.setdefault("size", 4)
    names = [f"·<b>{n % 3}" for n in range(size)]
    cell = matrix_heatmap(
        np.random.default_rng(0).random((size, size)),
        key="heat",
        alt="The *finding* is <b>this</b>.",
        rows=names,
        columns=names,
    )
    st.text(f"cell {cell}")


def open_page(**state):
    app = AppTest.from_function(page, default_timeout=10)
    for key, value in state.items():
        app.session_state[key] = value
    return app.run()


def proto(app):
    return app.get("bidi_component")[0].proto


def test_a_matrix_of_64_by_64_is_a_small_message():
    app = open_page(size=64)
    assert not app.exception
    assert len(proto(app).bytes) < 14_500
    head, values = unpack(proto(app).bytes)
    assert len(values) == 64 * 64
    assert not head["numbers"]
    print(f"\n64 x 64: data {len(proto(app).bytes)} bytes, whole message {proto(app).ByteSize()}")


@pytest.mark.parametrize(
    ("state", "cell"),
    [([1, 2], (1, 2)), ([4, 0], None), ([0, -1], None), ([0], None), ("00", None), (None, None),
     ([True, 0], None), ([1.0, 0], None)],
)  # fmt: skip
def test_the_chosen_cell_is_checked(state, cell):
    app = open_page(heat={"cell": state})
    assert not app.exception
    assert app.text[0].value == f"cell {cell}"
    assert unpack(proto(app).bytes)[0]["cell"] == (list(cell) if cell else None)


def test_the_finding_is_text_and_the_table_comes_when_opened():
    app = open_page(size=5)
    shown = [each.proto.body for each in app.get("html")]
    assert "The *finding* is &lt;b&gt;this&lt;/b&gt;." in shown[0]
    assert not app.dataframe
    app.session_state["heat_data"] = True
    app.run()
    table = app.dataframe[0].value
    assert table.shape == (5, 5)
    assert table.columns[3] == "3 ·<b>0"


def wrong():
    import numpy as np
    import streamlit as st

    from pages.widgets.errors import error_boundary
    from pages.widgets.matrix_heatmap import matrix_heatmap

    values = np.zeros(st.session_state["shape"])
    labels = ["a"] * 300
    with error_boundary():
        matrix_heatmap(values, key="heat", alt="", rows=labels[: len(values)], columns=labels)


@pytest.mark.parametrize(
    ("shape", "sentence"),
    [
        ((2, 2), "does not fit 2 row labels"),
        ((300, 300), "65,536"),
        ((0, 300), "1 to"),
        (300, "fit"),
    ],
)
def test_what_does_not_fit_is_refused(shape, sentence):
    app = AppTest.from_function(wrong)
    app.session_state["shape"] = shape
    assert sentence in app.run().warning[0].value


def luminance(color):
    parts = [int(color[n : n + 2], 16) / 255 for n in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def mixed(color, share, background):
    parts = [
        round(share * int(color[n : n + 2], 16) + (1 - share) * int(background[n : n + 2], 16))
        for n in (1, 3, 5)
    ]
    return "#" + "".join(f"{part:02x}" for part in parts)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_numbers_and_tokens_on_the_deepest_colour_can_be_read(theme):
    """WCAG AA, 4.5 to 1, for text of the theme on the colours of the two scripts."""
    colours = tomllib.loads(Path(".streamlit/config.toml").read_text())["theme"][theme]
    depths = [
        float(re.search(pattern, Path(f"pages/widgets/{name}.js").read_text())[1])
        for name, pattern in (
            ("matrix_heatmap", r"UNDER_TEXT = ([\d.]+)"),
            ("token_chips", r"DEEPEST = (\d+)"),
        )
    ]
    for depth in (depths[0], depths[1] / 100):
        for color in [*ROLES.values(), NEUTRAL]:
            ground = mixed(color, depth, colours["backgroundColor"])
            pair = sorted([luminance(ground), luminance(colours["textColor"])])
            assert (pair[1] + 0.05) / (pair[0] + 0.05) >= 4.5, (color, depth)
