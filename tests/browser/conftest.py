"""A real Chromium and a real Streamlit server, for what only a browser can show."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from llm_core.pretrained.assets import cache_folder

ROOT = Path(__file__).parents[2]
NAMES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
START_SECONDS = 60.0

StartServer = Callable[..., str]


def _missing(sentence: str) -> None:
    """No browser, no test; where the tests decide over a change, that is a failure."""
    if os.environ.get("CI"):
        pytest.fail(sentence)
    pytest.skip(sentence)


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of a Chromium: what $CHROMIUM names, or the first one that is installed."""
    asked = os.environ.get("CHROMIUM")
    found = next(filter(None, map(shutil.which, [asked] if asked else NAMES)), None)
    if found is None:
        _missing(
            "No Chromium found: install one (Debian: apt-get install chromium) or set $CHROMIUM."
        )
    assert found is not None
    return found


@pytest.fixture(scope="session")
def browser(chromium: str) -> Iterator[object]:
    """One playwright browser for all tests; a test opens its own `browser.new_page()`."""
    try:
        from playwright.sync_api import expect, sync_playwright
    except ImportError:
        _missing("Playwright is not installed: pip install playwright.")
    expect.set_options(timeout=30_000)  # busy shared cores: generous waits, never a timed test
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield running
        running.close()


@pytest.fixture
def start_server(tmp_path: Path) -> Iterator[StartServer]:
    """A function (app_path, env=None) -> url that starts a server for this test alone."""
    yield from _start_servers(tmp_path)


@pytest.fixture(scope="module")
def start_module_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StartServer]:
    """The same for a server that all tests of a module visit."""
    yield from _start_servers(tmp_path_factory.mktemp("servers"))


@pytest.fixture(scope="session")
def course(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of one server of the course, for all tests that leave nothing behind in it."""
    folder = tmp_path_factory.mktemp("course")
    environment = {
        "INSIDE_LLMS_DATA": str(folder / "data"),
        "INSIDE_LLMS_ASSETS": str(cache_folder()),
        "OMP_NUM_THREADS": "1",
    }
    starting = _start_servers(folder)
    yield next(starting)("app.py", environment)
    for _ in starting:  # lets it stop its servers
        pass


@pytest.fixture
def visit(browser: Any, course: str) -> Iterator[Callable[[str], Any]]:
    """A function (address below the course's) -> page: a new visitor, who sees a whole lesson."""
    from playwright.sync_api import expect

    contexts = []

    def go(address: str) -> Any:
        contexts.append(browser.new_context(viewport={"width": 1280, "height": 900}))
        page = contexts[-1].new_page()
        page.set_default_timeout(60_000)
        page.goto(f"{course}/{address}")
        end = page.get_by_role("heading", name="In short", include_hidden=True)
        expect(end).to_be_attached(timeout=90_000)
        return page

    yield go
    for context in contexts:
        context.close()


def _start_servers(folder: Path) -> Iterator[StartServer]:
    """Yield a function that starts an app from the root of the repository.

    In the end its servers are stopped with all that they started, and a traceback in the log of
    one of them fails the test.
    """
    servers: list[tuple[subprocess.Popen[bytes], Path]] = []

    def start(app_path: str | Path, env: Mapping[str, str] | None = None) -> str:
        port = _free_port()
        log = folder / f"server-{port}.log"
        with log.open("wb") as out:
            server = subprocess.Popen(
                _command(app_path, port),
                cwd=ROOT,
                env={**os.environ, "PYTHONPATH": str(ROOT), **(env or {})},
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # a group of its own, to be stopped as a whole
            )
        servers.append((server, log))
        url = f"http://localhost:{port}"
        _wait_for(url, server, log)
        return url

    yield start
    for server, _ in servers:
        _stop(server)
    for _, log in servers:
        text = log.read_text(encoding="utf-8", errors="replace")
        assert "Traceback" not in text, f"The server's log shows a traceback:\n{text}"


def _command(app_path: str | Path, port: int) -> list[str]:
    options = {
        "server.port": str(port),
        "server.headless": "true",
        "server.fileWatcherType": "none",
        "browser.serverAddress": "localhost",
    }
    flags = [part for name, value in options.items() for part in (f"--{name}", value)]
    return [sys.executable, "-m", "streamlit", "run", str(app_path), *flags]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and server.poll() is None:
        try:
            with urllib.request.urlopen(f"{url}/_stcore/health", timeout=2) as answer:
                if answer.status == 200:
                    return
        except OSError:
            time.sleep(0.1)
    pytest.fail(f"The server did not start:\n{log.read_text(encoding='utf-8', errors='replace')}")


def _stop(server: subprocess.Popen[bytes]) -> None:
    for name in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(server.pid, name)
        except ProcessLookupError:
            break
        try:
            server.wait(timeout=5)
        except subprocess.TimeoutExpired:
            continue
    server.wait(timeout=5)
