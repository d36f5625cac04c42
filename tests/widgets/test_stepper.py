import json

import pytest
from streamlit.testing.v1 import AppTest


def page():
    import streamlit as st

    from pages.widgets.stepper import stepper, stepper_place

    before = stepper_place("step", 2)
    n = st.session_state.setdefault("n", 7)
    step = stepper(n, key="step", label="Merge", start=2, bind=st.session_state.get("bind", True))
    st.text(f"{before} then {step}")


def open_page(**query):
    app = AppTest.from_function(page)
    app.query_params.update(query)
    return app.run()


def ask(app, place, number):
    """What the browser sends; AppTest runs no callback of a component, so the place is set too."""
    app.session_state["step"] = {"asked": {"place": place, "number": number}}
    app.session_state["_step_step"] = place
    return app.run()


def said(app):
    assert not app.exception
    return app.text[0].value


def sent(app):
    return json.loads(app.get("bidi_component")[0].proto.json)


def test_it_begins_at_the_start_and_leaves_the_address_alone():
    app = open_page()
    assert said(app) == "2 then 2"
    assert sent(app) == {"label": "Merge", "n": 7, "place": 2, "number": 0}
    assert "step" not in app.query_params


def test_a_step_stands_in_the_address_counted_from_one():
    app = ask(open_page(), 5, 1)
    assert said(app) == "5 then 5"
    assert sent(app)["number"] == 1
    assert app.query_params["step"] == "6"
    ask(app, 2, 2)
    assert "step" not in app.query_params


@pytest.mark.parametrize(
    ("link", "step"),
    [("1", 0), ("7", 6), ("8", 6), ("0", 0), ("-3", 2), ("x", 2), ("²", 2), ("9" * 40, 2), ("", 2)],
)
def test_any_address_gives_a_step(link, step):
    app = open_page(step=link)
    assert said(app).endswith(f"then {step}")
    assert app.query_params.get("step") == (None if step == 2 else str(step + 1))


def test_fewer_steps_take_the_last():
    app = ask(open_page(), 6, 1)
    app.session_state["n"] = 3
    assert said(app.run()) == "6 then 2"
    assert sent(app)["place"] == 2
    app.session_state["n"] = 1
    assert said(app.run()) == "2 then 0"
    app.session_state["n"] = 7
    assert said(app.run()) == "0 then 0"


@pytest.mark.parametrize("place", [-4, 99])
def test_the_browser_may_ask_for_anything(place):
    app = ask(open_page(), place, 1)
    assert said(app) == f"{place} then {6 if place > 0 else 0}"


@pytest.mark.parametrize("asked", [None, 3, [], {}, {"place": "x", "number": -1}])
def test_a_request_that_is_none_is_no_error(asked):
    app = open_page()
    app.session_state["step"] = {"asked": asked}
    assert said(app.run()) == "2 then 2"
    assert sent(app)["number"] == 0


def test_unbound_it_leaves_the_address_alone():
    app = AppTest.from_function(page)
    app.session_state["bind"] = False
    app.query_params["step"] = "5"
    assert said(ask(app.run(), 3, 1)) == "3 then 3"
    assert app.query_params["step"] == "5"


def nothing_to_step():
    from pages.widgets.errors import error_boundary
    from pages.widgets.stepper import stepper

    with error_boundary():
        stepper(0, key="step", label="Merge")


def test_no_steps_is_a_sentence():
    app = AppTest.from_function(nothing_to_step).run()
    assert app.warning[0].value == "Merge: there is nothing to step through yet."


def test_a_page_may_send_it_to_a_step():
    def jump():
        import streamlit as st

        from pages.widgets.stepper import go_to_step, stepper

        st.button("Go", key="go", on_click=go_to_step, args=("step", 5))
        st.text(f"at {stepper(4, key='step')}")

    app = AppTest.from_function(jump).run()
    assert app.text[0].value == "at 0"
    app = app.button(key="go").click().run()
    assert app.text[0].value == "at 3"  # the last that there is
