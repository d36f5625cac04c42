"""Instructor mode: one section at a time, moved by buttons, arrow keys or a clicker."""

from pathlib import Path

import streamlit as st

from pages.widgets.prose import Section
from pages.widgets.toolbar import BUTTON_STYLE
from pages.widgets.view import (
    answers_shown,
    current_section,
    go_to_section,
    reveal,
    set_view,
    show_only,
)

_NOTES = "_speaker_notes"
_keys = st.components.v2.component(
    "presenter_keys",
    html="<div><button type='button'>Notes in a window</button></div>",
    css=BUTTON_STYLE,
    js=Path(__file__).with_suffix(".js").read_text(encoding="utf-8"),
)


def presenter(sections: list[Section]) -> None:
    """Show the current one of the lesson's sections, and the bar that moves through them."""
    count = len(sections)
    index = current_section(count)
    current = sections[index]
    notes = current.notes or "No notes for this section."
    show_only(current.name)

    def on_go() -> None:
        action = st.session_state["presenter_keys"].go
        if action == "leave":
            set_view("learn")
        elif action in {"next", "back"}:
            step = 1 if action == "next" else -1
            go_to_section(max(0, min(count - 1, index + step)))

    with st.container(key="presenter"):
        if st.session_state.get(_NOTES):
            st.markdown(f"**Notes.** {notes}")
        with st.container(horizontal=True, vertical_alignment="center"):
            _bar(index, count, current)
            _keys(
                key="presenter_keys",
                data={
                    "title": current.title,
                    "notes": notes.replace("**", ""),
                    "next": sections[index + 1].title if index + 1 < count else "",
                },
                on_go_change=on_go,
                width="content",
            )


def _bar(index: int, count: int, current: Section) -> None:
    st.button(
        "Back",
        icon=":material/arrow_back:",
        key="present_back",
        disabled=index == 0,
        on_click=go_to_section,
        args=(index - 1,),
    )
    st.button(
        "Next",
        icon=":material/arrow_forward:",
        key="present_next",
        disabled=index == count - 1,
        on_click=go_to_section,
        args=(index + 1,),
    )
    st.markdown(f"**{index + 1} of {count}** {current.title}", width="stretch")
    label = "Hide answers" if answers_shown() else "Reveal answers"
    st.button(label, icon=":material/key:", key="present_reveal", on_click=reveal)
    st.button("Notes", icon=":material/notes:", key="present_notes", on_click=_toggle_notes)
    st.button(
        "Leave", icon=":material/close:", key="present_leave", on_click=set_view, args=("learn",)
    )


def _toggle_notes() -> None:
    st.session_state[_NOTES] = not st.session_state.get(_NOTES)
