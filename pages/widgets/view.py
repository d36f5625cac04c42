"""How a lesson is looked at: learnt alone, presented at a projector, or printed."""

from typing import Literal

import streamlit as st

View = Literal["learn", "present", "print"]

_VIEW, _SECTION = "view", "section"
_REVEALED = "_revealed"

_NO_CLUTTER = """
[data-testid="stSidebar"], [data-testid="stExpandSidebarButton"], [data-testid="stHeader"]
{display: none}
[data-testid="stMainBlockContainer"] {padding-top: 2rem}
"""
_PRESENT = (
    _NO_CLUTTER
    + """
:root:root {font-size: clamp(16px, 1.55vw, 30px)}
[data-testid="stMainBlockContainer"] {padding-bottom: 7rem}
[class*="st-key-section_"] {display: none}
.st-key-presenter {position: fixed; bottom: 0; left: 0; right: 0; z-index: 99;
  padding: .5rem 2rem; background: var(--background, Canvas);
  border-top: 1px solid rgba(128, 128, 128, .4)}
"""
)
_PRINT = (
    _NO_CLUTTER
    + """
[data-testid="stMainBlockContainer"] {max-width: 60rem}
@media print {
  .st-key-toolbar, [data-testid="stButton"], iframe {display: none !important}
  [data-testid="stVerticalBlockBorderWrapper"], [data-testid="stElementContainer"],
  [data-testid="stExpander"] {break-inside: avoid}
  h1, h2, h3 {break-after: avoid}
}
"""
)
# Someone may print without the print view: leave out at least what is no use on paper.
_ALWAYS = """
[data-testid="stMarkdownContainer"] :is(p, li) {max-width: 48rem}
[data-testid="stRadio"] label p {font-size: 1rem}
[class*="st-key-notice_"] {border-left: 4px solid light-dark(#0B5CAD, #6CB6FF);
  padding: .25rem 1rem; max-width: 50rem}
[data-testid="stCaptionContainer"] {color: inherit; opacity: .8}
[class*="st-key-next"] a, [class*="st-key-invitation"] a {width: fit-content; padding: .5rem 1rem;
  background: light-dark(#0B5CAD, #6CB6FF) !important}
[class*="st-key-next"] a *, [class*="st-key-invitation"] a *
{color: light-dark(#FFFFFF, #0F151E) !important; font-weight: 600}
.st-key-invisible {position: absolute; height: 0; overflow: hidden}
@media print {
  [data-testid="stSidebar"], [data-testid="stHeader"], .st-key-toolbar, .st-key-next
  {display: none !important}
}
"""


def current_view() -> View:
    """Return the view that the address asks for."""
    asked = st.query_params.get(_VIEW)
    if asked == "present":
        return "present"
    return "print" if asked == "print" else "learn"


def set_view(view: View) -> None:
    """Change the view; it stands in the address, so a link opens it. A callback."""
    st.query_params.pop(_SECTION, None)
    if view == "learn":
        st.query_params.pop(_VIEW, None)
    else:
        st.query_params[_VIEW] = view


def view_style() -> str:
    """Return the view's style sheet."""
    return _ALWAYS + {"learn": "", "present": _PRESENT, "print": _PRINT}[current_view()]


def current_section(count: int) -> int:
    """Return which of `count` sections is presented, whatever the address says."""
    asked = st.query_params.get(_SECTION, "0")
    return min(int(asked), count - 1) if asked.isascii() and asked.isdigit() else 0


def go_to_section(index: int) -> None:
    """Present that section, with its answers hidden again. A callback."""
    st.query_params[_SECTION] = str(index)
    st.session_state[_REVEALED] = False


def show_only(name: str) -> None:
    """Let one section appear of those that the presenting view hides."""
    hidden = '[class*="st-key-section_"]'
    st.html(f"<style>{hidden}.st-key-section_{name} {{display: flex}}</style>")


def answers_shown() -> bool:
    """May answers be seen? When presenting, only once they have been revealed."""
    return current_view() != "present" or bool(st.session_state.get(_REVEALED))


def reveal() -> None:
    """Show the answers of the section that is presented, or hide them again. A callback."""
    st.session_state[_REVEALED] = not st.session_state.get(_REVEALED)
