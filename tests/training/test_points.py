import pytest

from llm_core.training.events import StepEvent
from llm_core.training.points import Point, PointLog, seconds_left


def steps(count):
    return [
        StepEvent(step, 10.0 - step, 0.1 * step, float(step), 32 * step, 0.5 * step)
        for step in range(1, count + 1)
    ]


def test_points_come_at_the_first_step_each_interval_and_the_last():
    log = PointLog(4, 10)
    points = [point for point in map(log.add, steps(10)) if point]
    assert [point.step for point in points] == [1, 4, 8, 10]
    assert [point.loss for point in points] == [9.0, 7.0, 3.5, 0.5]  # means of 2-4, 5-8, 9-10
    assert all(point.tokens_per_second == pytest.approx(64) for point in points)
    assert points[-1].learning_rate == pytest.approx(1.0)


def test_time_left_is_measured_at_the_recent_speed(tiny_run):
    config = tiny_run(steps=100)  # 4 windows of 8 tokens a step
    assert seconds_left([], config) is None
    slow_start = Point(1, 3.0, 0.1, 1.0, 1.0, 1.0)
    assert seconds_left([slow_start], config) is None
    later = Point(10, 3.0, 0.1, 1.0, 320.0, 2.0)
    assert seconds_left([slow_start, later], config) == pytest.approx(90 * 32 / 320)
