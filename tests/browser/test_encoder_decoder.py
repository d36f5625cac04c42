"""The lesson on encoder and decoder: a date by keyboard, sign by sign, a training, and a blank."""

import re

import pytest
from playwright.sync_api import expect


@pytest.fixture
def page(visit):
    return visit("encoder_decoder")


def part(page, name):
    return page.locator(f".st-key-section_{name}")


def write_date(page, words):
    field = page.get_by_label("A date in words")
    field.fill(words)
    field.press("Enter")


def test_a_date_is_written_sign_by_sign_and_judged(page):
    write_date(page, "July the fourth, nineteen oh five")
    task, decoder = part(page, "task"), part(page, "decoder")
    expect(task.get_by_text("The model writes 1905-07-04. That is right")).to_be_visible()
    expect(page).to_have_url(re.compile("date=July"))

    slider = decoder.get_by_role("slider")
    for sign, word in (("9", "nineteen"), ("0", "oh"), ("5", "five")):
        slider.focus()
        slider.press("ArrowRight")
        said = decoder.get_by_text(f"To write “{sign}”, it looked most at “{word}”")
        expect(said).to_be_visible()
    expect(decoder.get_by_text("Sign 4 of 11")).to_be_visible()
    expect(page).to_have_url(re.compile("sign=4"))
    expect(decoder.get_by_text("Written so far: 190. The next sign is 5.")).to_be_visible()

    write_date(page, "3rd of May 1998")
    expect(task.get_by_text("The translator never met “3”, “rd”, “1998”")).to_be_visible()
    expect(decoder.get_by_text("This part goes on as soon as")).to_be_visible()
    expect(part(page, "train").get_by_role("button", name="Train it")).to_be_visible()


def test_accuracy_is_measured_and_its_mistakes_are_shown(page):
    accuracy = part(page, "accuracy")
    accuracy.get_by_text("I would rather see it").click()
    expect(accuracy.get_by_text("All 300 answers are right")).to_be_visible()
    slider = accuracy.get_by_role("slider")
    slider.focus()
    slider.press("ArrowLeft")
    expect(accuracy.get_by_role("region", name=re.compile("Mistakes"))).to_have_count(2)
    metric = accuracy.get_by_test_id("stMetricValue").first
    expect(metric).not_to_have_text("100.0%")
    share = float(metric.inner_text().rstrip("%"))
    wrong = accuracy.get_by_text(re.compile("of 300 answers are wrong")).first.inner_text()
    assert share == pytest.approx(100 * (1 - int(wrong.split()[0]) / 300), abs=0.06)


def test_a_translator_trains_in_front_of_the_learner(page):
    train = part(page, "train")
    train.get_by_text("Numbers in words to digits").click()
    steps = train.get_by_role("slider")
    steps.focus()
    steps.press("Home")
    expect(page).to_have_url(re.compile("steps_new=100"))
    field = train.get_by_label("It translates this while it learns")
    expect(field.first).to_have_value("four thousand two hundred and seven", timeout=120_000)
    expect(field).to_have_count(1, timeout=120_000)  # the one before it has gone
    train.get_by_role("button", name="Train it").click()
    expect(train.get_by_role("button", name="Stop")).to_be_enabled()
    expect(train.locator(".live-chart .main-svg").first).to_be_visible(timeout=60_000)
    expect(train.get_by_text("Trained.")).to_be_visible(timeout=300_000)
    said = train.locator("p").filter(has_text="Your model on 300 unseen inputs")
    expect(said).to_be_visible(timeout=60_000)
    right = float(re.search(r"([\d.]+)% right", said.inner_text())[1])
    assert right > 30  # after as few as 100 steps
    answers = train.get_by_role("region", name="Answers by step")
    expect(answers.get_by_role("row")).to_have_count(5)  # at the start, and every 25 steps
    expect(train.get_by_role("button", name="Train it")).to_be_enabled()


def test_a_training_can_be_stopped(page):
    train = part(page, "train")
    train.get_by_role("button", name="Train it").click()
    stop = train.get_by_role("button", name="Stop")
    expect(stop).to_be_enabled()
    stop.click()
    expect(train.get_by_text(re.compile(r"Stopped after \d+ steps"))).to_be_visible()
    expect(train.get_by_role("button", name="Train it")).to_be_enabled()


def test_what_comes_after_the_blank_moves_the_encoders_guess_alone(page):
    blank = part(page, "blank")
    blank.get_by_text("I would rather see it").click()
    guesses = blank.get_by_text(re.compile("The most probable is"))
    expect(guesses).to_have_count(2)
    before = guesses.all_inner_texts()
    assert "“·book”" in before[0]
    blank.get_by_role("button", name=re.compile("book")).first.click()  # it stays the blank
    tale = blank.get_by_label("A tale")
    text = tale.input_value()
    first = text.index("book") + 4
    tale.fill(text[:first] + text[first:].replace("book", "scarf"))
    tale.press("Control+Enter")
    expect(blank.get_by_text("The most probable is “·scarf”")).to_be_visible()
