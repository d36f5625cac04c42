"""Experiments to try: each a link that sets all up, a question, and what to look at."""

import html
from urllib.parse import urlencode

import streamlit as st

from llm_core.data.line_tasks import LINE_TASKS
from pages.widgets.catalog import Lesson
from pages.widgets.prose import section, show_text

_ADDRESS = "try"
_LINK = "color:light-dark(#0B5CAD, #6CB6FF)"
_USUAL = {"size": "Pico", "steps": "500"}
_PAGE = _USUAL | {"amount": "one page"}
# Name, and links: what each says, and what it sets. The texts are sections of the page's prose.
TRIES: dict[str, dict[str, dict[str, str]]] = {
    "overfit": {"Set it up": _PAGE},
    "dropout": {"Set it up": _PAGE | {"dropout": "0.3"}},
    "high_rate": {"Set it up": _USUAL | {"rate": "3"}},
    "low_rate": {"Set it up": _USUAL | {"rate": "0.00003"}},
    "no_positions": {
        "Without positions": _USUAL | {"position": "none"},
        "With positions": _USUAL,
    },
    "short_context": {
        "Four characters": _USUAL | {"context_length": "4"},
        "64 characters": _USUAL,
    },
    "modern": {"Classic": _USUAL, "Modern": _USUAL | {"recipe": "Modern"}},
    "batch": {"One window": _USUAL | {"batch": "1"}, "Sixteen": _USUAL},
    "sorting": {
        "Sort digits": {
            "text": LINE_TASKS["task_sorting"].title,
            "size": "Pico",
            "steps": "500",
            "recipe": "Modern",
        }
    },
    "seed": {"Seed 1": _USUAL | {"seed": "1"}, "Seed 2": _USUAL | {"seed": "2"}},
}


def tries(lesson: Lesson, *, expanded: bool) -> None:
    """List the experiments with their questions and links."""
    label = f"Try this: {len(TRIES)} experiments"
    with st.expander(label, icon=":material/science:", expanded=expanded, key="tries"):
        show_text(section(lesson, "tries").text)
        for name, links in TRIES.items():
            part = section(lesson, f"try_{name}")
            show_text(f"**{part.title}.** {part.text}")
            st.html(_links(name, links))


def tried(lesson: Lesson) -> None:
    """Say what is being tried, and what to look at, if the address names an experiment."""
    name = st.query_params.get(_ADDRESS)
    if name not in TRIES:
        return
    part = section(lesson, f"try_{name}")
    with st.container(border=True, key="tried"):
        show_text(f"**{part.title}.** {part.text}")
        with st.expander("What to look at", icon=":material/visibility:", key="look_at"):
            show_text(part.notice)
        if len(TRIES[name]) > 1:
            st.html(_links(name, TRIES[name]))


def leave_try() -> None:
    """Forget the experiment that was tried. For a callback."""
    st.query_params.pop(_ADDRESS, None)


def _links(name: str, links: dict[str, dict[str, str]]) -> str:
    """Plain links into this page: they load it anew, with every setting as the link says."""
    shown = []
    for label, settings in links.items():
        address = html.escape(urlencode({_ADDRESS: name, **settings}))
        shown.append(f'<a style="{_LINK}" href="?{address}">{html.escape(label)}</a>')
    return f'<p style="margin:0 0 .75rem">{" · ".join(shown)}</p>'
