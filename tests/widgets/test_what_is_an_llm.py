"""The first lesson's controls, without a browser: the game, its address, a training."""

import math
import re
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from llm_core.data.passages import find_passage
from llm_core.generation.guessing import make_rounds, text_probabilities
from llm_core.pretrained.registry import load
from pages.widgets.llm_loop import Written, loop_html, text_html
from pages.widgets.llm_ngrams import counted, measured

ROOT = Path(__file__).parents[2]


@pytest.fixture
def lesson(tmp_path, monkeypatch):
    """A function that opens the lesson with what its address says."""
    monkeypatch.setenv("INSIDE_LLMS_DATA", str(tmp_path))

    def open_it(**query):
        app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=120).run()
        app.query_params.update(query)
        page = app.switch_page("pages/11_what_is_an_llm.py").run()
        assert not page.exception
        return page

    return open_it


@pytest.fixture(scope="module")
def rounds():
    model, tokenizer = load("tiny")
    ids = tokenizer.encode(find_passage("tale1").text)
    return make_rounds(text_probabilities(model, ids), ids, tokenizer)


def metric(page, label):
    return next(each.value for each in page.metric if each.label == label)


def said(page):
    return " ".join(each.value for each in page.markdown)


def test_a_right_and_a_wrong_guess_are_paid_in_bits(lesson, rounds):
    page = lesson()
    page = page.button(key=f"option_{rounds[0].right}").click().run()
    assert "**Right!**" in said(page)
    assert metric(page, "You") == f"{-math.log2(0.6):.1f} bits"
    assert metric(page, "Our tiny GPT") == f"{rounds[0].bits:.1f} bits"
    page = page.button(key="next_word").click().run()
    wrong = (rounds[1].right + 1) % 6
    page = page.button(key=f"option_{wrong}").click().run()
    paid = -math.log2(0.6) - math.log2(0.4 / 5)
    assert metric(page, "You") == f"{paid:.1f} bits"
    assert f"{rounds[0].bits + rounds[1].bits:.1f} bits" == metric(page, "Our tiny GPT")
    assert page.query_params["guesses"] == f"{rounds[0].right}1{wrong}1"
    page = page.button(key="start_again").click().run()
    assert "guesses" not in page.query_params
    assert not [each for each in page.metric if each.label == "You"]


def test_a_link_holds_the_game(lesson, rounds):
    page = lesson(guesses=f"{rounds[0].right}3")
    assert metric(page, "You") == f"{-math.log2(0.95):.1f} bits"
    for nonsense in ("9", "99", "x1", "<b>", "1" * 5000, "²²"):
        page = lesson(guesses=nonsense)
        assert len(page.query_params.get("guesses", "")) <= 16


def test_all_words_can_be_guessed_to_the_end(lesson, rounds):
    page = lesson(guesses="".join(f"{each.right}2" for each in rounds))
    assert metric(page, "You") == f"{-8 * math.log2(0.8):.1f} bits"
    assert not [each for each in page.button if each.key == "next_word"]


def test_another_text_starts_the_game_again(lesson):
    page = lesson(guesses="01")
    page = page.radio(key="text_tiny").set_value("tale2").run()
    assert not [each for each in page.metric if each.label == "You"]


def test_the_measured_perplexities_are_those_of_the_shipped_models():
    table = measured()
    longest, tokenizer, train, held_out = counted()
    assert len(train) + len(held_out) == 489_578
    assert table["held-out"].idxmin() == 3  # as the lesson says, not the longest
    assert table["counted"].is_monotonic_decreasing
    assert table["new"].is_monotonic_increasing
    assert tokenizer.vocab_size == longest.vocab_size


def test_a_secret_is_trained_on_the_page_and_told(lesson):
    page = lesson(times="32", steps="30", view="print")
    page = lesson(times="32", steps="30")
    page = next(b for b in page.button if b.key and "told_once" in b.key).click().run()
    page = page.button(key="plant").click().run()
    assert not page.exception
    assert "It tells your secret" in said(page)
    assert "golden plum slow well" in said(page)


@pytest.mark.parametrize(("secret", "sentence"), [("", "Write a secret"), ("ü" * 40, "shorter")])
def test_a_secret_that_will_not_do_is_refused_in_a_sentence(lesson, secret, sentence):
    page = lesson(view="print", secret=secret or " ")
    assert any(sentence in each.value for each in page.warning)


def test_what_a_model_writes_is_no_markup():
    now = Written("<b>", "<i>", 0.5, ())
    assert "<i>" not in loop_html(3, 10, now)
    assert "<b>x" not in text_html("<b>x", ["<u>", "y"])
    assert "&lt;u&gt;" in text_html("<b>x", ["<u>", "y"])
    assert re.search(r"all 3 tokens", loop_html(3, 10, now))
