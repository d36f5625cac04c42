"""Samples and answers beside the chart: which is nearest, and what is right or wrong."""

from llm_core.data.line_tasks import LINE_TASKS, judge_lines
from llm_core.training.events import AnswerEvent
from llm_core.training.points import Point, elapsed_seconds, seconds_at, step_at
from pages.widgets.run_samples import answers_html, nearest_step


def test_the_nearest_sample_is_taken_and_the_earlier_of_two() -> None:
    assert nearest_step([0, 40, 80], 61) == 80
    assert nearest_step([0, 40, 80], 60) == 40
    assert nearest_step([0, 40, 80], 10**6) == 80


def test_answers_have_a_sign_beside_the_colour_and_are_escaped() -> None:
    event = AnswerEvent(50, 37, 100, "1+2=3\n2+2=<b>")
    shown = answers_html(event, judge_lines(LINE_TASKS["task_addition"], event.text))
    assert "37 of 100" in shown
    assert shown.count("✓") == shown.count("✗") == 1
    assert 'aria-label="right"' in shown
    assert "should be 4" in shown
    assert "&lt;b&gt;" in shown
    assert "<b></" not in shown.replace("<b>37", "")


def test_seconds_go_on_after_a_pause() -> None:
    points = [Point(step, 1.0, 0.1, 1.0, 100.0, seconds) for step, seconds in
              [(1, 0.5), (10, 5.0), (11, 0.4), (20, 4.0)]]  # fmt: skip
    assert elapsed_seconds(points) == [0.5, 5.0, 5.4, 9.0]
    assert seconds_at(points, [0, 10, 20, 99]) == [0.0, 5.0, 9.0, 9.0]
    assert step_at(points, 7.2) in (15, 16)
    assert step_at([], 3.0) == 0
    assert seconds_at([], [1, 2]) == [0.0, 0.0]
