import logging
import re

from streamlit.testing.v1 import AppTest


def broken_library_call():
    from pages.widgets.errors import error_boundary

    with error_boundary("The picture"):
        int("secret")
    import streamlit as st

    st.write("the rest")


def broken_by_input():
    from llm_core.data.windows import sliding_windows
    from pages.widgets.errors import error_boundary

    with error_boundary("The picture"):
        sliding_windows([1, 2], 5, 1)


def test_a_failure_is_one_calm_sentence_and_the_log_has_the_rest(caplog):
    with caplog.at_level(logging.ERROR, "inside_llms"):
        app = AppTest.from_function(broken_library_call).run()
    assert not app.exception
    shown = app.markdown[0].value
    assert shown.startswith("**The picture could not be shown.**")
    assert "secret" not in shown
    code = re.search(r"`(\w{6})`", shown).group(1)
    assert code in caplog.text
    assert "invalid literal for int() with base 10: 'secret'" in caplog.text
    assert app.button[0].label == "Back to the defaults"
    assert app.markdown[-1].value == "the rest"


def test_back_to_the_defaults_clears_address_and_state():
    app = AppTest.from_function(broken_library_call)
    app.query_params["stride"] = "9"
    app.session_state["stride"] = 9
    app.run()
    app.button[0].click().run()
    assert "stride" not in app.query_params
    assert "stride" not in app.session_state


def test_a_sentence_of_our_own_is_shown_as_it_is():
    app = AppTest.from_function(broken_by_input).run()
    assert not app.exception
    assert app.warning[0].value.startswith("The text has 2 tokens, and a window of 5 needs 6")
