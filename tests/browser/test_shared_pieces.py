"""Chips, stepper, heatmap and figures in a real browser: by mouse, by keyboard, in the dark."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import expect

APP = "tests/browser/apps/shared_pieces_app.py"
FAMILY = "👩‍👩‍👧"
READY = {  # what stands on a page when it is whole
    "chips": ".swatch.validation",
    "many": ".token",
    "stepper": "output:text('of')",
    "slow": "output:text('of')",
    "fragment": "output:text('of')",
    "heatmap": ".frame",
    "large": ".frame",
    "distribution": ".ytick text",
}


@pytest.fixture(scope="module")
def server(start_module_server: Callable[..., str]) -> str:
    return start_module_server(APP)


@pytest.fixture
def visit(browser: Any, server: str) -> Iterator[Callable[..., Any]]:
    """A function (piece, **options) -> page that shows one piece; an error in the page fails."""
    contexts, errors = [], []

    def open_(piece: str, path: str = "", **options: Any) -> Any:
        context = browser.new_context(**({"viewport": {"width": 1100, "height": 900}} | options))
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(30_000)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(f"{server}/?pieces={piece}{path}")
        expect(page.locator(READY[piece]).last).to_be_visible()
        return page

    yield open_
    for context in contexts:
        context.close()
    assert not errors


def row(page: Any, name: str) -> Any:
    return page.get_by_role("group", name=name)


def chip(page: Any, name: str, token: str) -> Any:
    return row(page, name).get_by_role("button", name=token)


# --- token chips


def test_an_emoji_cut_over_tokens_stays_whole(visit: Callable[..., Any]) -> None:
    page = visit("chips")
    group = row(page, "Tokens of the emoji").locator(".group")
    expect(group).to_have_count(1)
    expect(group.locator(".text")).to_have_text(FAMILY)
    expect(group.locator(".part")).to_have_text(["6", "7", "8", "9"])
    first = group.locator(".part").first
    expect(first).to_have_attribute(
        "aria-label", f'token part 1 of 4 of "{FAMILY}", bytes F0 9F 91, id 6, place 1'
    )
    group.locator(".part").nth(2).click()
    expect(page.get_by_text("emoji_row: 3")).to_be_visible()
    torn = row(page, "Tokens of the emoji").get_by_text(r"\xF0\x9F", exact=True)
    expect(torn).to_be_visible()


def test_text_is_text_and_white_space_is_seen(visit: Callable[..., Any]) -> None:
    page = visit("chips")
    shown = row(page, "Tokens of the text").locator(".text").all_inner_texts()
    assert shown[:6] == ["The", "·<b>owl</b>", "↵", "→sat", r"\x00", "·owl"]
    assert row(page, "Tokens of the text").locator("b").count() == 0
    expect(chip(page, "Tokens of the text", 'token "space owl", id 10')).to_be_visible()


def test_a_chip_explains_itself_to_mouse_and_keyboard(visit: Callable[..., Any]) -> None:
    page = visit("chips")
    tip = page.locator(".tip", has_text="sat")
    expect(tip).to_have_count(0)
    sat = chip(page, "Tokens of the text", "sat")
    sat.hover()
    expect(tip).to_have_text('"→sat"\nid 13 · place 3 · input')
    page.mouse.move(0, 0)
    expect(tip).to_be_hidden()
    sat.focus()
    expect(tip).to_be_visible()
    page.keyboard.press("Escape")
    expect(tip).to_be_hidden()


def test_one_tab_stop_and_arrow_keys_reach_every_chip(visit: Callable[..., Any]) -> None:
    page = visit("chips")
    chips = row(page, "Tokens of the text").get_by_role("button")
    assert chips.evaluate_all("all => all.filter(each => each.tabIndex === 0).length") == 1
    chips.first.focus()
    for key, place in [("ArrowRight", 1), ("End", 8), ("ArrowLeft", 7), ("Home", 0)]:
        page.keyboard.press(key)
        expect(chips.nth(place)).to_be_focused()
    page.keyboard.press("ArrowDown")  # the newline ended the row
    expect(chips.nth(3)).to_be_focused()
    page.keyboard.press("ArrowUp")
    expect(chips.nth(0)).to_be_focused()
    page.keyboard.press("Tab")
    expect(row(page, "Tokens of the emoji").get_by_role("button").first).to_be_focused()


def test_a_chosen_chip_is_told_and_let_go(visit: Callable[..., Any]) -> None:
    page = visit("chips")
    owl = chip(page, "Tokens of the text", 'token "space owl"')
    owl.focus()
    owl.press("Enter")
    expect(page.get_by_text("text_row: 5")).to_be_visible()
    expect(owl).to_have_attribute("aria-pressed", "true")
    expect(owl).to_be_focused()
    owl.press("Space")
    expect(page.get_by_text("text_row: None")).to_be_visible()
    expect(owl).to_have_attribute("aria-pressed", "false")


def test_equal_ids_light_up_in_both_rows_and_nowhere_else(visit: Callable[..., Any]) -> None:
    page = visit("chips")

    def lit() -> list[str]:
        page.wait_for_timeout(100)
        return page.locator(".token.linked").evaluate_all(
            "all => all.map(each => each.getAttribute('aria-label').match(/place (\\d+)/)[1])"
        )

    chip(page, "Tokens of the text", "☀️").hover()  # id 12: two of this row, two of the other
    assert lit() == ["2", "7", "5", "7"]
    page.mouse.move(0, 0)
    assert lit() == []
    row(page, "Tokens of the emoji").get_by_role("button", name="place 7").hover()
    assert lit() == ["2", "7", "5", "7"]
    row(page, "How often each is read").get_by_role("button").nth(2).hover()
    assert lit() == ["2", "7"]  # a row of its own


def test_levels_and_roles_are_told_without_colour(visit: Callable[..., Any]) -> None:
    page = visit("chips")
    expect(chip(page, "How often each is read", "times read 4")).to_have_count(1)
    expect(chip(page, "How often each is read", "place 8, not used, times read 0")).to_be_visible()
    looks = ["borderBottomStyle", "borderBottomWidth", "outlineStyle", "outlineWidth",
             "textDecorationLine", "fontStyle"]  # fmt: skip
    roles = row(page, "All roles").locator(".role")
    styles = roles.evaluate_all(
        "(all, looks) => all.map(e => looks.map(look => getComputedStyle(e)[look]).join())", looks
    )
    assert len(styles) == 13
    assert len(set(styles[:6])) == 6  # the chips' own roles: no two alike


def test_no_role_changes_a_chip_s_size(visit: Callable[..., Any]) -> None:
    """Else a line would break elsewhere as a window moves over the text."""
    page = visit("chips")
    sizes = (
        row(page, "All roles")
        .locator(".role")
        .evaluate_all(
            """all => all.map(each => {
              const size = () => [each.offsetWidth, each.offsetHeight].join();
              const dressed = size();
              each.className = 'token';
              return [dressed, size()];
            })"""
        )
    )
    for dressed, plain in sizes:
        assert dressed == plain


def test_of_many_chips_those_in_question_are_shown(visit: Callable[..., Any]) -> None:
    page = visit("many")
    expect(page.get_by_text("3,000 of 5,000 tokens are not")).to_be_visible()
    assert row(page, "Many").get_by_role("button").count() == 2000
    box = page.get_by_label("Start", exact=True)
    box.fill("4000")
    box.press("Enter")
    expect(page.get_by_text("Shown are places 3,900 to 4,999")).to_be_visible()
    expect(chip(page, "Many", "place 4000, input")).to_be_in_viewport()


# --- stepper


def at_step(page: Any, step: int | str) -> None:
    """Wait for a step; while it plays, for one of several, as "[2-5]": each is gone in a moment."""
    expect(page.get_by_text(re.compile(rf"step {step}, run"))).to_be_visible()


def go(page: Any, name: str) -> None:
    page.get_by_role("button", name=name).click()


def test_steps_forward_back_to_the_ends_and_by_the_slider(visit: Callable[..., Any]) -> None:
    page = visit("stepper")
    at_step(page, 0)
    for name, step in [
        ("Step forward", 1),
        ("Step forward", 2),
        ("Step back", 1),
        ("Last step", 6),
        ("First step", 0),
    ]:
        go(page, name)
        at_step(page, step)
    slider = page.get_by_role("slider", name="Window")
    slider.focus()
    slider.press("ArrowRight")
    at_step(page, 1)
    slider.press("End")
    at_step(page, 6)
    expect(slider).to_have_attribute("aria-valuetext", "Window 7 of 7")
    slider.fill("4")
    at_step(page, 4)
    expect(page.get_by_text("Window 5 of 7")).to_be_visible()


def test_the_address_holds_the_step(visit: Callable[..., Any], server: str) -> None:
    page = visit("stepper", "&window=4")
    at_step(page, 3)
    go(page, "Step forward")
    expect(page).to_have_url(f"{server}/?pieces=stepper&window=5")
    page.reload()
    at_step(page, 4)
    go(page, "First step")
    expect(page).to_have_url(f"{server}/?pieces=stepper")
    for nonsense, step in [("99", 6), ("0", 0), ("-1", 0), ("<b>", 0), ("9" * 30, 0)]:
        page.goto(f"{server}/?pieces=stepper&window={nonsense}")
        at_step(page, step)


def test_it_plays_pauses_and_stops_at_the_end(visit: Callable[..., Any]) -> None:
    page = visit("stepper")
    at_step(page, 0)
    page.wait_for_timeout(1200)
    at_step(page, 0)  # it never starts by itself
    page.get_by_label("Speed").select_option("fast")
    go(page, "Play")
    at_step(page, "[2-5]")
    go(page, "Pause")
    page.wait_for_timeout(300)
    paused = page.get_by_text(re.compile(r"step \d, run")).inner_text()
    page.wait_for_timeout(900)
    expect(page.get_by_text(paused)).to_be_visible()
    go(page, "Play")
    at_step(page, 6)
    expect(page.get_by_role("button", name="Play")).to_be_visible()
    page.wait_for_timeout(900)
    at_step(page, 6)
    page.get_by_label("Speed").select_option("slow")
    go(page, "Play")  # once more from the beginning
    at_step(page, "[0-3]")


def test_a_slow_page_is_asked_once_a_step(visit: Callable[..., Any]) -> None:
    page = visit("slow")
    at_step(page, 0)
    page.get_by_label("Speed").select_option("fast")
    go(page, "Play")
    for step in (1, 2, 3):
        expect(page.get_by_text(f"step {step}, run {step + 1}", exact=True)).to_be_visible()


def test_in_a_fragment_a_step_runs_only_the_fragment(visit: Callable[..., Any]) -> None:
    page = visit("fragment")
    page.get_by_label("Speed").select_option("fast")
    go(page, "Play")
    at_step(page, "[2-5]")
    go(page, "Pause")
    go(page, "First step")
    at_step(page, 0)
    expect(page.get_by_text("the page ran 1 times")).to_be_visible()


def test_scrubbing_sends_few_requests_and_ends_where_it_was_let_go(
    visit: Callable[..., Any],
) -> None:
    page = visit("stepper")
    page.get_by_label("Steps", exact=True).fill("500")
    page.get_by_label("Steps", exact=True).press("Enter")
    expect(page.get_by_text("Window 1 of 500")).to_be_visible()
    slider = page.get_by_role("slider", name="Window")
    slider.evaluate(
        """range => { for (let n = 0; n <= 400; n += 1) {
        range.value = n; range.dispatchEvent(new Event('input')); } }"""
    )
    at_step(page, 400)
    runs = int(re.search(r"run (\d+)", page.get_by_text(re.compile("step 400")).inner_text())[1])
    assert runs <= 4


def test_fewer_steps_take_the_last_one_and_one_step_disables(visit: Callable[..., Any]) -> None:
    page = visit("stepper", "&window=7")
    at_step(page, 6)
    count = page.get_by_label("Steps", exact=True)
    count.fill("3")
    count.press("Enter")
    at_step(page, 2)
    expect(page.get_by_text("Window 3 of 3")).to_be_visible()
    count.fill("1")
    count.press("Enter")
    at_step(page, 0)
    expect(page.get_by_role("button", name="Play")).to_be_disabled()
    expect(page.get_by_role("slider", name="Window")).to_be_disabled()


# --- heatmap


def field(page: Any, number: int = 0) -> Any:
    return page.get_by_role("application").nth(number)


def click_cell(page: Any, row: int, column: int) -> None:
    """A click into the middle of a cell of the first heatmap, of 7 x 7."""
    spot = field(page).locator("canvas").bounding_box()
    page.mouse.click(
        spot["x"] + spot["width"] * (column + 0.5) / 7, spot["y"] + spot["height"] * (row + 0.5) / 7
    )


def test_a_clicked_cell_is_told_and_lights_its_row_and_column(visit: Callable[..., Any]) -> None:
    page = visit("heatmap")
    expect(field(page)).to_be_visible()
    click_cell(page, 4, 1)
    expect(page.get_by_text("weights: (4, 1)")).to_be_visible()
    bands = field(page).locator(".band")
    expect(bands).to_have_count(2)
    whole, chosen = (field(page).locator(name).bounding_box() for name in ("canvas", ".chosen"))
    row, column = (bands.nth(n).bounding_box() for n in (0, 1))
    assert row["width"] == pytest.approx(whole["width"], abs=4)
    assert column["height"] == pytest.approx(whole["height"], abs=4)
    assert chosen["y"] == pytest.approx(row["y"], abs=3)
    assert chosen["x"] == pytest.approx(column["x"], abs=3)
    assert field(page).locator("text.on").all_text_contents() == ["·the", "·owl"]
    click_cell(page, 4, 1)
    expect(page.get_by_text("weights: None")).to_be_visible()
    expect(bands).to_have_count(0)


def test_the_heatmap_by_keyboard(visit: Callable[..., Any]) -> None:
    page = visit("heatmap")
    cells = field(page)
    cells.focus()
    said = page.get_by_role("status").filter(has_text="query")
    for key, text in [
        ("ArrowRight", "query 0: The, key 1: ·owl, not allowed"),
        ("ArrowDown", "query 1: ·owl, key 1: ·owl, 0."),
        ("ArrowUp", "query 0: The"),
        ("ArrowUp", "query 0: The"),
        ("End", "key 6: ·oak"),
        ("Home", "key 0: The, 1"),
    ]:
        cells.press(key)
        expect(said).to_contain_text(text)
    cells.press("ArrowDown")
    cells.press("Enter")
    expect(page.get_by_text("weights: (1, 0)")).to_be_visible()
    expect(cells).to_be_focused()


def test_the_tooltip_has_labels_and_four_digits(visit: Callable[..., Any]) -> None:
    page = visit("heatmap")
    last = field(page, 2)
    last.scroll_into_view_if_needed()
    last.focus()
    seen = []
    for key in ("ArrowRight", "ArrowRight", "ArrowDown", "Home"):
        last.press(key)
        tip = page.locator(".heatmap").nth(2).locator(".tip")
        expect(tip).to_be_visible()
        seen.append(tip.inner_text().splitlines()[-1])
    assert seen == ["no value", "1235000", "not allowed", "0.0001235"]
    corner = last.locator("canvas").bounding_box()
    page.mouse.move(corner["x"] + 5, corner["y"] + 5)
    expect(tip).to_have_text("row 0: a\ncolumn 0: x\n1")


# --- all of them


@pytest.mark.parametrize("piece", ["chips", "stepper", "heatmap", "large", "distribution"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nobody_is_kept_out(visit: Callable[..., Any], piece: str, scheme: str) -> None:
    """axe-core finds nothing serious, and a phone needs no sideways scrolling."""
    from axe_playwright_python.sync_playwright import Axe

    page = visit(
        piece, color_scheme=scheme, viewport={"width": 390, "height": 844}, reduced_motion="reduce"
    )
    page.wait_for_load_state("networkidle")
    page.wait_for_timeout(1500)
    found = [
        (violation["id"], violation["nodes"][0]["html"][:200])
        for violation in Axe().run(page).response["violations"]
        if violation["impact"] in {"serious", "critical"}
    ]
    assert not found
    main = page.get_by_test_id("stMain")
    assert main.evaluate("main => main.scrollWidth - main.clientWidth") <= 0


@pytest.mark.parametrize("piece", ["chips", "heatmap"])
def test_colours_follow_the_theme_at_once(visit: Callable[..., Any], piece: str) -> None:
    page = visit(piece, color_scheme="light")
    word = page.locator("button.token" if piece == "chips" else ".field text.number").first
    look = "each => [getComputedStyle(each).color, getComputedStyle(each).fill].join()"
    expect(word).to_be_visible()
    assert "rgb(24, 33, 47)" in word.evaluate(look)
    page.emulate_media(color_scheme="dark")
    page.wait_for_timeout(700)
    assert "rgb(231, 236, 243)" in word.evaluate(look)


def test_a_figures_words_and_its_table(visit: Callable[..., Any]) -> None:
    page = visit("distribution")
    tick = page.locator(".js-plotly-plot .ytick text").first
    expect(tick).to_have_text("·<b>the</b>")
    expect(tick).to_have_css("fill", "rgb(24, 33, 47)")
    assert page.locator(".live-chart").first.get_attribute("aria-label").startswith("The most")
    page.get_by_text("Data as a table").nth(2).click()
    expect(page.get_by_role("cell", name="heads")).to_be_visible()
