import itertools
import json
import re
import unicodedata
from pathlib import Path

import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st
from streamlit.testing.v1 import AppTest

from pages.widgets.graphemes import group_tokens, visible_text
from pages.widgets.token_chips import (
    MOST_CHIPS,
    ROLES,
    Chip,
    Highlight,
    shown_places,
)

FAMILY = "👩‍👩‍👧"


def cut(content: bytes, places: list[int]) -> list[bytes]:
    ends = [0, *sorted(place % (len(content) + 1) for place in places), len(content)]
    return [content[a:b] for a, b in itertools.pairwise(ends)]


@given(st.text(max_size=40), st.lists(st.integers(0, 200), max_size=12))
def test_no_cut_tears_a_character(text, places):
    pieces = cut(text.encode("utf-8", "surrogatepass"), places)
    groups = group_tokens(pieces)
    assert sum(count for _, count in groups) == len(pieces)
    assert "".join(shown for shown, _ in groups) == visible_text(b"".join(pieces))


@given(st.text(min_size=1, max_size=40), st.lists(st.integers(0, 200), max_size=12))
def test_a_group_is_as_small_as_whole_characters_allow(text, places):
    pieces = cut(text.encode("utf-8", "surrogatepass"), places)
    whole = b"".join(pieces).decode("utf-8", "surrogateescape")
    ends, end = set(), 0
    for found in regex.finditer(r"\X", whole):
        end += len(found[0].encode("utf-8", "surrogateescape"))
        ends.add(end)
    place, end = 0, 0
    for _, count in group_tokens(pieces):
        inner = pieces[place : place + count]
        reached = end
        for piece in inner[:-1]:
            reached += len(piece)
            assert reached not in ends
            assert reached > 0 or not piece
        place, end = place + count, end + sum(map(len, inner))
        assert end in ends | {0}


def test_a_byte_token_and_a_code_point_token_join():
    raw = FAMILY.encode()
    assert group_tokens([b"a", raw[:2], raw[2:9], raw[9:], b"b"]) == [
        ("a", 1),
        (FAMILY, 3),
        ("b", 1),
    ]
    assert group_tokens(list(FAMILY)) == [(FAMILY, 5)]
    assert group_tokens(["e", "\u0301t"]) == [("e\u0301t", 2)]
    assert group_tokens([b"\xf0\x9f", b"owl"]) == [(r"\xF0\x9F", 1), ("owl", 1)]
    assert group_tokens([]) == []
    assert group_tokens(["", "a", ""]) == [("", 1), ("a", 1), ("", 1)]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (" owl", "·owl"),
        ("\n\t", "↵→"),
        ("\r\n", r"\r↵"),
        ("\x00\x1b\x7f\x85", r"\x00\x1B\x7F\x85"),
        ("\u00a0\u200b\ufeff\u202e", "⟨U+00A0⟩⟨U+200B⟩⟨U+FEFF⟩⟨U+202E⟩"),
        ("\u0301", "◌\u0301"),
        ("\ufe0f", "⟨U+FE0F⟩"),
        ("café ☀️ " + FAMILY, "café·☀️·" + FAMILY),
        (b"\xff\xc3\xa9", r"\xFFé"),
        ("<b>&amp;", "<b>&amp;"),
        ("🇫🇷", "🇫🇷"),
    ],
)
def test_white_space_and_controls_are_seen(text, shown):
    assert visible_text(text) == shown


@given(st.text())
def test_nothing_stays_without_a_shape(text):
    for grapheme in regex.findall(r"\X", visible_text(text)):
        assert unicodedata.category(grapheme[0]) not in {"Cc", "Cs", "Zs", "Zl", "Zp"}


def test_what_is_followed_is_shown():
    assert shown_places(30, []) == range(30)
    assert shown_places(5000, []) == range(MOST_CHIPS)
    assert shown_places(5000, [Highlight([4990], "unused")]) == range(MOST_CHIPS)
    moved = shown_places(5000, [Highlight(range(4000, 4008), "input")])
    assert moved.start < 4000
    assert moved.stop == 5000
    assert shown_places(5000, [Highlight([], "input"), Highlight([6000], "pair")]).start == 0


def page():
    import streamlit as st

    from pages.widgets.token_chips import Chip, Highlight, token_chips

    count = st.session_state.setdefault("count", 12)
    chosen = token_chips(
        [Chip(f" <i>{place}", id=place % 5, detail=f"place {place}") for place in range(count)],
        key="chips",
        label="Chips",
        highlights=[
            Highlight(range(8), "input"),
            Highlight([3, 99, -1], "target", "the answer"),
        ],
        levels=[place / 3 for place in range(count)],
        level_name="times read",
    )
    st.text(f"chosen {chosen}")


def sent(app):
    return json.loads(app.get("bidi_component")[0].proto.json)


def test_the_message_says_what_is_needed_and_no_more():
    app = AppTest.from_function(page).run()
    assert not app.exception
    data = sent(app)
    assert data["groups"][:2] == ["·<i>0", "·<i>1"]
    assert data["roles"] == [[0, 2, 0], [3, 3, 1], [4, 7, 0]]
    assert data["legend"] == [["input", "input"], ["target", "the answer"]]
    assert data["levels"][:4] == [0, 0.3333, 0.6667, 1]
    assert data["top"] == 3.667
    assert data["details"] == []  # they only said the place
    assert data["links"] == []
    assert data["more"] == ""


def test_the_user_s_text_is_data_and_never_page_source():
    proto = AppTest.from_function(page).run().get("bidi_component")[0].proto
    for content in (proto.html_content, proto.js_content, proto.css_content):
        assert "<i>" not in content
    assert "innerHTML" not in proto.js_content


def test_two_thousand_chips_are_a_small_message():
    app = AppTest.from_function(page)
    app.session_state["count"] = 5000
    app.run()
    proto = app.get("bidi_component")[0].proto
    assert sent(app)["more"].startswith("Shown are places 0 to 1,999; 3,000 of 5,000")
    assert len(sent(app)["groups"]) == MOST_CHIPS
    assert proto.ByteSize() < 80_000


@pytest.mark.parametrize(
    ("state", "chosen"),
    [({"selected": 4}, 4), ({"selected": 12}, None), ({"selected": -1}, None),
     ({"selected": True}, None), ({"selected": "4"}, None), ({"selected": None}, None)],
)  # fmt: skip
def test_the_choice_is_checked(state, chosen):
    app = AppTest.from_function(page)
    app.session_state["chips"] = state
    app.run()
    assert not app.exception
    assert app.text[0].value == f"chosen {chosen}"
    assert sent(app)["selected"] == chosen


def badly_levelled():
    import streamlit as st

    from pages.widgets.errors import error_boundary
    from pages.widgets.token_chips import Chip, token_chips

    with error_boundary():
        levels = st.session_state["levels"]
        token_chips([Chip("a"), Chip("b")], key="chips", label="Chips", levels=levels)


@pytest.mark.parametrize(
    ("levels", "sentence"),
    [([1, float("nan")], "0 or more"), ([1, -1], "0 or more"), ([1], "there are 2, and 1")],
)
def test_bad_levels_are_refused(levels, sentence):
    app = AppTest.from_function(badly_levelled)
    app.session_state["levels"] = levels
    assert sentence in app.run().warning[0].value


def test_every_role_has_a_sign_beside_its_colour():
    css = Path("pages/widgets/token_chips.css").read_text(encoding="utf-8")
    rules = re.findall(r"^([^@/{}]+)\{([^}]*)\}", css, re.M)
    for role in ROLES:
        looks = [rule for names, rule in rules if re.search(rf"\.{role}\b", names)]
        assert any(re.search("border|outline|decoration", look) for look in looks), role


def test_a_chip_needs_only_its_piece():
    assert Chip("owl") == Chip("owl", None, "", None)


def two_sided():
    import streamlit as st

    from pages.widgets.token_chips import Chip, token_chips

    token_chips(
        [Chip("a"), Chip("b"), Chip("c")],
        key="chips",
        label="Chips",
        levels=st.session_state["levels"],
        level_name="more",
        level_role="prediction",
        below_name="less",
        below_role="value",
        selected=1,
        on_choose=lambda place: st.session_state.update(asked=place),
    )


def test_levels_of_two_sides_share_a_scale_and_have_a_name_and_a_colour_each():
    app = AppTest.from_function(two_sided)
    app.session_state["levels"] = [0.5, -2.0, 0]
    data = sent(app.run())
    assert not app.exception
    assert (data["levels"], data["top"]) == ([0.5, -2, 0], 2)
    assert (data["level_name"], data["below_name"]) == ("more", "less")
    assert (data["level_colour"], data["below_colour"]) == (
        ROLES["prediction"][0],
        ROLES["value"][0],
    )


def test_a_page_may_keep_the_choice_itself():
    app = AppTest.from_function(two_sided)
    app.session_state["levels"] = [0, 0, 0]
    app.session_state["chips"] = {"selected": 2}  # what the browser had before
    data = sent(app.run())
    assert (data["kept"], data["selected"]) == (True, 1)
