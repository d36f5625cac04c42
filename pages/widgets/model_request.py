"""Models that take a download or seconds to load: asked for by a button, kept by the address.

glove = requested_model("glove")
if glove is None:
    ...  # go on with what is there
"""

from typing import Any

import streamlit as st

from llm_core.pretrained.assets import Progress, find_asset, is_present
from llm_core.pretrained.registry import load
from pages.widgets.view import current_view

_ASKED = "models"  # in the address: the names of models that this page had loaded


def requested_model(name: str, *, key: str = "") -> Any | None:
    """Return a model of the registry if it was asked for; else offer to load it, and return None.

    key: tells apart the places of one page that offer the same model.

    A link that names the model loads it at once where its files are on the machine; it never
    starts a download. Where it cannot be had, one sentence says so. On paper nothing is offered.
    """
    asset = find_asset(name)
    present = is_present(name)
    if name in _asked() and present:
        with st.spinner(f"Loading {asset.title} …"):
            return load(name)
    if current_view() == "print":
        return None
    place = st.empty()
    with place.container(border=True):
        how = "it is on this machine" if present else f"{asset.download / 1e6:.0f} MB, once"
        pressed = st.button(
            f"Load {asset.title} ({how})", key=f"load_{name}{key}", icon=":material/download:"
        )
        st.caption(f"Made by: {asset.source}. Licence: {asset.licence}.")
        if pressed:
            _fetch(name)
    return None


def _fetch(name: str) -> None:
    """Load with a progress bar, then show the page anew with the model; or say what is missing."""
    bar = st.progress(0.0, text="Looking for it …")

    def on_progress(progress: Progress) -> None:
        done, total = progress.done / 1e6, progress.total / 1e6
        bar.progress(progress.fraction, text=f"{min(done, total):.0f} of {total:.0f} MB")

    try:
        load(name, on_progress=on_progress)
    except ValueError as error:
        bar.empty()
        st.warning(str(error), icon=":material/info:")
        return
    st.query_params[_ASKED] = ",".join([*_asked(), name])
    st.rerun(scope="app")


def _asked() -> list[str]:
    return [name for name in st.query_params.get(_ASKED, "").split(",") if name]
