"""What the sandbox's live page costs: a tick at 5,000 logged steps, and scrubbing over snapshots.

python benchmarks/live_page.py [--points 5000] [--seconds 20]

*Tick*: a run with so many points on its curve, a layer strip of as many columns, evaluations and
samples, trains on (this script adds a point a second) while a headless Chromium watches it. Counted
are the bytes of all WebSocket frames that reach the browser, divided by the ticks, and the time on
the processor that a tick of the page takes (median of the script thread's time in `show_panel`, the
page's own part; Streamlit's is the same for every page), and by how much more than while nobody
watches the whole server process works for each tick. *Scrubbing*: in a run that
was really trained, the time from a press on "Step back" until the browser shows another picture of
the heads; first every snapshot for the first time, then once more.
"""

import argparse
import math
import os
import shutil
import statistics
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))  # run from anywhere, without installing

import psutil
from playwright.sync_api import Browser, sync_playwright

from benchmarks.app_latency import FLAGS, server
from llm_core.models.config import PRESETS
from llm_core.training.config import RunConfig
from llm_core.training.events import EvalEvent, LayerEvent, SampleEvent, StartEvent
from llm_core.training.points import Point
from llm_core.training.runs import Run, RunState, RunStore
from llm_core.training.worker_process import start_of

STEPS_A_POINT = 2
CURVES = ("Loss", "Gradient norm", "Updates, by layer")
TALE = "There once was a shy owl. One day, the owl found a bright lamp in the old barn. " * 3
WATCHING = """import time

import streamlit as st

from pages.widgets import run_panel
from pages.widgets.live_chart import plotly_library
from pages.widgets.settling import settle_imports
from pages.widgets.training import launcher

st.set_page_config(layout="wide")
plotly_library()


@st.fragment(run_every=1.0)
def tick():
    began = time.thread_time()
    run = launcher().check(launcher().store.get({run!r}))
    run_panel.show_panel(run, best=0.9)
    with open({times!r}, "a") as file:
        print(1000 * (time.thread_time() - began), file=file)


tick()
settle_imports()  # as the course's frame does
"""
CHANGED = """(source) => new Promise(done => {
  const began = performance.now(), image = () => {
    for (const host of document.querySelectorAll('*')) {
      const found = (host.shadowRoot ?? host).querySelector?.('.field img');
      if (found) return found.src;
    }
  };
  const before = image();
  source.click();
  const look = () => image() !== before ? done(performance.now() - began)
    : performance.now() - began > 5000 ? done(null) : setTimeout(look, 4);
  look();
})"""


def running_run(store: RunStore, points: int) -> Run:
    """Record a run that seems to train in this very process, and has so many points."""
    steps = 2 * points * STEPS_A_POINT
    config = RunConfig(
        corpus="tiny_tales", model=dict(PRESETS["nano"]), steps=steps, log_interval=STEPS_A_POINT
    )
    run = store.create(config, owner="benchmark", title="A long run")
    start = StartEvent(0, 56, 800_000, 1_800_000, 200_000, 4.03, 2.21, "cpu")
    store.record_start(run.id, replace(start, trigram_loss=1.46, peak_flops=6e10))
    store.set_process(run.id, os.getpid(), start_of(os.getpid()))
    curves = store.curves(run.id)
    for number in range(points):
        curves.points.append(point(number))
        layers = tuple(round(0.001 + 0.0001 * math.sin(number + each), 6) for each in range(6))
        curves.layers.append(LayerEvent((number + 1) * STEPS_A_POINT, layers, layers))
    every = max(1, points // 40)
    for number in range(0, points, every):
        step = (number + 1) * STEPS_A_POINT
        curves.evaluations.append(EvalEvent(step, point(number).loss + 0.1, 8192))
    for number in range(0, points, max(1, points // 12)):
        curves.samples.append(SampleEvent((number + 1) * STEPS_A_POINT, "There once", TALE))
    store.add_curves(run.id, curves)
    return store.get(run.id) or run


def point(number: int) -> Point:
    """A point of a curve that looks like one, noise and all."""
    noise = 0.08 * math.sin(12.9898 * number) * math.cos(4.1 * number)
    loss = 0.8 + 3.2 * math.exp(-number / 400) + noise
    step = (number + 1) * STEPS_A_POINT
    return Point(step, loss, 0.001, 1.2 + noise, 41_000.0 + 900 * noise, 0.05 * step)


def measure_ticks(browser: Browser, folder: Path, points: int, seconds: int) -> None:
    """Print bytes and processor time of a tick, for each kind of curve."""
    store = RunStore(folder)
    run = running_run(store, points)
    app, times = folder / "watching.py", folder / "times.txt"
    app.write_text(WATCHING.format(run=run.id, times=str(times)), encoding="utf-8")
    added = points
    with server(app, str(folder)) as (url, process):
        page = browser.new_page()
        page.goto(url)  # from now on the server looks after its queue, watched or not
        page.locator(".live-chart .main-svg").first.wait_for(timeout=60_000)
        page.close()
        time.sleep(5)
        idle = processor_share(process, 10.0)
        for curve in CURVES:
            page = browser.new_page(viewport={"width": 1280, "height": 900})
            frames: list[int] = []
            page.on(
                "websocket",
                lambda socket, frames=frames: socket.on(
                    "framereceived", lambda frame: frames.append(len(frame))
                ),
            )
            page.goto(f"{url}?curve={curve}")
            page.locator(".live-chart .main-svg").first.wait_for(timeout=60_000)
            page.wait_for_timeout(4000)
            frames.clear()
            times.write_text("")
            began, worked = time.perf_counter(), sum(process.cpu_times()[:2])
            for _ in range(seconds):
                store.record_point(run.id, point(added))
                added += 1
                page.wait_for_timeout(1000)
            worked = sum(process.cpu_times()[:2]) - worked
            ticks = [float(line) for line in times.read_text().split()]
            extra = (worked - idle * (time.perf_counter() - began)) / len(ticks)
            print(
                f"{curve} at {points:,} points: {sum(frames) / len(ticks) / 1000:.1f} KB a tick to "
                f"the browser, {statistics.median(ticks):.1f} ms on the server "
                f"({len(ticks)} ticks; the slowest {max(ticks):.1f} ms), {1000 * extra:.1f} ms in "
                "all of the server above idle",
                flush=True,
            )
            page.close()
    store.finish(run.id, RunState.STOPPED)


def processor_share(process: psutil.Process, seconds: float) -> float:
    """Return how many seconds of processor time a process takes in a second."""
    before = sum(process.cpu_times()[:2])
    time.sleep(seconds)
    return float(sum(process.cpu_times()[:2]) - before) / seconds


def trained_run(store: RunStore) -> Run:
    """Train a small model for a few steps, with its snapshots."""
    import torch

    from llm_core.training.loop import train

    torch.set_num_threads(1)
    config = RunConfig(
        corpus="tiny_tales",
        model=dict(PRESETS["nano"]),
        steps=64,
        batch_size=2,
        eval_windows=4,
        final_eval_windows=4,
        sample_interval=32,
        sample_prompt="There once was a",
        sample_tokens=20,
        device="cpu",
    )
    run = store.create(config, owner="benchmark", title="A short run")
    for event in train(config, out=store.run_folder(run.id), inside=True):
        if isinstance(event, StartEvent):
            store.record_start(run.id, event)
        elif isinstance(event, EvalEvent):
            store.record_evaluation(run.id, event)
        elif isinstance(event, SampleEvent):
            store.record_sample(run.id, event)
    store.finish(run.id, RunState.DONE)
    return run


def measure_scrubbing(browser: Browser, folder: Path) -> None:
    """Print how long a press takes until another picture of the heads is there."""
    run = trained_run(RunStore(folder))
    with server(ROOT / "app.py", str(folder)) as (url, _):
        page = browser.new_page(viewport={"width": 1280, "height": 2400})
        page.goto(f"{url}/training_sandbox?run={run.id}&look_inside=true")
        page.get_by_text("Its tokens on a map").wait_for(timeout=120_000)
        page.wait_for_timeout(3000)
        for name in ("for the first time", "once more"):
            back = page.get_by_role("button", name="Step back")
            times: list[float] = []
            while back.is_enabled():
                taken: Any = back.evaluate(CHANGED)
                times.append(float("inf") if taken is None else taken)
                page.wait_for_timeout(700)
            print(
                f"scrubbing over {len(times) + 1} snapshots {name}: another picture after "
                f"{statistics.median(times):.0f} ms (median; the slowest {max(times):.0f} ms)",
                flush=True,
            )
            page.get_by_role("button", name="Last step").click()
            page.wait_for_timeout(2500)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--points", type=int, default=5000)
    parser.add_argument("--seconds", type=int, default=20)
    options = parser.parse_args()
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        measure_ticks(browser, Path(folder) / "ticks", options.points, options.seconds)
        measure_scrubbing(browser, Path(folder) / "scrubs")
        browser.close()


if __name__ == "__main__":
    main()
