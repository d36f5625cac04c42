"""What a visitor sees when something fails: one calm sentence, a way back, a code to report."""

import logging
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import streamlit as st

_LOG = logging.getLogger("inside_llms")
_ROOT = Path(__file__).parents[2]
_KEPT = {"_routed", "_visitor", "_progress"}  # what is not the page's own state


@contextmanager
def error_boundary(what: str = "This page") -> Iterator[None]:
    """Keep an exception from the visitor; the log gets the traceback under the code shown.

    A ValueError that our own code raises is meant for the learner: its sentence is shown as it is.
    """
    try:
        yield
    except ValueError as error:
        if not _ours(error):
            _report(what, error)
        else:
            st.warning(str(error), icon=":material/info:")
    except Exception as error:
        _report(what, error)


def back_to_defaults() -> None:
    """Forget what the address and this session hold of the page."""
    st.query_params.clear()
    for key in [key for key in st.session_state if str(key) not in _KEPT]:
        del st.session_state[key]


def _report(what: str, error: Exception) -> None:
    code = secrets.token_hex(3)
    _LOG.error("Error %s: %s failed", code, what, exc_info=error)
    with st.container(border=True):
        st.markdown(
            f"**{what} could not be shown.** That is our mistake, not yours. If it happens again, "
            f"please report the code `{code}`."
        )
        st.button(
            "Back to the defaults",
            icon=":material/restart_alt:",
            key=f"defaults_{what}",
            on_click=back_to_defaults,
        )


def _ours(error: Exception) -> bool:
    """Was it raised in the course's own files, rather than in a library that they call?"""
    traceback = error.__traceback__
    while traceback and traceback.tb_next:
        traceback = traceback.tb_next
    if traceback is None:
        return False
    place = Path(traceback.tb_frame.f_code.co_filename)
    return place.is_relative_to(_ROOT) and "site-packages" not in place.parts
