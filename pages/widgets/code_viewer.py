"""The real source of what a page shows, and a call that gives the numbers on screen."""

import inspect
import textwrap
from collections.abc import Callable
from typing import Any

import streamlit as st

from pages.widgets.view import current_view

LABEL = "Show the code"


def show_code(*functions: Callable[..., Any], call: str, key: str) -> None:
    """Offer `call`, which anyone can paste into Python, and the source of `functions`.

    The call prints what is on screen, and says so in a comment behind each `print(…)`: the tests
    run it, and compare. What is not opened is not sent: the browser's part that colours code is
    as large as half of the page.
    """
    if current_view() == "print":
        with st.expander(LABEL, icon=":material/code:", expanded=True):
            _code(functions, call)
    else:
        _code_on_demand(functions, call, key)


@st.fragment
def _code_on_demand(functions: tuple[Callable[..., Any], ...], call: str, key: str) -> None:
    """A fragment, for reading the code is no reason to run the page."""
    expander = st.expander(LABEL, icon=":material/code:", key=f"code_{key}", on_change="rerun")
    if expander.open:
        with expander:
            _code(functions, call)


def _code(functions: tuple[Callable[..., Any], ...], call: str) -> None:
    st.markdown("Paste this into Python, in the course's folder, and get the same numbers:")
    st.code(call.strip(), language="python", wrap_lines=True)
    for function in functions:
        module = inspect.getmodule(function)
        name = module.__name__ if module else ""
        st.caption(f"From `{name.replace('.', '/')}.py`, as it runs here:")
        source = textwrap.dedent(inspect.getsource(function))
        st.code(source, language="python", wrap_lines=True)
