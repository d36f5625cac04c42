"""A run that is watched, in a real browser: a click on its curve, its layers, its snapshots."""

import re

import pytest
from playwright.sync_api import expect

from llm_core.training.config import RunConfig
from llm_core.training.events import (
    AnswerEvent,
    EvalEvent,
    LayerEvent,
    SampleEvent,
    StartEvent,
    StepEvent,
)
from llm_core.training.loop import train
from llm_core.training.points import PointLog
from llm_core.training.runs import RunState, RunStore

SLOW = 90_000  # milliseconds, on a busy machine


@pytest.fixture(scope="module")
def address(start_module_server, tmp_path_factory):
    """The address of a short run of a toy task, really trained, and of its server."""
    folder = tmp_path_factory.mktemp("data")
    store = RunStore(folder)
    config = RunConfig(
        corpus="task_copying",
        model={"n_layers": 2, "n_heads": 2, "d_model": 16, "context_length": 16, "bias": False},
        steps=40, batch_size=4, log_interval=2, eval_interval=10, eval_windows=2,
        final_eval_windows=2, sample_interval=10, sample_tokens=20, sample_prompt="abc=",
        checkpoint_interval=0, device="cpu",
    )  # fmt: skip
    run = store.create(config, owner="somebody", title="A run")
    log = PointLog(config.log_interval, config.steps)
    for event in train(config, out=store.run_folder(run.id), inside=True):
        match event:
            case StartEvent():
                store.record_start(run.id, event)
            case StepEvent():
                if point := log.add(event):
                    store.record_point(run.id, point)
            case EvalEvent():
                store.record_evaluation(run.id, event)
            case SampleEvent():
                store.record_sample(run.id, event)
            case LayerEvent() | AnswerEvent():
                store.record_measured(run.id, event)
    store.finish(run.id, RunState.DONE)
    url = start_module_server("app.py", {"INSIDE_LLMS_DATA": str(folder)})
    return f"{url}/training_sandbox?run={run.id}"


@pytest.fixture
def page(browser):
    context = browser.new_context(viewport={"width": 1280, "height": 1200})
    page = context.new_page()
    page.set_default_timeout(SLOW)
    errors = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield page
    context.close()
    assert not errors


def test_a_click_on_the_curve_shows_the_answers_of_then(address, page):
    page.goto(address)
    page.locator(".live-chart .main-svg").first.wait_for()
    answers = page.get_by_text(re.compile(r"After \d+ steps"))
    expect(answers.first).to_have_text(re.compile("After 40 steps"))
    page.wait_for_timeout(1000)
    corner = page.locator(".live-chart").first.bounding_box()
    plot = page.locator(".live-chart .nsewdrag").first.bounding_box()
    assert corner["width"] > plot["width"]
    x, y = plot["x"] + 0.27 * plot["width"], plot["y"] + 0.5 * plot["height"]
    page.mouse.move(x, y)
    page.wait_for_timeout(500)
    page.mouse.click(x, y)
    expect(answers.first).to_have_text(re.compile("After 10 steps"))
    shapes = "document.querySelector('.js-plotly-plot').layout.shapes.map(each => each.x0)"
    page.wait_for_function(f"{shapes}.includes(10)")
    assert "at=10" in page.url  # the time line below went along
    page.get_by_role("button", name="Later").click()
    expect(answers.first).to_have_text(re.compile("After 20 steps"))
    page.get_by_role("button", name="Newest").click()
    expect(answers.first).to_have_text(re.compile("After 40 steps"))


def test_the_layers_are_a_strip_and_the_axis_can_be_seconds(address, page):
    page.goto(f"{address}&curve=Updates%2C+by+layer&against=Seconds")
    plot = "document.querySelector('.js-plotly-plot')"
    page.wait_for_function(f"{plot}?.data?.[0].type === 'heatmap'")
    strip = page.evaluate(f"[{plot}.data[0].y, {plot}.layout.xaxis.title.text]")
    assert strip == [["embeddings", "layer 1", "layer 2", "output"], "seconds of training"]
    expect(page.get_by_text("How far one step moves a layer")).to_be_visible()


def test_snapshots_are_scrubbed_and_the_map_keeps_its_axes(address, page):
    page.goto(f"{address}&look_inside=true")
    expect(page.get_by_text(re.compile("After 40 of 40 steps"))).to_be_visible()
    expect(page.locator(".field img").first).to_be_visible()  # the heads
    points = page.locator(".map .point")
    place = points.first.get_attribute("style")
    count = points.count()
    assert count > 20
    page.get_by_role("button", name="First step").click()
    expect(page.get_by_text(re.compile("After 0 of 40 steps"))).to_be_visible()
    expect(points.first).not_to_have_attribute("style", place)
    assert points.count() == count
    expect(page.get_by_text("could not be shown")).to_have_count(0)
