"""The lesson on tokenization: merges step by step, and a model trained on the tokens."""

import re

import pytest
from playwright.sync_api import expect


@pytest.fixture
def page(visit):
    return visit("tokenization")


def tokens_shown(page):
    text = page.get_by_text(re.compile(r"tokens for your text")).inner_text()
    return int(text.split()[0].replace(",", ""))


def test_fifty_merges_by_hand_then_back_and_into_the_sandbox(page):
    page.get_by_label("Your answer, a number").first.fill("241")
    page.get_by_label("Your answer, a number").first.press("Enter")
    expect(page.get_by_text("Each of the 13 places turns two tokens into one")).to_be_visible()
    steps = page.get_by_role("group", name="Step", exact=True)
    forward = steps.get_by_role("button", name="Step forward")
    counts = [tokens_shown(page)]
    for step in range(2, 52):
        forward.click()
        expect(page.get_by_text(f"Step {step} of 61")).to_be_visible()
        expect(page.get_by_text(f"and {step - 1} tokens made by merging")).to_be_visible()
        counts.append(tokens_shown(page))
    assert counts[0] == 254
    assert counts == sorted(counts, reverse=True)
    assert len(set(counts)) == 51  # every merge shortened the text
    slider = steps.get_by_role("slider")
    slider.focus()
    slider.press("Home")
    expect(page.get_by_text("and 0 tokens made by merging")).to_be_visible()
    assert tokens_shown(page) == 254
    expect(page).not_to_have_url(re.compile("merge="))

    page.get_by_role("link", name="Train a GPT on these 316 tokens").click()
    expect(page.get_by_role("heading", level=1, name="Training sandbox")).to_be_visible()
    expect(page.get_by_text("316 tokens instead of characters")).to_be_visible()
    page.get_by_text("Pico", exact=True).click()
    page.get_by_role("button", name="Train", exact=True).click()
    expect(page.get_by_text("knows nothing: ln(316)").first).to_be_attached(timeout=120_000)
    expect(page.get_by_text("Training loss")).to_be_visible()
