"""The grid of heads: what a browser may ask for, and which head that is."""

import pytest
from streamlit.testing.v1 import AppTest


def app():
    import numpy as np
    import streamlit as st

    from pages.widgets.head_grid import _asked, head_grid

    layers, heads = st.session_state.get("size", (2, 3))
    maps = np.tril(np.ones((layers, heads, 4, 4)) / 4)
    head_grid(maps, chosen=(1, 2), key="grid", on_choose=lambda *_: None)
    st.session_state["checked"] = _asked("sent", (2, 3))


def test_the_grid_is_shown_in_either_direction():
    for size in ((2, 3), (5, 3)):
        page = AppTest.from_function(app)
        page.session_state["size"] = size
        assert not page.run().exception


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        ({"asked": [1, 2]}, (1, 2)),
        ({"asked": [2, 0]}, None),
        ({"asked": [0, -1]}, None),
        ({"asked": ["1", 2]}, None),
        ({"asked": [1]}, None),
        ({"asked": None}, None),
        ({}, None),
        (None, None),
    ],
)
def test_nonsense_from_a_browser_is_nothing(sent, expected):
    page = AppTest.from_function(app)
    page.session_state["sent"] = sent
    assert page.run().session_state["checked"] == expected
