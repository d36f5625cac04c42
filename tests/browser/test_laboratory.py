"""The laboratory in a real browser, from the first setting to a look inside what came of it."""

import re

import pytest
from playwright.sync_api import expect

SECONDS = 1000
SLOW = 400 * SECONDS  # workers step back behind everything else on a busy machine


@pytest.fixture(scope="module")
def server(start_module_server, tmp_path_factory):
    data = tmp_path_factory.mktemp("laboratory")
    return start_module_server("app.py", {"INSIDE_LLMS_DATA": str(data)})


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


def wait_for_step_after(page, step):
    page.wait_for_function(
        "before => parseInt(document.querySelector('[data-testid=stMetricValue]')?.innerText"
        ".replace(',', '') || 0) > before",
        arg=step,
        timeout=SLOW,
    )


def set_up(page, server):
    """A tiny model; a width that cannot be is told and disables the start; pairs are counted."""
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
    page.get_by_role("combobox", name="Cut the text into").click()
    page.get_by_role("option", name="Pairs learnt from this text").click()
    expect(page.get_by_text("512 tokens in the vocabulary")).to_be_visible()
    expect(page.get_by_text("it sees 16 tokens at once")).to_be_visible()


def pause(page):
    page.get_by_role("button", name="Pause", exact=True).click()
    expect_state(page, "paused")
    told = page.get_by_text(re.compile(r"It was paused after [\d,]+ steps"))
    expect(told).to_be_visible()
    return int(re.search(r"after ([\d,]+) steps", told.inner_text())[1].replace(",", ""))


def change_the_rate(page):
    page.get_by_text("Steer it", exact=True).click()
    rate = page.get_by_role("slider", name="Learning rate, times what is planned")
    rate.focus()
    rate.press("ArrowLeft")
    page.get_by_role("button", name="Use it when it goes on").click()
    expect(page.get_by_role("button", name="Use it when it goes on")).to_be_disabled()


def take_one_step(page, paused):
    page.get_by_role("button", name="Take one step").click()
    expect(page.get_by_text(f"After step {paused + 1:,}: training loss")).to_be_visible(
        timeout=SLOW
    )
    expect(page.get_by_role("button", name="Take one step")).to_be_enabled()
    page.get_by_role("button", name="Train on").click()
    wait_for_step_after(page, paused + 1)


def branch(page):
    """From the newest checkpoint, for twenty steps more."""
    newest = page.get_by_role("combobox", name="Branch from").input_value()
    kept = int(re.search(r"([\d,]+) steps", newest)[1].replace(",", ""))
    steps = page.get_by_role("spinbutton", name="Steps in all, those before included")
    steps.fill(str(kept + 20))
    steps.press("Enter")
    page.get_by_role("button", name="Branch", exact=True).click()
    expect(page.get_by_role("heading", name=re.compile("from step"))).to_be_visible(timeout=SLOW)
    expect_state(page, "done")
    expect(page.get_by_text(f"It has taken all of its {kept + 20:,} steps")).to_be_visible()
    return kept + 20


def compare_and_rename(page):
    table = page.get_by_label("Runs compared")
    expect(table).to_contain_text("steps 10,000 →")
    expect(table).to_contain_text("lowest")
    page.get_by_text("Rename, take away or delete it").click()
    name = page.get_by_label("Its name")
    name.fill("The branch")
    page.get_by_role("button", name="Rename").click()
    expect(page.get_by_role("heading", name="The branch")).to_be_visible()
    expect(table).to_contain_text("The branch")


def download(page, folder):
    page.get_by_role("button", name="Pack it into one file").click()
    with page.expect_download(timeout=SLOW) as started:
        page.get_by_role("button", name=re.compile("^.*Download")).click()
    path = folder / started.value.suggested_filename
    started.value.save_as(path)
    return path


def bring_back(page, path, steps):
    """The file makes a run of its own, as it stood."""
    before = page.url
    page.get_by_role("button", name="Train another model").click()
    page.get_by_text("Bring back a run").click()
    page.locator("input[type=file][accept*=zip]").set_input_files(path)
    page.get_by_role("button", name="Bring it back", exact=True).click()
    expect(page.get_by_role("heading", name="The branch")).to_be_visible(timeout=SLOW)
    expect_state(page, "done")
    assert page.url != before
    assert step_of(page) == steps


def test_set_up_train_steer_branch_compare_take_away_bring_back_inspect(
    server, page, browser, tmp_path
):
    set_up(page, server)
    train(page)
    expect_state(page, "training")
    wait_for_step_after(page, 0)
    paused = pause(page)
    change_the_rate(page)
    page.get_by_role("button", name="Resume").click()
    expect_state(page, "training")
    wait_for_step_after(page, paused)
    paused = pause(page)
    take_one_step(page, paused)
    pause(page)
    # The change stands in the picture where it was made.
    labels = page.evaluate(
        "document.querySelector('.js-plotly-plot').layout.annotations.map(each => each.text)"
    )
    assert "rate × 1/3" in labels
    steps = branch(page)
    compare_and_rename(page)
    look_as_a_stranger(browser, page.url)
    bring_back(page, download(page, tmp_path), steps)
    page.get_by_role("link", name="Inspect this model").click()
    expect(page.get_by_role("heading", name="Model inspector")).to_be_visible(timeout=SLOW)
    expect(page.get_by_text("Mean loss, nats").first).to_be_visible(timeout=SLOW)


def look_as_a_stranger(browser, address):
    """A stranger may look at a run and branch from it, and steer nothing."""
    context = browser.new_context()
    stranger = context.new_page()
    stranger.goto(address)
    expect(stranger.get_by_text("Branch from it", exact=True)).to_be_visible(timeout=SLOW)
    for name in ("Resume", "Rename", "Use it when it goes on", "Take one step"):
        expect(stranger.get_by_role("button", name=name)).to_have_count(0)
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
