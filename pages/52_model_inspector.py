"""Look into a model: what surprises it, what it expected, whom its tokens look at, and why."""

import streamlit as st

from pages.widgets.catalog import find_lesson
from pages.widgets.errors import error_boundary
from pages.widgets.fragments import own_part
from pages.widgets.frame import link_to, open_page
from pages.widgets.inspector_head import show_verdicts
from pages.widgets.inspector_layers import show_attention, show_lens
from pages.widgets.inspector_models import Inspected, all_sources, choose_model, choose_other
from pages.widgets.inspector_places import (
    choose_place,
    show_expected,
    show_mistakes,
    show_neighbours,
)
from pages.widgets.inspector_reading import (
    Beside,
    Sight,
    choose_text,
    lay_beside,
    see,
    show_measures,
)
from pages.widgets.prose import section, show_text
from pages.widgets.training import record_trouble
from pages.widgets.visitor import visitor

_INSIDE = ("the first model", "the second model")


def choose_models(owner: str) -> tuple[Inspected, Inspected | None]:
    """Ask for one model or two; say so if the visitor has none of their own."""
    sources = all_sources(owner)
    above = st.container(horizontal=True, vertical_alignment="center")
    left, right = st.columns(2, gap="large")
    with left:
        model = choose_model(sources)
    with right:
        other = choose_other(sources)
    if all(source.run is None for source in sources.values()):
        with above:
            st.caption(section(page, "no_run").text, width="content")
            link_to(find_lesson("training_sandbox"), "Train one: a few minutes are enough")
    return model, other


def heading(name: str) -> None:
    """A section's title and what it says."""
    part = section(page, name)
    st.header(part.title, anchor=name)
    show_text(part.text, seen=seen)


@own_part
def explore(sight: Sight, beside: Beside | None) -> None:
    """All that hangs on the place in the text that is chosen."""
    seen.clear()
    heading("surprise")
    show_measures(sight, beside)
    if beside is not None:
        st.markdown(section(page, "beside").text)
    place = choose_place(sight, beside)
    expected(sight, beside, place)
    if sight.inspected.head_of:
        heading("verdict")
        with error_boundary("What the head says"):
            show_verdicts(sight)
    inside = look_into(sight, beside)
    if inside is not sight:
        assert beside is not None
        place = beside.other_place(place, len(sight.ids))
    heading("lens")
    with error_boundary("The guesses on the way"):
        show_lens(inside, place)
    heading("attention")
    show_attention(inside, place)
    heading("neighbours")
    with error_boundary("The neighbours"):
        show_neighbours(inside, place)


def expected(sight: Sight, beside: Beside | None, place: int) -> None:
    """What one model or both expected at the place, and where the first was surest and wrong."""
    left, right = st.columns(2, gap="large")
    with left:
        if beside is not None:
            st.subheader(sight.inspected.title, anchor=False)
        show_expected(sight, place, key="expected")
    if beside is None:
        with right:
            heading("mistakes")
            show_mistakes(sight)
        return
    with right:
        st.subheader(beside.other.inspected.title, anchor=False)
        if place < len(sight.ids) and place not in beside.firsts:
            st.caption("Its tokens are other ones: this is where those begin that hold the place.")
        at = beside.other_place(place, len(sight.ids))
        show_expected(beside.other, at, key="expected_too")
    heading("mistakes")
    show_mistakes(sight)


def look_into(sight: Sight, beside: Beside | None) -> Sight:
    """Ask which of two models the layers shown below are of."""
    if beside is None:
        return sight
    asked = st.segmented_control(
        "Look inside",
        _INSIDE,
        default=_INSIDE[0],
        required=True,
        key="inside",
        bind="query-params",
    )
    return beside.other if asked == _INSIDE[1] else sight


page = open_page("model_inspector")
seen: set[str] = set()
with error_boundary("This text"), record_trouble():
    model, other = choose_models(visitor())
    text = choose_text(model)
    first = see(model, text)
    explore(first, lay_beside(first, other, text) if other is not None else None)
