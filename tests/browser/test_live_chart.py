"""The live chart in a real browser: one chart over all ticks, and the reader's zoom stays."""

import re
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.browser.conftest import StartServer

APP = "tests/browser/apps/live_chart_app.py"
CHART = ".live-chart"
DRAWN = f"{CHART} .main-svg"
RANGES = """() => {
  const { xaxis, yaxis } = document.querySelector('.live-chart .js-plotly-plot').layout;
  return [...xaxis.range, ...yaxis.range];
}"""
HOVER = (
    "() => [...document.querySelectorAll('.live-chart .hoverlayer text')].map(t => t.textContent)"
)
INK = "() => getComputedStyle(document.querySelector('.live-chart .xtick text')).fill"
LIGHT_TEXT, DARK_TEXT = "rgb(24, 33, 47)", "rgb(231, 236, 243)"  # of .streamlit/config.toml


@pytest.fixture
def open_page(browser: Any) -> Iterator[Callable[..., Any]]:
    """A function (url, **options) -> page with a drawn chart; an error in the page fails the test.

    `page.frames_received` lists the bytes of each WebSocket frame that came in.
    """
    pages, errors = [], []

    def open_(url: str, *, drawn: bool = True, script: str = "", **options: Any) -> Any:
        page = browser.new_page(**{"viewport": {"width": 1000, "height": 800}} | options)
        pages.append(page)
        page.frames_received = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("websocket", lambda socket: socket.on("framereceived", count(page)))
        page.add_init_script(script)
        page.goto(url)
        if drawn:
            page.wait_for_selector(DRAWN, timeout=30_000)
        return page

    def count(page: Any) -> Callable[[bytes], None]:
        return lambda frame: page.frames_received.append(len(frame))

    yield open_
    for page in pages:
        page.close()
    assert not errors


def tick(page: Any) -> int:
    return int(re.findall(r"tick (\d+) of", page.inner_text("body"))[0])


def wait_ticks(page: Any, count: int) -> None:
    start, deadline = tick(page), time.monotonic() + 60
    while tick(page) < start + count:
        assert time.monotonic() < deadline, "the run stands still"
        page.wait_for_timeout(50)


def drag(page: Any, start: tuple[int, int], end: tuple[int, int], *, slowly: bool = False) -> None:
    """Drag with the mouse, in pixels from the chart's corner."""
    corner = page.locator(CHART).bounding_box()
    (x0, y0), (x1, y1) = ((corner["x"] + x, corner["y"] + y) for x, y in (start, end))
    page.mouse.move(x0, y0)
    page.mouse.down()
    for part in range(1, 11):
        page.mouse.move(x0 + (x1 - x0) * part / 10, y0 + (y1 - y0) * part / 10)
        page.wait_for_timeout(120 if slowly else 5)
    page.mouse.up()
    page.wait_for_timeout(300)


def point_at(page: Any, x: int, y: int) -> None:
    corner = page.locator(CHART).bounding_box()
    page.mouse.move(corner["x"] + x, corner["y"] + y)
    page.wait_for_timeout(300)


def test_one_chart_over_many_ticks_keeps_zoom(
    start_server: StartServer, open_page: Callable[..., Any]
) -> None:
    ticking = {"LIVE_CHART_TICKS": "300", "LIVE_CHART_START": "100", "LIVE_CHART_INTERVAL": "0.25"}
    page = open_page(start_server(APP, env=ticking))
    page.evaluate("window.first = document.querySelector('.live-chart .main-svg')")
    whole = page.evaluate(RANGES)

    drag(page, (200, 100), (400, 240), slowly=True)  # ticks come in the middle of it
    zoomed = page.evaluate(RANGES)
    assert zoomed[0] > whole[0] + 50
    assert zoomed[1] < whole[1] - 500
    assert zoomed[2] > whole[2] + 0.5
    assert zoomed[3] < whole[3] - 0.5

    wait_ticks(page, 22)
    assert page.evaluate(RANGES) == zoomed
    assert page.evaluate("window.first === document.querySelector('.live-chart .main-svg')")

    corner = page.locator(CHART).bounding_box()
    page.mouse.dblclick(corner["x"] + 300, corner["y"] + 200)
    page.wait_for_timeout(500)
    wait_ticks(page, 2)
    assert page.evaluate(RANGES)[:2] == whole[:2]


def test_a_resting_mouse_keeps_its_label(
    start_server: StartServer, open_page: Callable[..., Any]
) -> None:
    ticking = {"LIVE_CHART_TICKS": "300", "LIVE_CHART_START": "120", "LIVE_CHART_INTERVAL": "0.3"}
    page = open_page(start_server(APP, env=ticking))
    for n in range(50):  # a chart that has only just been drawn may not listen yet
        point_at(page, 250 + n % 2, 200)
        if label := page.evaluate(HOVER):
            break
    assert label[0] == "step · loss · perplexity"
    assert re.fullmatch(r"training : \d+ · \d\.\d{3} · \d+\.\d+", label[1])
    page.evaluate(
        "window.gaps = 0; window.watch = () => { if (!document.querySelector("
        "'.live-chart .hoverlayer text')) gaps += 1; requestAnimationFrame(watch); }; watch()"
    )
    wait_ticks(page, 6)
    assert page.evaluate(HOVER) == label
    assert page.evaluate("window.gaps") == 0


def test_a_tick_is_small_and_the_library_comes_once(
    start_server: StartServer, open_page: Callable[..., Any]
) -> None:
    # 300 training and 40 validation points, all but the last few: the largest ticks of a run
    ticking = {"LIVE_CHART_TICKS": "400", "LIVE_CHART_START": "370", "LIVE_CHART_INTERVAL": "0.4"}
    page = open_page(start_server(APP, env=ticking))
    frames = page.frames_received
    first = sum(frames)
    assert first < 1_600_000

    frames.clear()
    wait_ticks(page, 6)
    charts = [size for size in frames if size > 3000]  # one a tick; the rest is small
    per_tick = sum(frames) / len(charts)

    frames.clear()
    page.click("text=Run the page again")
    wait_ticks(page, 1)
    page.wait_for_timeout(300)
    again = sum(frames)
    print(f"\nlibrary and page {first} bytes, a tick {per_tick:.0f}, a full rerun {again}")
    assert per_tick <= 10_000
    assert again < 60_000


def test_a_finished_run_stays_and_polls_no_more(
    start_server: StartServer, open_page: Callable[..., Any]
) -> None:
    short = {"LIVE_CHART_TICKS": "10", "LIVE_CHART_START": "7", "LIVE_CHART_INTERVAL": "0.3"}
    page = open_page(start_server(APP, env=short))
    page.evaluate("window.first = document.querySelector('.live-chart .main-svg')")
    page.wait_for_selector("text=tick 10 of 10")
    page.wait_for_timeout(1000)
    page.frames_received.clear()
    page.wait_for_timeout(1000)
    assert page.frames_received == []
    assert page.evaluate("window.first === document.querySelector('.live-chart .main-svg')")
    drag(page, (200, 100), (400, 240))
    assert page.evaluate(RANGES)[0] > 50


def test_the_chart_follows_theme_and_width(
    start_server: StartServer, open_page: Callable[..., Any]
) -> None:
    done = {"LIVE_CHART_TICKS": "60", "LIVE_CHART_START": "60"}  # no new data that could help
    page = open_page(start_server(APP, env=done), color_scheme="light")
    assert page.evaluate(INK) == LIGHT_TEXT
    page.emulate_media(color_scheme="dark")
    page.wait_for_timeout(500)
    assert page.evaluate(INK) == DARK_TEXT
    page.emulate_media(color_scheme="light")
    page.wait_for_timeout(500)
    assert page.evaluate(INK) == LIGHT_TEXT

    page.set_viewport_size({"width": 390, "height": 800})
    page.wait_for_timeout(500)
    chart, drawing = (page.locator(name).first.bounding_box() for name in (CHART, DRAWN))
    assert chart["width"] < 390
    assert drawing["width"] == pytest.approx(chart["width"], abs=1)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_the_chart_is_announced(start_server: StartServer, open_page: Callable[..., Any]) -> None:
    done = {"LIVE_CHART_TICKS": "60", "LIVE_CHART_START": "60"}
    page = open_page(start_server(APP, env=done))
    name = page.get_by_role("img").first.get_attribute("aria-label")
    assert name.startswith("After 1500 of 1500 steps training loss is 1.0")


def test_a_browser_that_cannot_unpack_says_so_in_the_charts_place(
    start_server: StartServer, open_page: Callable[..., Any]
) -> None:
    done = {"LIVE_CHART_TICKS": "60", "LIVE_CHART_START": "60"}
    old = "delete window.DecompressionStream"
    page = open_page(start_server(APP, env=done), drawn=False, script=old)
    page.wait_for_selector("text=This browser is too old to draw the chart")
    assert page.locator(CHART).bounding_box()["height"] == 380
    below = page.get_by_text("Below the chart").bounding_box()
    assert below["y"] > 380
