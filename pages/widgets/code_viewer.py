"""The real source of what a page shows, and a call that gives the numbers on screen."""

import inspect
import textwrap
from collections.abc import Callable
from typing import Any

import streamlit as st

from pages.widgets.view import current_view


def show_code(*functions: Callable[..., Any], call: str, label: str = "Show the code") -> None:
    """Show `call`, which anyone can paste into Python, and the source of `functions`.

    The call prints what is on screen, and says so in a comment behind each `print(…)`: the tests
    run it, and compare.
    """
    with st.expander(label, icon=":material/code:", expanded=current_view() == "print"):
        st.markdown("Paste this into Python, in the course's folder, and get the same numbers:")
        st.code(call.strip(), language="python", wrap_lines=True)
        for function in functions:
            module = inspect.getmodule(function)
            name = module.__name__ if module else ""
            st.caption(f"From `{name.replace('.', '/')}.py`, as it runs here:")
            source = textwrap.dedent(inspect.getsource(function))
            st.code(source, language="python", wrap_lines=True)
