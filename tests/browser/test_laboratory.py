"""The laboratory in a real browser: set up, train, steer, pause, resume, branch, compare."""

import os
import re

import pytest
from playwright.sync_api import expect

SECONDS = 1000
SLOW = 400 * SECONDS  # workers step back behind everything else on a busy machine


@pytest.fixture
def server(start_server, tmp_path):
    return start_server("app.py", {"INSIDE_LLMS_DATA": str(tmp_path / "data")})


@pytest.fixture
def page(browser):
    context = browser.new_context(viewport={"width": 1280, "height": 1000})
    page = context.new_page()
    page.set_default_timeout(90 * SECONDS)
    yield page
    context.close()


def expect_state(page, state):
    badge = page.get_by_text(re.compile(rf"^(\w+_\w+)?\s*{state}$")).first
    expect(badge).to_be_visible(timeout=SLOW)


def train(page):
    page.get_by_test_id("stBaseButton-primary").filter(has_text="Train").click()


def step_of(page):
    return int(page.get_by_test_id("stMetricValue").first.inner_text().replace(",", ""))


@pytest.mark.skipif("CI" in os.environ, reason="trains for minutes: run it by hand")
def test_set_up_train_pause_steer_resume_branch_compare_rename(server, page, browser):
    page.goto(f"{server}/training_sandbox?size=Pico&steps=10000&layers=1&context_length=16")
    expect(page.get_by_text("1 layer of 4 heads")).to_be_visible(timeout=SLOW)
    width = page.get_by_role("spinbutton", name="Width")
    width.fill("30")
    width.press("Enter")
    expect(page.get_by_text("cannot be split evenly into 4 heads").first).to_be_visible()
    expect(page.get_by_test_id("stBaseButton-primary").filter(has_text="Train")).to_be_disabled()
    width.fill("32")
    width.press("Enter")
    expect(page.get_by_text("32 numbers per token")).to_be_visible()
    page.get_by_role("button", name="How long will it take here?").click()
    measured = page.get_by_text(re.compile(r"ms a step, measured in \d+ real steps"))
    expect(measured).to_be_visible(timeout=SLOW)
    train(page)
    expect_state(page, "training")
    page.wait_for_function(
        "parseInt(document.querySelector('[data-testid=stMetricValue]')?.innerText"
        ".replace(',', '') || 0) > 0",
        timeout=SLOW,
    )

    page.get_by_text("Steer it", exact=True).click()
    rate = page.get_by_role("slider", name="Learning rate, times what is planned")
    rate.focus()
    rate.press("ArrowLeft")
    page.get_by_role("button", name="Use it from now on").click()
    expect(page.get_by_text("It learns at the new rate")).to_be_visible()
    expect(page.get_by_role("button", name="Use it from now on")).to_be_disabled()
    page.get_by_role("button", name="Pause", exact=True).click()
    expect_state(page, "paused")
    paused = step_of(page)
    # The change stands in the picture where it was made.
    labels = page.evaluate(
        "document.querySelector('.js-plotly-plot').layout.annotations.map(each => each.text)"
    )
    assert "rate × 1/3" in labels

    page.get_by_role("button", name="Resume").click()
    expect_state(page, "training")
    page.wait_for_function(
        "before => parseInt(document.querySelector('[data-testid=stMetricValue]')?.innerText"
        ".replace(',', '') || 0) > before",
        arg=paused,
        timeout=SLOW,
    )
    page.get_by_role("button", name="Pause", exact=True).click()
    expect_state(page, "paused")
    first = page.url

    steps = page.get_by_role("spinbutton", name="Steps in all, those before included")
    kept = int(
        re.search(
            r"([\d,]+) steps", page.get_by_role("combobox", name="Branch from").input_value()
        )[1].replace(",", "")
    )
    steps.fill(str(kept + 20))
    steps.press("Enter")
    page.get_by_role("button", name="Branch", exact=True).click()
    expect(page.get_by_role("heading", name=re.compile("from step"))).to_be_visible(timeout=SLOW)
    expect_state(page, "done")
    assert page.url != first
    table = page.get_by_label("Runs compared")
    expect(table).to_contain_text("steps 10,000 →")
    expect(table).to_contain_text("lowest")

    page.get_by_text("Rename, take away or delete it").click()
    name = page.get_by_label("Its name")
    name.fill("The branch")
    page.get_by_role("button", name="Rename").click()
    expect(page.get_by_role("heading", name="The branch")).to_be_visible()
    expect(table).to_contain_text("The branch")

    at = page.get_by_role("slider", name="After how many steps")
    at.focus()
    at.press("Home")
    expect(page.get_by_text(re.compile("0 of .* whole words are words"))).to_be_visible()
    expect(page.get_by_label("What it wrote then")).to_be_visible()

    # A stranger may look at it and branch from it, and steer nothing.
    context = browser.new_context()
    stranger = context.new_page()
    stranger.goto(page.url)
    expect(stranger.get_by_text("Branch from it", exact=True)).to_be_visible(timeout=SLOW)
    expect(stranger.get_by_role("button", name="Resume")).to_have_count(0)
    expect(stranger.get_by_role("button", name="Rename")).to_have_count(0)
    expect(stranger.get_by_role("button", name="Use it when it goes on")).to_have_count(0)
    context.close()


def test_an_experiment_sets_everything_up_also_for_who_has_a_run(server, page):
    page.goto(f"{server}/training_sandbox?size=Pico&steps=100&layers=1&context_length=4")
    train(page)
    expect_state(page, "done")
    link = page.get_by_role("link", name="Four characters")
    if not link.is_visible():  # it stays as it was before the training: open for newcomers
        page.get_by_text(re.compile("Try this: .* experiments")).click()
    link.click()
    expect(page.get_by_text("it sees 4 characters at once")).to_be_visible(timeout=SLOW)
    page.get_by_text("What to look at").click()
    expect(page.get_by_text("Syllables are right")).to_be_visible()
    page.get_by_role("button", name=re.compile("Back to")).click()
    expect_state(page, "done")
