"""The lesson on embeddings: the map by keyboard, a token's neighbours, a step, and words."""

import re

import pytest
from playwright.sync_api import expect


@pytest.fixture
def page(visit):
    return visit("embeddings")


def part(page, name):
    return page.locator(f".st-key-section_{name}")


def neighbours(page, word, step):
    name = f"Nearest neighbours of {word} after {step} steps"
    row = part(page, "trained").get_by_role("group", name=name)
    expect(row).to_be_visible()
    return [text.lstrip("·") for text in row.locator(".text").all_inner_texts()]


def test_from_an_id_to_the_neighbours_it_learns(page):
    chips = part(page, "ids").get_by_role("group", name="Your words as tokens")
    chips.get_by_role("button", name="fox").click()
    lit = part(page, "lookup").get_by_role("row").filter(has_text="fox")
    expect(lit.get_by_role("cell").nth(1)).to_have_text("1")

    trained = part(page, "trained")
    trained.get_by_text("I would rather see it").click()
    assert {"sailor", "farmer", "goose"} <= {*neighbours(page, "owl", "2000")}
    slider = trained.get_by_role("slider")
    slider.focus()
    for _ in range(5):
        slider.press("ArrowLeft")
    expect(trained.get_by_text("Snapshot 1 of 6")).to_be_visible()
    at_random = neighbours(page, "owl", "0")
    expect(page).to_have_url(re.compile("snapshot=1"))
    assert not {"sailor", "farmer", "goose", "hare", "duck"} & {*at_random}
    slider.press("ArrowRight")
    assert len({"goat", "farmer", "bear", "duck"} & {*neighbours(page, "owl", "100")}) >= 3

    # Another token, by the keyboard, on the map itself.
    field = trained.get_by_role("application")
    field.focus()
    field.press("ArrowUp")
    said = trained.locator(".said")
    expect(said).to_have_text(re.compile(r"\w+, \w+"))
    word = said.inner_text().split(",")[0]
    assert word != "owl"
    field.press("Enter")
    expect(page).to_have_url(re.compile(f"token={word}"))
    assert word not in neighbours(page, word, "100")
    trained.get_by_text("3D", exact=True).click()
    expect(trained.locator(".live-chart")).to_be_visible()


def test_a_step_moves_the_rows_that_were_read_or_all(page):
    step = part(page, "step")
    step.get_by_text("I would rather see it").click()
    expect(step.get_by_text("4 of 1,166")).to_be_visible()
    step.get_by_text("one table, tied").click()
    expect(step.get_by_text("1,166 of 1,166")).to_be_visible()
    expect(page).to_have_url(re.compile("tables="))
    field = step.get_by_label("What to read")
    field.fill("owl")
    field.press("Enter")
    expect(step.get_by_text("A pair needs 2 to 16 tokens")).to_be_visible()
    waiting = part(page, "discrete").get_by_text("This part goes on as soon as")
    expect(waiting).to_be_visible()


def test_words_are_asked_before_anything_is_fetched(page):
    words = part(page, "words")
    field = words.get_by_label("A word", exact=True)
    field.fill("red")
    field.press("Enter")
    near = words.get_by_role("group", name="Nearest neighbours of red")
    expect(near.get_by_role("button").first).to_contain_text("green")
    field.fill("flibber")
    field.press("Enter")
    expect(words.get_by_text("'flibber' has no vector")).to_be_visible()
    expect(part(page, "meaning").get_by_role("button", name="Load the GloVe")).to_be_visible()
    analogies = part(page, "analogies")
    expect(analogies.get_by_text("nearest to “brother”")).to_be_visible()
    analogies.get_by_text("The three words themselves may win").click()
    expect(page).to_have_url(re.compile("itself=true"))
