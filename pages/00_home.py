"""The course's first page: what it is, where to begin, and the learner's own run."""

import streamlit as st

from pages.widgets.catalog import Lesson, find_lesson, first_lesson, written_lessons
from pages.widgets.frame import link_to, open_page
from pages.widgets.prose import show_prose
from pages.widgets.training import launcher
from pages.widgets.visitor import visitor


def invitation(lesson: Lesson, heading: str, label: str) -> None:
    """A card that leads to a lesson."""
    with st.container(border=True, height="stretch"):
        st.subheader(heading)
        st.write(lesson.summary)
        link_to(lesson, label)


def own_run() -> None:
    """Say how the visitor's newest run stands, if there is one."""
    run = launcher().store.latest(visitor())
    if run is None:
        return
    run = launcher().check(run)
    st.info(
        f"Your model *{run.title}* is {run.state.value}: "
        f"step {run.step:,} of {run.config.steps:,}. It waits for you in the training sandbox.",
        icon=":material/model_training:",
    )


def course_map() -> None:
    """Link every lesson, part by part."""
    part = ""
    for lesson in written_lessons()[1:]:
        if lesson.part != part:
            part = lesson.part
            st.markdown(f"**{part}**")
        link_to(lesson)
        st.caption(lesson.summary)


home = open_page("home")
first = first_lesson()
begin, train = st.columns(2) if first else (None, st.container())
if first and begin:
    with begin:
        invitation(first, "Begin the course", f"Start with: {first.title}")
with train:
    invitation(find_lesson("training_sandbox"), "Train a GPT now", "Open the training sandbox")
own_run()
show_prose(home, "how")
st.header("The course", divider="gray")
course_map()
