"""The lesson on fine-tuning: a training in front of the learner, stopped, and its mistakes."""

import re

import pytest
from playwright.sync_api import expect

from llm_core.data.labelled_texts import find_label_task
from llm_core.finetuning.experiment import measured


def part(page, name):
    return page.locator(f".st-key-section_{name}")


def metric(place, name):
    return place.locator("[data-testid=stMetric]").filter(has_text=name).get_by_test_id(
        "stMetricValue"
    )  # fmt: skip


def test_a_training_is_watched_stopped_and_its_mistakes_are_read(visit):
    page = visit("pretraining_and_finetuning?tune_steps=300")
    train = part(page, "train")
    train.get_by_role("button", name="Fine-tune it").click()
    expect(train.get_by_role("button", name="Stop")).to_be_enabled()
    expect(train.get_by_role("button", name="Fine-tune it")).to_be_disabled()
    expect(train.locator(".live-chart .main-svg").first).to_be_visible()
    expect(metric(train, "Step, of 300")).to_have_text(re.compile(r"[1-9]\d*"))
    train.get_by_role("button", name="Stop").click()
    said = train.get_by_text(re.compile(r"Stopped after \d+ steps"))
    expect(said).to_be_visible()
    steps = int(re.search(r"after (\d+)", said.inner_text())[1])
    assert 0 < steps < 300

    expect(train.get_by_text("Confusions.")).to_be_visible()
    wrong = train.get_by_text(re.compile(r"\d+ of 300 unseen texts are wrong")).first
    share = float(metric(train, "Unseen texts right").inner_text().rstrip("%"))
    assert int(wrong.inner_text().split()[0]) == pytest.approx(300 * (1 - share / 100), abs=0.2)
    field = train.get_by_role("application").first
    field.focus()
    field.press("ArrowRight")
    field.press("Enter")
    expect(train.get_by_text(re.compile(r"\d+ texts are “girl”, and it says “"))).to_be_visible()
    own = train.get_by_label("A text of your own for it")
    own.fill("Ben has a hat. Then Ben gave it to Ida.")
    own.press("Enter")
    expect(train.get_by_text(re.compile("It says .*, with a probability of"))).to_be_visible()
    tried = train.get_by_role("region", name="What you have tried")
    expect(tried.get_by_role("row")).to_have_count(2)

    # It is a run like others: in the sandbox with its curves, and in the inspector.
    train.get_by_role("link", name="See it in the sandbox").click()
    expect(page.get_by_role("heading", name="Fine-tuned: Gifts")).to_be_visible()
    expect(
        page.get_by_test_id("stMain").get_by_text(re.compile("^stopped$|stopped$")).first
    ).to_be_visible()
    assert metric(page, f"Step, of {300}").inner_text() == str(steps)
    expect(page.locator(".live-chart .main-svg").first).to_be_visible()
    expect(page.get_by_text("all weights learnt, from pretrained weights")).to_be_visible()
    expect(page.get_by_role("button", name="Resume")).to_have_count(0)
    expect(page.get_by_text("Steer it")).to_have_count(0)
    page.get_by_label("A text", exact=True).fill("Ben has a hat. Then Ben gave it to Ida.")
    page.get_by_label("A text", exact=True).press("Enter")
    expect(page.get_by_text("It says, with a probability of")).to_be_visible()
    page.get_by_role("link", name="Inspect this model").click()
    expect(page.get_by_role("heading", name="Model inspector")).to_be_visible()
    expect(page.get_by_role("combobox").first).to_have_value("Fine-tuned: Gifts")


def test_a_training_goes_on_in_the_sandbox_and_is_stopped_there(visit):
    page = visit(
        "pretraining_and_finetuning?texts=Authors%3A+Shakespeare+or+a+president%3F&tune_steps=300"
    )
    train = part(page, "train")
    train.get_by_role("button", name="Fine-tune it").click()
    expect(metric(train, "Step, of 300")).to_have_text(re.compile(r"[1-9]\d*"))
    train.get_by_role("link", name="See it in the sandbox").click()
    expect(page.get_by_role("heading", name="Fine-tuned: Authors")).to_be_visible()
    main = page.get_by_test_id("stMain")
    expect(main.get_by_text(re.compile("training$")).first).to_be_visible()
    begun = int(metric(page, "Step, of 300").inner_text())
    page.wait_for_function(
        "begun => +document.querySelector('[data-testid=stMetricValue]')?.innerText > begun",
        arg=begun,
    )
    stop = main.get_by_role("button", name="Stop")
    stop.click()
    expect(main.get_by_text(re.compile("stopped$")).first).to_be_visible()
    expect(stop).to_have_count(0)
    steps = int(metric(page, "Step, of 300").inner_text())
    assert begun < steps < 300
    page.get_by_label("A text", exact=True).fill("Ben has a hat. Then Ben gave it to Ida.")
    page.get_by_label("A text", exact=True).press("Enter")
    expect(page.get_by_text("It says, with a probability of")).to_be_visible()
    page.get_by_role("link", name="Fine-tune another one").click()  # the lesson knows of it
    expect(train.get_by_text(f"Stopped after {steps} steps")).to_be_visible()
    expect(train.get_by_role("button", name="Fine-tune it")).to_be_enabled()


def test_a_head_alone_is_trained_to_its_end_on_another_task(visit):
    page = visit("pretraining_and_finetuning?tune_steps=20")
    texts, train = part(page, "texts"), part(page, "train")
    texts.get_by_text("Authors: Shakespeare or a president?").click()
    expect(page).to_have_url(re.compile("texts=Authors"))
    train.get_by_text("the head only").click()
    expect(page).to_have_url(re.compile("trained=the"))
    texts.get_by_text("About half of the time.").click()
    expect(texts.get_by_role("region", name="Some of the texts to learn from")).to_contain_text(
        "Shakespeare"
    )
    assert metric(texts, "Commonest label").inner_text() == "50.0%"
    train.get_by_role("button", name="Fine-tune it").click()
    expect(train.get_by_text("Trained.")).to_be_visible(timeout=120_000)
    assert metric(train, "Numbers trained").inner_text() == "192"
    expect(train.get_by_text("Confusions.")).to_be_visible()


def test_a_table_that_will_not_do_is_refused_and_ways_are_compared(visit):
    page = visit("pretraining_and_finetuning")
    texts = part(page, "texts")
    texts.get_by_text("My own table (CSV)").click()
    upload = texts.locator("input[type=file]")
    short = {"name": "a.csv", "mimeType": "text/csv", "buffer": b"text,label\none,a\ntwo,b\n"}
    upload.set_input_files(short)
    expect(texts.get_by_text(re.compile("2 rows"))).to_be_visible()
    rows = "\n".join(f"it is number {n},{'odd' if n % 2 else 'even'}" for n in range(40))
    table = {"name": "b.csv", "mimeType": "text/csv", "buffer": f"text,label\n{rows}".encode()}
    upload.set_input_files(table)
    texts.get_by_text("About half of the time.").click()
    expect(metric(texts, "Only measured on")).to_have_text("10")

    layers = part(page, "layers")
    tasks = list(dict.fromkeys(row["task"] for row in measured("layers")["rows"]))
    expect(layers.get_by_role("radio")).to_have_count(len(tasks))
    layers.get_by_text(find_label_task(tasks[-1]).title).click()
    table = layers.get_by_role("region", name="Ways to fine-tune, measured")
    expect(table.get_by_role("row")).to_have_count(8)
