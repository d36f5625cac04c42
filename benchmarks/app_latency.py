"""How quick the lessons are, against an empty Streamlit page measured in the same run.

python benchmarks/app_latency.py [--rounds 7]

Three figures. *First render*: from the address to the lesson's last section, in a headless
Chromium with a fresh profile, divided by the same for a page that shows one heading, in an app of
two pages; the two take turns. *Controls*: for every slider, toggle and choice of every lesson, the
time that the server takes to run the page again with another value (AppTest, in this process).
*Memory*: of a server after every page was visited once; the pages that need torch must not have
loaded it.
"""

import argparse
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))  # run from anywhere, without installing

import psutil
from playwright.sync_api import Browser, sync_playwright
from streamlit.testing.v1 import AppTest

from pages.widgets.catalog import Lesson, written_lessons

WITHOUT_TORCH = {"home", "tokenization", "data_sampling", "training_sandbox", "glossary"}
# A page at an address of its own: Streamlit first asks for its server under that address, in vain.
EMPTY_APP = """import streamlit as st

st.set_page_config(layout="wide")
home = st.Page(lambda: st.title("Home"), title="Home", url_path="home", default=True)
empty = st.Page(lambda: st.title("Empty"), title="Empty", url_path="empty")
st.navigation([home, empty]).run()
"""
# Told by the page itself: Playwright looks only every half second.
WAIT = """last => new Promise(done => {
  const look = () => {
    if ([...document.querySelectorAll("h1, h2")].some(each => each.textContent.trim() === last))
      done(performance.now());
  };
  new MutationObserver(look).observe(document, {childList: true, subtree: true});
  look();
})"""
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]


@contextmanager
def server(app: Path, data: str) -> Iterator[tuple[str, psutil.Process]]:
    """Run an app; give its address and its process."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", str(app), "--server.headless=true"]
    command += [f"--server.port={port}", "--server.fileWatcherType=none"]
    process = subprocess.Popen(
        [*command, "--browser.serverAddress=localhost"],
        cwd=ROOT,
        env=os.environ | {"INSIDE_LLMS_DATA": data, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        while not _healthy(port):
            time.sleep(0.1)
        yield f"http://localhost:{port}", psutil.Process(process.pid)
    finally:
        process.terminate()
        process.wait(timeout=10)


def _healthy(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://localhost:{port}/_stcore/health", timeout=1) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def seconds_to_show(browser: Browser, url: str, last: str) -> float:
    """Open an address as a new visitor; return the time until its last part is there."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    page.goto(url, wait_until="commit")
    seconds = page.evaluate(WAIT, last) / 1000
    context.close()
    return float(seconds)


def first_renders(browser: Browser, ours: str, empty: str, rounds: int) -> None:
    """Print how much longer a lesson takes to show than an empty page."""
    for lesson in (each for each in written_lessons() if each.is_taught):
        ratios, seconds = [], []
        for turn in range(rounds + 1):  # the first one warms both servers up
            base = seconds_to_show(browser, f"{empty}/empty", "Empty")
            own = seconds_to_show(browser, f"{ours}/{lesson.slug}", "In short")
            if turn:
                ratios.append(own / base)
                seconds.append(own)
        print(
            f"first render of {lesson.slug}: {statistics.median(ratios):.2f} x an empty page "
            f"(median of {rounds}; {statistics.median(seconds):.2f} s)"
        )


def memory(browser: Browser, process: psutil.Process, url: str) -> None:
    """Visit the pages that need no torch, then all others; print what the server holds each time.

    Raises RuntimeError if the first ones have loaded torch.
    """
    for torch in (False, True):
        visit(browser, url, torch=torch)
        loaded = any("libtorch" in mapped.path for mapped in process.memory_maps())
        if loaded and not torch:
            raise RuntimeError("A page that should need no torch has loaded it.")
        pages = "all pages" if torch else "the pages without torch"
        print(f"server after {pages}: {process.memory_info().rss / 2**20:.0f} MB")


def visit(browser: Browser, url: str, *, torch: bool) -> None:
    """Visit all pages once that need torch, or all others."""
    for lesson in written_lessons():
        if (lesson.slug not in WITHOUT_TORCH) is not torch:
            continue
        slug = "" if lesson.slug == "home" else lesson.slug
        context = browser.new_context()
        page = context.new_page()
        page.goto(f"{url}/{slug}")
        page.get_by_role("heading", level=1).wait_for()
        page.wait_for_timeout(1500)
        context.close()


def other_value(widget: Any) -> Any:
    """Another value that the control can take."""
    if widget.type in {"slider", "number_input"}:
        return widget.max if widget.value != widget.max else widget.min
    if widget.type == "toggle":
        return not widget.value
    # A select slider's options are given as they are shown: 1,000 for 1000.
    options = [type(widget.value)(option.replace(",", "")) for option in widget.options]
    return next(option for option in options if option != widget.value)


def opened(lesson: Lesson) -> AppTest:
    """The lesson's page as a new visitor finds it."""
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60).run()
    return app.switch_page(f"pages/{lesson.stem}.py").run()


def controls(lesson: Lesson, rounds: int) -> None:
    """Print how long the server takes after a change of each control of a lesson."""
    app = opened(lesson)
    kinds: list[Callable[[AppTest], Any]] = [
        lambda page: page.slider,
        lambda page: page.toggle,
        lambda page: page.select_slider,
        lambda page: page.number_input,
    ]
    keys = [
        (kind, w.key)
        for kind in kinds
        for w in kind(app)
        if w.key and w.value is not None and not w.key.startswith("q_")
    ]
    for kind, key in keys:
        app, times = opened(lesson), []
        for _ in range(rounds):
            widget = kind(app)(key=key)
            widget.set_value(other_value(widget))
            started = time.perf_counter()
            app.run()
            times.append(1000 * (time.perf_counter() - started))
        assert not app.exception
        print(f"{lesson.slug}, control {key}: {statistics.median(times):.0f} ms on the server")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        os.environ["INSIDE_LLMS_DATA"] = folder
        empty = Path(folder) / "empty.py"
        empty.write_text(EMPTY_APP, encoding="utf-8")
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        with server(ROOT / "app.py", folder) as (ours, _), server(empty, folder) as (base, _):
            first_renders(browser, ours, base, options.rounds)
        with server(ROOT / "app.py", folder) as (ours, process):
            memory(browser, process, ours)
        browser.close()
        for lesson in (each for each in written_lessons() if each.is_taught):
            controls(lesson, options.rounds)


if __name__ == "__main__":
    main()
