"""Parts of a page that run by themselves, and fail by themselves."""

import functools
from collections.abc import Callable
from typing import Any

import streamlit as st

from pages.widgets.errors import error_boundary


def own_part(draw: Callable[..., None]) -> Callable[..., None]:
    """Make a function a fragment: its controls rerun only itself, and its errors stay in it.

    Streamlit runs a fragment apart from the section that it stands in, so that the section's error
    boundary would not be there to say in a sentence what is wrong.
    """

    @st.fragment
    @functools.wraps(draw)
    def part(*values: Any) -> None:
        with error_boundary("This part"):
            draw(*values)

    return part
