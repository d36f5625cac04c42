"""The course's main journey in a real browser: train, watch, leave, come back, pause, write."""

import re
from pathlib import Path

import psutil
import pytest
from playwright.sync_api import expect

POINTS = """() => {
  const chart = document.querySelector('.js-plotly-plot');
  return chart ? chart.data.slice(0, 2).map(trace => trace.x.length) : [0, 0];
}"""
GROWN = """([train, validation]) => {
  const chart = document.querySelector('.js-plotly-plot');
  return chart && chart.data.length > 1
    && chart.data[0].x.length > train && chart.data[1].x.length > validation;
}"""


@pytest.fixture
def server(start_server, tmp_path):
    return start_server("app.py", {"INSIDE_LLMS_DATA": str(tmp_path / "data")})


@pytest.fixture
def page(browser):
    """One visitor's tab: its cookies live as long as the test."""
    context = browser.new_context(viewport={"width": 1280, "height": 1000})
    page = context.new_page()
    page.set_default_timeout(60_000)
    yield page
    context.close()


def train(page):
    page.get_by_test_id("stBaseButton-primary").filter(has_text="Train").click()


def expect_state(page, state):
    """The badge beside the run's title; its icon's name is part of its text."""
    badge = page.get_by_text(re.compile(rf"^(\w+_\w+)?\s*{state}$"))
    expect(badge).to_be_visible(timeout=60_000)


def wait_until_grown(page, beyond):
    page.wait_for_function(GROWN, arg=beyond, timeout=90_000)
    return page.evaluate(POINTS)


def test_train_watch_reload_pause_write(server, page):
    page.goto(f"{server}/training_sandbox?steps=3000")
    train(page)
    first = wait_until_grown(page, [0, 0])
    wait_until_grown(page, first)  # both curves grow
    expect(page.get_by_text("after 0 steps")).to_be_visible()
    address = page.url
    assert re.search(r"[?&]run=[\w-]{22}", address)

    page.reload()
    seen = wait_until_grown(page, [first[0], first[1]])
    assert page.url == address

    page.get_by_role("link", name="Home").click()
    expect(page.get_by_text("It waits for you in the training sandbox")).to_be_visible()
    page.get_by_role("link", name="Open the training sandbox").click()
    seen = wait_until_grown(page, seen)  # nothing was disturbed, and it goes on

    tab = page.context.new_page()
    tab.goto(f"{server}/training_sandbox")
    wait_until_grown(tab, seen)
    tab.close()

    page.get_by_role("button", name="Pause", exact=True).first.click()
    expect_state(page, "paused")
    expect(page.get_by_role("button", name="Resume")).to_be_visible()

    prompt = page.get_by_label("The text begins")
    prompt.fill("The fox ")
    page.get_by_role("button", name="Continue").click()
    written = page.get_by_label("What the model wrote")
    expect(written).to_contain_text(re.compile(r"The fox .{280}", re.DOTALL))

    prompt.fill("€")
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_text("never seen '€'")).to_be_visible()


def test_two_visitors_cannot_see_stop_or_delete_each_others_runs(server, page, browser):
    page.goto(f"{server}/training_sandbox?steps=3000")
    train(page)
    wait_until_grown(page, [0, 0])
    address = page.url
    stranger_context = browser.new_context()
    stranger = stranger_context.new_page()
    stranger.set_default_timeout(60_000)
    stranger.goto(f"{server}/training_sandbox")  # they have no run, and see none
    expect(stranger.get_by_test_id("stBaseButton-primary").filter(has_text="Train")).to_be_visible()
    expect(stranger.get_by_text("Your other runs")).to_have_count(0)
    guessed = address[:-1] + ("A" if address[-1] != "A" else "B")
    stranger.goto(guessed)
    expect(stranger.get_by_text("The run in this address is not")).to_be_visible()

    stranger.goto(address)  # shared with them: they may look
    wait_until_grown(stranger, [0, 0])
    expect(stranger.get_by_role("button", name="Train a model of your own")).to_be_visible()
    expect_no_control_over_it(stranger)
    page.get_by_role("button", name="Pause", exact=True).first.click()
    expect_state(page, "paused")
    expect(page.get_by_text("Rename, take away or delete it")).to_be_visible()
    expect_state(stranger, "paused")
    expect(stranger.get_by_text("Take it away")).to_be_visible()
    expect_no_control_over_it(stranger)
    stranger_context.close()


def expect_no_control_over_it(page):
    for name in ("Pause", "Resume", "Stop"):
        expect(page.get_by_role("button", name=name, exact=True)).to_have_count(0)
    expect(page.get_by_text("delete it")).to_have_count(0)


def test_a_finished_run_stops_polling(server, page):
    frames = []
    page.on("websocket", lambda socket: socket.on("framereceived", lambda f: frames.append(f)))
    page.goto(f"{server}/training_sandbox?steps=100&size=Pico")
    train(page)
    expect_state(page, "done")
    expect(page.get_by_role("button", name="Continue")).to_be_visible()
    page.wait_for_timeout(2500)  # what the last rerun still sends
    frames.clear()
    page.wait_for_timeout(3500)
    assert frames == []


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("short", "needs"),
        ("aaaa" * 100, "same character"),
        ("   \n  ", "empty or only white space"),
    ],
)
def test_an_own_text_that_will_not_do_gets_a_sentence(server, page, text, sentence):
    page.goto(f"{server}/training_sandbox?text=My+own+text")
    box = page.get_by_label("Paste a text")
    box.fill(text)
    box.press("Control+Enter")
    expect(page.get_by_text(sentence)).to_be_visible()
    expect(page.get_by_test_id("stBaseButton-primary").filter(has_text="Train")).to_be_disabled()


def test_an_uploaded_text_is_trained_on_and_a_wrong_file_is_not(server, page):
    page.goto(f"{server}/training_sandbox?text=My+own+text&size=Pico&steps=100")
    upload = page.locator("input[type=file]").first  # the other one takes a whole run back
    upload.set_input_files(
        {"name": "photo.txt", "mimeType": "text/plain", "buffer": b"\x89PNG\r\n\x1a\n123"}
    )
    expect(page.get_by_text("a PNG image")).to_be_visible()
    text = "Grün ist die Hoffnung, und “blau” der Himmel.\n" * 30
    upload.set_input_files(
        {"name": "text.txt", "mimeType": "text/plain", "buffer": text.encode("utf-8")}
    )
    expect(page.get_by_text(f"{len(text):,} characters, 24 different ones")).to_be_visible()
    train(page)
    expect_state(page, "done")


def test_a_cold_deep_link_shows_the_sandbox_inside_the_frame(server, page):
    page.goto(f"{server}/training_sandbox?size=Micro")
    expect(page.get_by_role("heading", name="Training sandbox")).to_be_visible()
    navigation = page.get_by_test_id("stSidebar")
    expect(navigation.get_by_role("link", name="Training sandbox")).to_be_visible()
    expect(navigation.get_by_role("link", name="Home")).to_be_visible()
    expect(navigation.get_by_role("link", name="app")).to_have_count(0)
    expect(page.get_by_text("Page not found")).to_have_count(0)
    expect(page.get_by_text("128 characters at once")).to_be_visible()  # the link's size


def libraries(url):
    """Paths of all files mapped into the server behind `url`."""
    port = url.rsplit(":", 1)[1]
    (server,) = (
        process
        for process in psutil.process_iter(["cmdline"])
        if {"--server.port", port} <= set(process.info["cmdline"] or [])
    )
    return {Path(part.path).name for part in server.memory_maps()}


def test_home_and_set_up_import_no_torch(server, page):
    page.goto(server)
    expect(page.get_by_role("heading", name="Inside LLMs")).to_be_visible()
    page.get_by_role("link", name="Open the training sandbox").click()
    expect(page.get_by_test_id("stBaseButton-primary").filter(has_text="Train")).to_be_visible()
    loaded = libraries(server)
    assert any("_sqlite3" in name for name in loaded)  # the looking itself works
    assert not any("torch" in name for name in loaded)


def test_an_unknown_run_is_told(server, page):
    page.goto(f"{server}/training_sandbox?run=nonsense")
    expect(page.get_by_text("not, or no longer, on this machine")).to_be_visible()
    expect(page.get_by_test_id("stBaseButton-primary").filter(has_text="Train")).to_be_visible()
