"""The first lesson's journey: guess a word, see bits, step through the loop, compare n-grams."""

import re

import pytest
from playwright.sync_api import expect


@pytest.fixture
def page(visit):
    return visit("what_is_an_llm")


def part(page, name):
    return page.locator(f".st-key-section_{name}")


def bits(game, label):
    text = game.locator("[data-testid=stMetric]").filter(has_text=label).inner_text()
    return float(re.search(r"([\d.]+) bits", text)[1])


def test_guess_two_words_and_share_the_game(page):
    game = part(page, "game")
    text = game.get_by_role("region", name="The text so far")
    expect(text).to_contain_text("?")
    expect(game.get_by_text("What the model expected")).to_have_count(0)
    game.get_by_text("95%", exact=True).click()
    first = game.locator("[class*=st-key-option_] button")
    expect(first).to_have_count(6)
    word = first.nth(1).inner_text()
    first.nth(1).click()
    expect(text).not_to_contain_text("?")
    expect(game.get_by_text("What the model expected")).to_be_visible()
    came = text.locator("span").inner_text()
    expected = 0.1 if came == word else 6.6  # -log2 0.95, or -log2 of a fifth of 0.05
    assert bits(game, "You") == expected
    assert bits(game, "A blind guess") == 2.6
    expect(game.locator(".live-chart")).to_have_count(3)

    game.get_by_role("button", name="Next word").click()
    expect(text).to_contain_text("?")
    expect(game.get_by_text("Word 2 of 8")).to_be_visible()
    game.locator("[class*=st-key-option_] button").nth(0).click()
    expect(page).to_have_url(re.compile(r"guesses=130\d"))
    expect(game.get_by_text("5.2 bits")).to_be_visible()
    expect(game.locator("[data-testid=stMetric]")).to_have_count(3)  # what was there has gone
    yours = bits(game, "You")

    page.reload()
    expect(page.get_by_role("heading", name="In short")).to_be_attached()
    expect(game.locator("[data-testid=stMetric]").filter(has_text="You")).to_contain_text(
        f"{yours} bits"
    )


def test_step_through_the_loop(page):
    loop = part(page, "loop")
    text = loop.get_by_role("region", name="The text so far")
    before = text.inner_text()
    expect(loop.get_by_role("list", name="The loop")).to_contain_text("all 4 tokens so far")
    loop.get_by_role("button", name="Step forward").click()
    expect(loop.get_by_role("list", name="The loop")).to_contain_text("all 5 tokens so far")
    assert text.inner_text().startswith(before)
    assert len(text.inner_text()) > len(before)


def test_n_grams_beside_the_gpt(page):
    ngrams = part(page, "ngrams")
    ngrams.get_by_text("Worse again").click()
    table = ngrams.get_by_role("region", name="Counted models by the length of their runs")
    expect(table).to_be_visible()
    bigram, trigram = (
        float(
            table.get_by_role("row").filter(has_text=name).get_by_role("cell").nth(1).inner_text()
        )
        for name in ("bigram", "trigram")
    )
    assert 10 < bigram < 11
    assert 5 < trigram < 5.5
    ours = ngrams.get_by_text(re.compile("Our tiny GPT.*perplexity 1.64"))
    expect(ours.first).to_be_visible()
    texts = ngrams.locator("p b", has_text="There once was a kind owl")
    expect(texts).to_have_count(3)


def test_nothing_leaves_the_machine(page):
    private = part(page, "private")
    rows = private.get_by_role("region", name="Connections of this process").get_by_role("row")
    expect(rows).to_have_count(5)
    assert rows.nth(4).get_by_role("cell").nth(0).inner_text() == "0"
    assert int(rows.nth(2).get_by_role("cell").nth(0).inner_text()) >= 1  # this browser
    expect(private.get_by_text("never leaves your computer")).to_be_visible()
