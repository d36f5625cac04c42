"""The server's one training booth, shared by all lessons that train something on the page."""

from typing import TYPE_CHECKING

import streamlit as st

if TYPE_CHECKING:
    from llm_core.training.booth import Booth


@st.cache_resource(show_spinner=False)
def booth() -> "Booth":
    """The server's one booth, shared by all visitors."""
    from llm_core.training.booth import Booth

    return Booth()
