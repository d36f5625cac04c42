"""A part of a page that reruns alone, and whose failures look like the page's."""

from collections.abc import Callable
from functools import wraps
from typing import Any

import streamlit as st

from pages.widgets.errors import error_boundary


def calm_fragment(draw: Callable[..., None]) -> Callable[..., None]:
    """Make `draw` a fragment inside an error boundary of its own.

    Streamlit shows the traceback of what leaves a fragment, before the page's own boundary can
    catch it; so the boundary has to stand inside. A fragment returns nothing.
    """

    @wraps(draw)
    def calm(*values: Any) -> None:
        with error_boundary("This part"):
            draw(*values)

    return st.fragment(calm)
