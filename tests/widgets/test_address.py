import base64
import zlib
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from streamlit.testing.v1 import AppTest

from pages.widgets.address import link_for_text, text_from_link

EXAMPLES = {"Owl": "The owl sat.", "Code": "def f():\n    return 1\n"}


@given(st.text(max_size=200))
def test_any_text_survives_the_address(text):
    link = link_for_text(text, EXAMPLES)
    assert text_from_link(link, EXAMPLES, 200) == text


def test_the_address_is_short():
    assert link_for_text(EXAMPLES["Owl"], EXAMPLES) == ""
    assert link_for_text(EXAMPLES["Code"], EXAMPLES) == "@Code"
    assert link_for_text("Hello there", EXAMPLES) == "Hello there"
    chinese = "大型语言模型预测下一个词。" * 20
    assert len(quote(link_for_text(chinese, EXAMPLES))) < len(quote(chinese)) / 10


def packed(content: bytes) -> str:
    return "~" + base64.urlsafe_b64encode(content).decode()


@pytest.mark.parametrize(
    "link",
    [
        "",
        "@No such example",
        "~",
        "~%%%%",
        "~AAAA",
        packed(b"no zlib"),
        packed(zlib.compress(b"\xff\xfe")),
        packed(zlib.compress(b"x" * 10**7)),
        packed(zlib.compress(b"hello")[:-3]),
        "x" * 201,
    ],
)
def test_nonsense_gives_the_default(link):
    assert text_from_link(link, EXAMPLES, 200) == EXAMPLES["Owl"]


def page_with_a_text():
    import streamlit as st

    from pages.widgets.address import linked_text

    examples = {"Owl": "The owl sat.", "Code": "def f(): pass"}
    st.write(linked_text("Text", key="passage", examples=examples, most=50))


def test_page_and_address_say_the_same():
    app = AppTest.from_function(page_with_a_text)
    app.query_params["passage"] = "@Code"
    app.run()
    assert app.markdown[0].value == "def f(): pass"
    app.text_area[0].set_value("My own").run()
    assert app.query_params["passage"] == "My own"
    app.query_params["passage"] = "Another link"
    assert app.run().text_area[0].value == "Another link"
    app.text_area[0].set_value("The owl sat.").run()
    assert "passage" not in app.query_params


def two_pages_with_texts():
    import streamlit as st

    from pages.widgets.address import linked_text

    first = linked_text("One", key="one", examples={"Owl": "The owl sat."}, most=50)
    if st.toggle("go on"):
        second = linked_text("Two", key="two", examples={"Oak": "Old oak."}, most=10)
        st.write(first, "|", second)


@pytest.mark.parametrize(
    ("typed", "found"), [("My own text", "My own tex"), ("The owl sat.", "Old oak.")]
)
def test_a_text_of_the_learners_own_goes_along_to_the_next_page(typed, found):
    app = AppTest.from_function(two_pages_with_texts).run()
    app.text_area[0].set_value(typed).run()
    app.toggle[0].set_value(True).run()
    assert not app.exception
    assert app.text_area[1].value == found
