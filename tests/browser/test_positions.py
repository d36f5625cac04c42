"""The lesson on positions: from a shuffled sentence to the experiment, and on to the sandbox."""

import re

import pytest
from playwright.sync_api import expect

from llm_core.pretrained.position_runs import load_experiment


@pytest.fixture
def page(visit):
    return visit("positions?sentence=cats+chase+dogs&start=13")


def part(page, name):
    return page.locator(f".st-key-section_{name}")


def test_from_a_shuffled_sentence_to_the_sandbox(page):
    shuffled = part(page, "shuffled")
    shuffled.get_by_text("It is the same, wherever").click()
    expect(shuffled.get_by_text("which is rounding")).to_be_visible()
    shuffled.get_by_text("RoPE", exact=True).first.click()
    expect(shuffled.get_by_text("outputs have changed")).to_be_visible()
    expect(page).to_have_url(re.compile("kind=RoPE"))

    ends = part(page, "ends")
    expect(ends.get_by_text("140 tokens, and the model has places for 128")).to_be_visible()
    slider = ends.get_by_role("slider")
    slider.focus()
    slider.press("Home")
    expect(ends.get_by_text("Read: the model gave 8 times")).to_be_visible()

    moved = part(page, "moved")
    moved.get_by_text("I would rather see it").click()
    expect(moved.get_by_text("learned table: scores have changed, by up to")).to_be_visible()
    moved.get_by_text("ALiBi", exact=True).first.click()
    expect(moved.get_by_text("ALiBi: no score has changed by more than")).to_be_visible()

    rope = part(page, "rope")
    product = re.compile(r"so their product stays (−?[\d.]+)")
    before = product.search(rope.get_by_text(product).inner_text())[1]
    both = rope.get_by_role("slider", name="Move both by")
    both.focus()
    for _ in range(3):
        both.press("ArrowRight")
    expect(rope.get_by_text("query at place 12")).to_be_visible()
    assert product.search(rope.get_by_text(product).inner_text())[1] == before

    longer = part(page, "longer")
    longer.get_by_text("It goes up, although").click()
    expect(longer.get_by_text(re.compile("ALiBi: .* nats at places 32 to 63"))).to_be_visible()
    longer.get_by_text("RoPE", exact=True).first.click()
    expect(longer.get_by_text("Beyond what it was trained on, it fails.")).to_be_visible()
    longer.get_by_role("link", name="Run it again yourself: RoPE").click()

    expect(page.get_by_role("heading", name="Training sandbox")).to_be_visible()
    expect(page.get_by_text("512 tokens instead of characters")).to_be_visible()
    expect(page.get_by_role("spinbutton", name="Context length")).to_have_value("64")
    expect(page.get_by_role("combobox", name="Positions")).to_have_value("rope")
    kept = load_experiment().run("rope")
    expect(page.get_by_text(f"{kept.parameters:,} parameters")).to_be_visible()
    expect(page.get_by_text("2000", exact=True).first).to_be_visible()


def test_another_base_and_a_repaired_table_are_read_with_on_the_spot(page):
    repair = part(page, "repair")
    expect(repair.get_by_text("T5, as trained: ")).to_be_visible()
    repair.get_by_text("Give all farther ranges the number").click()
    expect(repair.get_by_text("T5, repaired: ")).to_be_visible()

    stretch = part(page, "stretch")
    said = stretch.get_by_text(re.compile(r"With base 10,000 and places divided by 1"))
    expect(said).to_be_visible()
    slider = stretch.get_by_role("slider", name="Base when reading")
    slider.focus()
    slider.press("ArrowRight")
    expect(stretch.get_by_text("With base 20,000 and places divided by 1")).to_be_visible()
    expect(page).to_have_url(re.compile("read_base=20000"))
