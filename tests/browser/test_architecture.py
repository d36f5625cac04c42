"""The lesson on the architecture: parts open, words light up, a token is followed."""

import re

import pytest
from playwright.sync_api import expect

from llm_core.inspection.counting import count_parameters
from llm_core.models.config import preset


@pytest.fixture
def open_page(visit):
    return lambda query="": visit(f"architecture{query}")


def part(page, name):
    return page.locator(f".st-key-section_{name}")


def test_parts_open_by_mouse_and_keyboard_and_light_up_alike(open_page):
    page = open_page()
    machine = part(page, "machine")
    picture = machine.get_by_role("group", name=re.compile("GPT-2 small"))
    expect(machine.get_by_test_id("stMetricValue").first).to_have_text("2,362,368")

    picture.get_by_role("button", name="Feed-forward").click()
    expect(machine.get_by_role("heading", name="Feed-forward")).to_be_visible()
    expect(machine.get_by_test_id("stMetricValue").first).to_have_text("4,722,432")
    expect(page).to_have_url(re.compile("part=feedforward"))
    expect(picture.get_by_text("W to widen")).to_be_visible()  # it opened in the picture too

    word = machine.get_by_role("listitem").get_by_role("button", name="Output")
    box = picture.locator("[data-part=output]")
    expect(box).not_to_have_class(re.compile("lit"))
    word.hover()
    expect(box).to_have_class(re.compile("lit"))
    box.hover()
    expect(word).to_have_class(re.compile("lit"))

    chosen = picture.get_by_role("button", name="Feed-forward")
    chosen.focus()
    chosen.press("Home")
    page.keyboard.press("Enter")
    expect(machine.get_by_role("heading", name="Token embedding")).to_be_visible()
    expect(machine.get_by_test_id("stMetricValue").first).to_have_text("38,597,376")
    expect(picture.get_by_role("button", name="Token embedding")).to_be_focused()


def test_an_encoder_decoder_is_opened_by_its_link(open_page):
    page = open_page("?kind=Encoder-decoder&part=decoder.cross_attention")
    machine = part(page, "machine")
    expect(machine.get_by_role("heading", name="Cross-attention of the decoder")).to_be_visible()
    picture = machine.get_by_role("group", name=re.compile("the first transformer"))
    norms = picture.get_by_role("button", name="Norm")
    expect(norms).to_have_count(5)
    machine.get_by_text("pre", exact=True).click()
    expect(norms).to_have_count(7)  # one more at the end of each stack


def test_sizes_are_counted(open_page):
    page = open_page()
    size = part(page, "size")
    expect(size.get_by_test_id("stMetricValue").first).to_have_text("124,439,808")
    layers = size.get_by_role("slider", name="Layers")
    layers.focus()
    layers.press("ArrowRight")
    one_more = preset("gpt2", vocab_size=50257, n_layers=13)
    expected = f"{count_parameters(one_more):,}"
    expect(size.get_by_test_id("stMetricValue").first).to_have_text(expected)
    size.get_by_role("combobox").first.click()
    page.get_by_role("option", name="GPT-3 175B").click()
    expect(size.get_by_test_id("stMetricValue").first).to_have_text("174,604,259,328")


def test_a_token_is_followed_by_keyboard(open_page):
    page = open_page()
    follow = part(page, "follow")
    follow.get_by_text("I would rather see it").click()
    stages = follow.get_by_role("slider")
    expect(follow.get_by_text("Stage 1 of 10")).to_be_visible()
    expect(follow.get_by_text("The most probable is “·with”")).to_be_visible()
    stages.focus()
    stages.press("ArrowRight")
    expect(follow.get_by_text("Block 1: attention", exact=True)).to_be_visible()
    stages.press("End")
    expect(follow.get_by_text("Last norm, and output", exact=True)).to_be_visible()
    expect(page).to_have_url(re.compile("at=10"))
    expect(follow.get_by_text("The most probable is “·Otto”")).to_be_visible()

    follow.get_by_role("button", name=re.compile("golden")).click()  # another token of the text
    expect(follow.get_by_text("The most probable is “·horn”")).to_be_visible()
    expect(page).to_have_url(re.compile("token=6"))
    follow.get_by_label("A text").fill("")
    follow.get_by_label("A text").press("Control+Enter")
    expect(follow.get_by_text("there is no token to follow in an empty text")).to_be_visible()


def test_arrow_keys_in_the_picture_do_not_turn_the_presenters_page(open_page):
    page = open_page("?view=present&section=1")
    picture = part(page, "machine").get_by_role("group", name=re.compile("GPT-2 small"))
    box = picture.get_by_role("button", name="Masked self-attention")
    box.focus()
    box.press("ArrowRight")
    expect(picture.get_by_role("button", name="Feed-forward")).not_to_be_focused()
    page.keyboard.press("ArrowRight")
    expect(picture.get_by_role("button", name="Feed-forward")).to_be_focused()
    expect(page).to_have_url(re.compile("section=1"))
