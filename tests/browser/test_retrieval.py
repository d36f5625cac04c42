"""The lesson on finding knowledge: three ways at once, other texts, own files, an answer."""

import re

import pytest
from playwright.sync_api import expect

from llm_core.pretrained.assets import is_present

DOLLARS = "Which policy has been characterized as substituting dollars for bullets?"
OWN = """The owl of Saint Mary's lived in the church tower for nine winters, above the bells.

The bell ringer brought candles, a stool and half a cheese each evening. By spring they
shared supper.

Mice had moved to the old school long before, since nobody there ever left
the lamp burning at night.
"""


def part(page, name):
    return page.locator(f".st-key-section_{name}")


def ask(page, question):
    field = part(page, "words").get_by_role("textbox", name="Your question")
    field.fill(question)
    field.press("Enter")


def test_a_question_is_searched_three_ways(visit):
    page = visit("knowledge_retrieval")
    ask(page, DOLLARS)
    words, both = part(page, "words"), part(page, "both")
    expect(words.get_by_text("The answer: The diplomacy of President Taft")).to_be_visible()
    expect(page).to_have_url(re.compile("ask=Which"))
    best = words.get_by_role("list", name="The best passages by words").get_by_role("listitem")
    expect(best.first).to_contain_text("holds the answer")
    expect(best.first.locator("mark", has_text="bullets").first).to_be_visible()
    table = words.get_by_role("region", name="What each word brings passage 1")
    shares = [float(row.locator("td").last.inner_text()) for row in table.locator("tr").all()[1:]]
    said = words.get_by_text("The shares add up to").inner_text()
    assert sum(shares) == pytest.approx(float(re.search(r"up to ([\d.]+)\.", said)[1]), abs=0.06)

    vectors = part(page, "vectors").get_by_role("list", name="The best passages by vectors")
    expect(vectors.get_by_role("listitem")).to_have_count(3)
    expect(part(page, "vectors").locator(".js-plotly-plot").first).to_be_visible()
    expect(both.locator("ol.found")).to_have_count(3)
    expect(both.locator("ol.found").nth(2).get_by_text("holds the answer").first).to_be_visible()
    first = both.locator("ol.found").nth(0).locator("summary").first
    first.click()
    expect(both.get_by_role("region", name="Passage 1").first).to_contain_text("dollars")
    rows = both.get_by_role("region", name="Scores of the hybrid list").get_by_role("row")
    by_words, by_vectors, _, score = rows.nth(1).locator("td").all_inner_texts()[-4:]
    ranks = [int(rank) for rank in (by_words, by_vectors) if rank.isdigit()]
    assert float(score) == pytest.approx(sum(1 / (60 + rank) for rank in ranks), abs=6e-5)

    measure = part(page, "measure")
    measure.get_by_text("I would rather see it").click()
    expect(measure.get_by_text("recall@5 on 102 questions")).to_be_visible()
    expect(part(page, "absent").get_by_text("Your question of above has")).to_be_visible()


def test_another_text_and_a_question_without_known_words(visit):
    page = visit("knowledge_retrieval")
    part(page, "corpus").get_by_text("Python's help").click()
    cards = part(page, "words").get_by_role("list", name="The best passages by words")
    expect(cards).to_contain_text("help(")
    expect(part(page, "embed").get_by_text("have no vectors yet")).to_be_visible()
    ask(page, "zyxwv")
    expect(part(page, "words").get_by_text("BM25 finds nothing at all")).to_be_visible()
    expect(part(page, "answer").get_by_text("Nothing was found")).to_be_visible()


@pytest.mark.skipif(not is_present("minilm"), reason="the encoder is not on this machine")
def test_files_of_ones_own_are_indexed_and_searched(visit):
    page = visit("knowledge_retrieval?models=minilm")
    corpus = part(page, "corpus")
    corpus.get_by_role("radio", name="Your own files").click()
    expect(corpus.get_by_text("Choose one file at least")).to_be_visible()
    upload = corpus.locator("input[type=file]")
    picture = {"name": "owl.txt", "mimeType": "text/plain", "buffer": b"\x89PNG rest of a picture"}
    upload.set_input_files(picture)
    expect(corpus.get_by_text("owl.txt: The file is a PNG image")).to_be_visible()
    corpus.get_by_role("button", name=re.compile("Remove|Delete")).first.click()
    expect(corpus.get_by_text("Choose one file at least")).to_be_visible()
    upload.set_input_files({"name": "owl.md", "mimeType": "text/plain", "buffer": OWN.encode()})
    expect(corpus.get_by_text("Documents")).to_be_visible()
    ask(page, "Where do the rodents live now?")
    part(page, "embed").get_by_role("button", name=re.compile("Index 1 passage")).click()
    expect(part(page, "embed").get_by_text("are kept on this machine")).to_be_visible()
    expect(part(page, "both").locator("ol.found")).to_have_count(3, timeout=60_000)
    expect(part(page, "both").locator("ol.found").nth(1)).to_contain_text("owl.md")


@pytest.mark.skipif(not is_present("smollm2"), reason="SmolLM2 is not on this machine")
def test_smollm2_answers_from_a_passage_and_from_memory(visit):
    page = visit("knowledge_retrieval?passages=1&models=smollm2")
    ask(page, DOLLARS)
    answer = part(page, "answer")
    expect(answer.get_by_role("list", name="Sources of the answer")).to_contain_text("Taft")
    answer.get_by_role("button", name="Let SmolLM2 answer twice").click()
    expect(answer.get_by_text("share at least half of their words")).to_be_visible(timeout=240_000)
    for name in ("From 1 passages", "From memory"):
        assert len(answer.get_by_role("region", name=name).inner_text()) > 10
