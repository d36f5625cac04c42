"""The lesson on sampling: a draw by keyboard, writing together with undo, four streams at once."""

import re

import pytest
from playwright.sync_api import expect

TEXT_LENGTHS = """() => [...document.querySelectorAll('.st-key-section_four .written[role]')]
  .map(each => each.textContent.length)"""


@pytest.fixture
def page(visit):
    return visit("sampling")


def go(page, url):
    page.goto(url)
    expect(page.get_by_role("heading", name="In short")).to_be_attached(timeout=90_000)


def part(page, name):
    return page.locator(f".st-key-section_{name}")


def chips(page):
    return part(page, "write").locator(".chips button.token")


def test_write_together_with_undo_and_a_branch(page):
    write = part(page, "write")
    expect(chips(page)).to_have_count(6)  # the prompt
    write.get_by_role("button", name="Next token").click()
    expect(chips(page)).to_have_count(7)
    first = chips(page).nth(6).get_attribute("aria-label")
    assert re.search(r"probability .* %.*surprise in bits", first)

    # Choose a token oneself, from the bars, by keyboard.
    bar = write.locator(".bar").nth(1)
    expect(write.locator(".bar")).to_have_count(8)
    wanted = bar.locator(".name").inner_text()
    bar.focus()
    bar.press("Enter")
    expect(chips(page)).to_have_count(8)
    expect(chips(page).nth(7)).to_contain_text(wanted)
    expect(page).to_have_url(re.compile(r"story=\d+-\d+$"))
    long = page.url

    write.get_by_role("button", name="Undo").click()
    expect(chips(page)).to_have_count(7)
    expect(page).to_have_url(re.compile(r"story=\d+$"))
    write.locator(".bar").nth(2).click()  # another road
    expect(chips(page)).to_have_count(8)
    expect(write.get_by_text("and 1 that was written and then left")).to_be_visible()

    # Branch off further back: what else could have stood in the first place?
    chips(page).nth(6).click()
    expect(write.get_by_text("In place of token 1 of your text")).to_be_visible()
    write.locator(".bar").nth(4).click()
    expect(chips(page)).to_have_count(7)

    write.get_by_role("button", name="Ten more").click()
    expect(chips(page)).to_have_count(17)
    write.get_by_role("button", name="Start again").click()
    expect(chips(page)).to_have_count(6)
    assert "story" not in page.url

    go(page, long)  # the link holds the whole text
    expect(chips(page)).to_have_count(8)
    expect(chips(page).nth(7)).to_contain_text(wanted)


def test_four_streams_grow_at_once_and_are_measured(page):
    four = part(page, "four")
    four.get_by_text("I would rather see it").click()
    table = four.get_by_role("region", name="What the four texts are like")
    expect(table).to_be_visible()
    before = four.locator(".written[role]").nth(3).inner_text()

    four.get_by_role("button", name="Let all four write").click()
    expect(table.get_by_role("row")).to_have_count(5)
    four.get_by_role("button", name="Let all four write").click()  # once more: drawn anew
    page.wait_for_function(  # somewhere in between, all four stand there unfinished
        f"""() => {{
          const lengths = ({TEXT_LENGTHS})();
          window.seen = window.seen || new Set();
          if (lengths.length === 4) window.seen.add(lengths.join());
          const all = [...window.seen].map(each => each.split(',').map(Number));
          return [0, 1, 2, 3].every(n => new Set(all.map(each => each[n])).size > 3);
        }}""",
        polling=20,
        timeout=60_000,
    )
    expect(four.locator(".written[role]").nth(3)).not_to_have_text(before)
    expect(table).to_be_visible()
    shares = [
        float(row.locator("td").nth(3).inner_text().rstrip("%"))
        for row in table.get_by_role("row").all()[1:]
    ]
    assert shares[0] == max(shares)
    assert shares[0] > 30


def test_a_seeded_dart_and_a_thousand(page):
    pipeline = part(page, "pipeline")
    pipeline.get_by_text("I would rather see it").click()
    said = pipeline.get_by_text(re.compile(r"The dart lands at 0\.\d+ and hits"))
    expect(said).to_be_visible()
    before = said.inner_text()
    seed = pipeline.get_by_label("Seed of the dart")
    seed.fill("9")
    seed.press("Enter")
    expect(said).not_to_have_text(before)
    expect(pipeline.get_by_text(re.compile(r"Of 1,000 darts, \d+ hit"))).to_be_visible()
    table = pipeline.get_by_role("region", name="From logits to probabilities")
    expect(table.get_by_text("cut off").first).to_be_visible()


def test_an_empty_prompt_is_refused_calmly_and_the_rest_waits(page):
    field = page.get_by_role("textbox", name="The text begins")
    field.fill("")
    field.press("Enter")
    expect(page.get_by_text("a model needs at least one token to go on")).to_be_visible()
    expect(part(page, "write").get_by_text("This part goes on as soon as")).to_be_visible()
    expect(
        part(page, "chat").get_by_role("button", name=re.compile("Load the language model SmolLM2"))
    ).to_be_visible()
