import json

from streamlit.testing.v1 import AppTest


def page():
    import pandas as pd
    import plotly.graph_objects as go
    import streamlit as st

    from pages.widgets.figure import show_figure

    figure = go.Figure(go.Bar(x=[1, 2], y=[3, 4]))
    show_figure(
        figure,
        key="bars",
        alt="The *second* is <script>higher</script>.",
        table=pd.DataFrame({"y": range(st.session_state.get("rows", 2))}),
        say=st.session_state.get("say", True),
    )


def html(app):
    return "".join(each.proto.body for each in app.get("html"))


def chart(app):
    return json.loads(app.get("bidi_component")[0].proto.json)


def test_a_figure_has_its_finding_for_eyes_and_for_screen_readers():
    app = AppTest.from_function(page).run()
    assert not app.exception
    assert chart(app)["alt"] == "The *second* is <script>higher</script>."
    assert "The *second* is &lt;script&gt;higher&lt;/script&gt;." in html(app)


def test_the_finding_may_be_left_to_screen_readers():
    app = AppTest.from_function(page)
    app.session_state["say"] = False
    assert "second" not in html(app.run())
    assert "second" in chart(app)["alt"]


def test_the_table_is_sent_when_it_is_opened():
    app = AppTest.from_function(page).run()
    assert [each.label for each in app.expander] == ["Data as a table"]
    assert not app.table
    app.session_state["bars_data"] = True
    assert app.run().table[0].value["y"].tolist() == [0, 1]
    app.session_state["rows"] = 100
    assert len(app.run().dataframe[0].value) == 100


def test_paper_has_no_table_to_open():
    app = AppTest.from_function(page)
    app.query_params["view"] = "print"
    app.run()
    assert not app.expander
    assert "second" in html(app)
