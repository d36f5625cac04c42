"""The small row above a page: copy its link, present it, print it."""

from pathlib import Path

import streamlit as st

from pages.widgets.view import current_view, set_view

BUTTON_STYLE = """
div {display: flex; gap: .5rem; align-items: center; min-height: 2.5rem}
button {font: inherit; color: var(--st-text-color); background: none; cursor: pointer;
  border: 1px solid var(--st-border-color); border-radius: var(--st-base-radius);
  padding: .35rem .75rem; min-height: 2.5rem; white-space: nowrap}
button:hover {border-color: var(--st-primary-color); color: var(--st-primary-color)}
button:focus-visible {outline: 3px solid var(--st-primary-color); outline-offset: 1px}
span {font-size: .85rem}
"""
_copy_link = st.components.v2.component(
    "copy_link",
    html="<div><button type='button'>Copy link</button><span role='status'></span></div>",
    css=BUTTON_STYLE,
    js=Path(__file__).with_name("copy_link.js").read_text(encoding="utf-8"),
)
_print_button = st.components.v2.component(
    "print_button",
    html="<div><button type='button'>Print, or save as PDF</button></div>",
    css=BUTTON_STYLE,
    js="""export default function ({ parentElement }) {
      parentElement.querySelector('button').onclick = () => window.print();
    }""",
)


def lesson_toolbar() -> None:
    """Show what can be done with the lesson as a whole."""
    with st.container(horizontal=True, vertical_alignment="center", key="toolbar"):
        if current_view() == "print":
            _print_button(key="print_button", width="content")
            _view_button("Back to the lesson", ":material/arrow_back:", "learn")
            return
        copy_link()
        _view_button("Present", ":material/slideshow:", "present")
        _view_button("Print view", ":material/print:", "print")


def copy_link() -> None:
    """Show the button that copies the page's address."""
    _copy_link(key="copy_link", width="content")


def _view_button(label: str, icon: str, view: str) -> None:
    st.button(label, icon=icon, key=f"view_{view}", on_click=set_view, args=(view,))
