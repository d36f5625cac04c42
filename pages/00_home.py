"""The course's first page: what it is, where to begin, and how far the learner has come."""

import streamlit as st

from pages.widgets.catalog import Lesson, find_lesson, first_lesson, written_lessons
from pages.widgets.frame import link_to, open_page
from pages.widgets.navigation import questions_done
from pages.widgets.progress import (
    Progress,
    current_progress,
    read_progress,
    replace_progress,
)
from pages.widgets.prose import show_prose
from pages.widgets.training import launcher
from pages.widgets.visitor import visitor


def invitation(lesson: Lesson, heading: str, label: str) -> None:
    """A card that leads to a lesson."""
    with st.container(border=True, height="stretch", key=f"invitation_{lesson.slug}"):
        st.subheader(heading)
        st.write(lesson.summary)
        link_to(lesson, label)


def begin_or_go_on() -> None:
    """Offer the first lesson, or the one that was open last."""
    last = current_progress().last
    if last and find_lesson(last).path.exists():
        lesson = find_lesson(last)
        invitation(lesson, "Go on where you left", lesson.title)
    elif first := first_lesson():
        invitation(first, "Begin the course", f"Start with: {first.title}")


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
    """Link every lesson, part by part, with what was done of it."""
    part = ""
    for lesson in written_lessons()[1:]:
        if lesson.part != part:
            part = lesson.part
            st.subheader(part)
            show_prose(home, f"part_{lesson.number[0]}")
        link_to(lesson)
        done, questions = questions_done(lesson)
        facts = [lesson.summary]
        facts += [f"About {lesson.minutes} minutes."] if lesson.minutes else []
        facts += [f"**{done} of {questions} questions answered right.**"] if questions else []
        st.caption(" ".join(facts))


def progress_controls() -> None:
    """Let the learner take progress away, bring it back, or begin anew."""
    progress = current_progress()
    with st.popover("Your progress", icon=":material/flag:"):
        show_prose(home, "progress")
        st.download_button(
            "Save it to a file",
            progress.to_json(),
            "inside-llms-progress.json",
            "application/json",
            icon=":material/download:",
            on_click="ignore",
        )
        uploaded = st.file_uploader("Bring back a saved file", type=["json"])
        if uploaded:
            try:
                found = read_progress(uploaded.getvalue())
            except ValueError as error:
                st.error(str(error), icon=":material/error:")
            else:
                st.button("Use this file", on_click=replace_progress, args=(found,))
        st.button(
            "Forget it all",
            icon=":material/delete:",
            on_click=replace_progress,
            args=(Progress(),),
        )


home = open_page("home")
begin, train = st.columns(2)
with begin:
    begin_or_go_on()
with train:
    invitation(find_lesson("training_sandbox"), "Train a GPT now", "Open the training sandbox")
own_run()
show_prose(home, "how")
st.header("The course", divider="gray")
course_map()
progress_controls()
