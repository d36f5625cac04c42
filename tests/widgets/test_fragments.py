"""What goes wrong inside a part of a page is told in a sentence, without a traceback."""

from streamlit.testing.v1 import AppTest


def page():
    import streamlit as st

    from pages.widgets.fragments import own_part
    from pages.widgets.sampling_models import tiny_writer
    from pages.widgets.sampling_step import read_step

    @own_part
    def part(text):
        step = read_step(tiny_writer(), text)
        st.text(f"{len(step.ids)} tokens")

    part(st.session_state["given"])
    st.text("the rest of the page")


def run(given):
    app = AppTest.from_function(page)
    app.session_state["given"] = given
    app.run(timeout=60)
    assert not app.exception
    assert app.text[-1].value == "the rest of the page"
    return app


def test_a_sentence_for_the_learner_is_shown_as_it_is():
    assert "at least one token" in run(" ").warning[0].value


def test_our_own_mistake_is_reported_calmly():
    app = run(None)  # which is no text
    assert "This part could not be shown" in app.markdown[0].value
    assert not app.warning


def test_what_works_is_shown():
    assert run("The owl").text[0].value == "2 tokens"
