"""The frame that every lesson shares, on the lesson about data sampling, in a real browser."""

import json
import re

import pytest
from playwright.sync_api import expect

LESSON = "data_sampling"
SIDEWAYS = """() => {
  const main = document.querySelector('[data-testid=stMain]');
  return main.scrollWidth - main.clientWidth;
}"""


@pytest.fixture(scope="module")
def server(start_module_server, tmp_path_factory):
    data = tmp_path_factory.mktemp("data")
    return start_module_server("app.py", {"INSIDE_LLMS_DATA": str(data)})


@pytest.fixture
def visit(browser, server):
    """A function that opens a path as a new visitor and returns the page."""
    contexts = []

    def open_path(path="", **options):
        context = browser.new_context(**({"viewport": {"width": 1280, "height": 900}} | options))
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(60_000)
        page.goto(f"{server}/{path}")
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        return page

    yield open_path
    for context in contexts:
        context.close()


def whole(page):
    """Wait for the lesson's last section."""
    expect(page.get_by_role("heading", name="In short")).to_be_attached()


def test_a_link_carries_what_was_chosen(visit, server):
    page = visit(LESSON)
    whole(page)
    slider = page.get_by_role("slider", name="Stride S")
    slider.focus()
    for _ in range(3):
        slider.press("ArrowRight")
    expect(page).to_have_url(f"{server}/{LESSON}?stride=7")
    page.get_by_text("Characters", exact=True).click()
    expect(page).to_have_url(re.compile("tokenizer=Characters"))
    expect(page.get_by_text("179 characters became 179 tokens")).to_be_visible()
    expect(page.get_by_text("Window 1 of 25: inputs")).to_be_visible()
    shown = page.get_by_text(re.compile(r"inputs at places")).inner_text()
    other = visit(page.url.removeprefix(f"{server}/"))
    expect(other.get_by_text(shown)).to_be_visible()
    expect(other.get_by_role("slider", name="Stride S")).to_have_value("7")


def test_the_link_is_copied(visit):
    page = visit(f"{LESSON}?stride=9", permissions=["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy link").click()
    expect(page.get_by_text("Copied.", exact=True)).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == page.url
    assert "stride=9" in page.url


def told_at_home(page):
    """What the home page says of this lesson, among the others."""
    return (
        page.get_by_role("paragraph")
        .filter(has_text="About 20 minutes. ")
        .filter(has_text="Slide a window over a text")
    )


def answer_one(page):
    page.get_by_text("16: the token after the window.").click()
    expect(page.get_by_text("so a window of T inputs needs T + 1 tokens")).to_be_visible()
    expect(page.get_by_text("1 of 6 answered right")).to_be_visible()


def test_progress_stays_in_the_browser(visit):
    page = visit(LESSON)
    answer_one(page)
    page.reload()
    expect(page.get_by_text("1 of 6 answered right")).to_be_visible()
    page.get_by_role("link", name="Home").click()
    expect(page.get_by_role("heading", name="Go on where you left")).to_be_visible()
    expect(told_at_home(page)).to_contain_text("1 of 6 questions answered right")
    stranger = visit()
    expect(told_at_home(stranger)).to_contain_text("0 of 6 questions answered right")


def test_progress_is_taken_away_brought_back_and_forgotten(visit, tmp_path):
    page = visit(LESSON)
    answer_one(page)
    page.get_by_role("link", name="Home").click()
    page.get_by_role("button", name="Your progress").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="Save it to a file").click()
    saved = tmp_path / "progress.json"
    download.value.save_as(saved)
    assert json.loads(saved.read_text())["right"] == {LESSON: ["target_of_last"]}
    page.get_by_role("button", name="Forget it all").click()
    expect(told_at_home(page)).to_contain_text("0 of 6 questions answered right")
    page.reload()
    expect(told_at_home(page)).to_contain_text("0 of 6 questions answered right")

    other = visit()
    other.get_by_role("button", name="Your progress").click()
    other.locator("input[type=file]").set_input_files(saved)
    other.get_by_role("button", name="Use this file").click()
    expect(told_at_home(other)).to_contain_text("1 of 6 questions answered right")
    other.reload()
    expect(told_at_home(other)).to_contain_text("1 of 6 questions answered right")


def turn(page, key, heading):
    """Press until the section shows: a press is lost while the page is being laid anew."""
    for _ in range(4):
        page.keyboard.press(key)
        try:
            expect(heading).to_be_visible(timeout=6000)
        except AssertionError:
            continue
        return
    expect(heading).to_be_visible()


def test_presenting_by_keyboard_alone(visit):
    page = visit(f"{LESSON}?view=present&stride=5")
    expect(page.get_by_test_id("stSidebar")).to_be_hidden()
    expect(page.get_by_text("1 of 9", exact=False)).to_be_visible()
    expect(page.get_by_role("button", name="Notes in a window")).to_be_visible()  # keys work now
    window, examples = (
        page.get_by_role("heading", name=name)
        for name in ("A window slides over the ids", "One window holds many examples")
    )
    expect(window).to_be_hidden()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("heading", name="From a text to ids")).to_be_visible()
    expect(page.get_by_text("2 of 9")).to_be_visible()
    page.wait_for_function("!document.querySelector('[data-testid=stStatusWidget]')")
    turn(page, "PageDown", window)
    slider = page.get_by_role("slider", name="Stride S")
    slider.focus()
    slider.press("ArrowRight")  # moves the slider, not the lesson
    expect(page).to_have_url(re.compile("stride=6"))
    expect(window).to_be_visible()
    turn(page, "PageDown", examples)
    expect(page.get_by_text("That would waste most of the window")).to_be_hidden()
    expect(page.get_by_text("examples from window 1")).to_be_hidden()
    reveal = page.get_by_role("button", name="Reveal answers")
    reveal.focus()
    reveal.press("Enter")
    expect(page.get_by_text("examples from window 1")).to_be_visible()
    notes = page.get_by_role("button", name="Notes", exact=True)
    notes.focus()
    notes.press("Enter")
    expect(page.get_by_text("This is where most people are surprised")).to_be_visible()
    turn(page, "PageUp", window)
    page.keyboard.press("Escape")
    expect(page.get_by_test_id("stSidebar")).to_be_visible()
    assert "view" not in page.url
    assert "stride=6" in page.url


def test_speaker_notes_have_a_window_of_their_own(visit):
    page = visit(f"{LESSON}?view=present")
    with page.expect_popup() as popup:
        page.get_by_role("button", name="Notes in a window").click()
    notes = popup.value
    expect(notes.get_by_text("Have the class guess first")).to_be_visible()
    expect(notes.get_by_text("Next: From a text to ids")).to_be_visible()
    notes.keyboard.press("ArrowRight")  # a clicker may reach either window
    expect(page.get_by_role("heading", name="From a text to ids")).to_be_visible()
    expect(notes.get_by_text("Point at a word that occurs twice")).to_be_visible()


def test_the_print_view_is_a_whole_handout(visit):
    page = visit(f"{LESSON}?view=print")
    whole(page)
    expect(page.get_by_test_id("stSidebar")).to_be_hidden()
    expect(page.get_by_text("def sliding_windows(")).to_be_visible()
    expect(page.get_by_text("Predict first")).to_have_count(0)
    expect(page.get_by_text("examples from window 1")).to_be_visible()
    expect(page.get_by_text("Answers", exact=True)).to_be_visible()
    page.emulate_media(media="print")
    expect(page.get_by_role("button", name="Back to the lesson")).to_be_hidden()
    assert len(page.pdf()) > 20_000


@pytest.mark.parametrize("path", [LESSON, "", "training_sandbox", "glossary"])
def test_a_phone_needs_no_sideways_scrolling(visit, path):
    page = visit(path, viewport={"width": 390, "height": 844})
    page.wait_for_load_state("networkidle")
    assert page.evaluate(SIDEWAYS) <= 0


def test_a_term_explains_itself_to_mouse_and_keyboard(visit):
    page = visit(LESSON)
    whole(page)
    word = page.locator(".term-word").first
    tip = page.locator(".term-tip").first
    expect(tip).to_be_hidden()
    word.hover()
    expect(tip).to_be_visible()
    page.mouse.move(0, 0)
    expect(tip).to_be_hidden()
    word.focus()
    expect(tip).to_be_visible()


def test_a_text_shorter_than_the_context_is_told_and_loses_nothing(visit):
    page = visit(LESSON)
    whole(page)
    box = page.get_by_label("Your text", exact=True)
    box.fill("too short")
    box.press("Control+Enter")
    expect(page.get_by_text("and a window of 8 needs 9")).to_be_visible()
    expect(page.get_by_text("goes on as soon as the parts above").first).to_be_visible()
    slider = page.get_by_role("slider", name="Context length T")
    slider.focus()
    slider.press("Home")
    expect(page.get_by_text(re.compile("inputs at places 0 to 0"))).to_be_visible()
    expect(box).to_have_value("too short")


def test_windows_are_carried_to_the_sandbox(visit):
    page = visit(f"{LESSON}?context=16&stride=20")
    page.get_by_role("link", name="Train with context 16 and stride 20").click()
    expect(page.get_by_role("heading", level=1, name="Training sandbox")).to_be_visible()
    expect(page.get_by_label("Context length", exact=True)).to_have_value("16")
    expect(page.get_by_label("Stride", exact=True)).to_have_value("20")
    expect(page.get_by_text("it sees 16 characters at once")).to_be_visible()
    expect(page.get_by_text("skips 4 of every 20 tokens")).to_be_visible()
