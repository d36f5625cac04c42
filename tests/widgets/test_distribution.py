import json

from streamlit.testing.v1 import AppTest


def page():
    from pages.widgets.distribution import show_distribution

    show_distribution(["·<b>", "·b"], [0.5, 0.25], key="top", tail=0.25, tail_label="7 others")


def test_bars_finding_and_table():
    app = AppTest.from_function(page).run()
    assert not app.exception
    chart = json.loads(app.get("bidi_component")[0].proto.json)
    assert json.loads(chart["figure"])["data"][0]["text"] == ["50 %", "25 %", "25 %"]
    assert chart["alt"].startswith("The most probable is “·<b>” with 50 %")
    assert "“·&lt;b&gt;” with 50 %" in "".join(each.proto.body for each in app.get("html"))
    app.session_state["top_data"] = True
    table = app.run().table[0].value
    assert table["token"].tolist() == ["·<b>", "·b", "7 others"]
    assert table["probability"].tolist() == ["0.5", "0.25", "0.25"]
