import json

import pytest
from streamlit.testing.v1 import AppTest


def page():
    import streamlit as st

    from pages.widgets.token_bars import chosen_bar, token_bars

    token_bars(
        ["·owl", "<b>"],
        [0.75, 0.1],
        key="bars",
        label="Tokens to choose from",
        rest="10 others",
        number=7,
        on_choose=lambda place: None,
    )
    st.text(chosen_bar("bars", 2, 7))


def test_bars_carry_names_probabilities_and_the_number_of_the_choice():
    app = AppTest.from_function(page).run()
    assert not app.exception
    sent = json.loads(app.get("bidi_component")[0].proto.json)
    assert sent["bars"] == [["·owl", 0.75, "75 %"], ["<b>", 0.1, "10 %"]]
    assert (sent["number"], sent["rest"]) == (7, "10 others")
    assert app.text[0].value == "None"


@pytest.mark.parametrize(
    ("chosen", "place"),
    [
        ([1, 7], "1"),
        ([1, 6], "None"),  # a click on bars that were out of date
        ([2, 7], "None"),
        ([-1, 7], "None"),
        ([True, 7], "None"),
        (["1", 7], "None"),
        ([1], "None"),
        ("owl", "None"),
        (None, "None"),
    ],
)
def test_only_a_sensible_answer_to_this_choice_is_heard(chosen, place):
    app = AppTest.from_function(page)
    app.session_state["bars"] = {"chosen": chosen}
    app.run()
    assert app.text[0].value == place
