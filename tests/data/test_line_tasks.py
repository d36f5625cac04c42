"""Toy tasks as lines: every answer is held against Python's own, and no question comes twice."""

import pytest

from llm_core.data.corpora import find_corpus, task_corpora
from llm_core.data.line_tasks import LINE_TASKS, LINES, judge_lines, line_task, whole_lines

OUR_OWN = {
    "task_addition": lambda q: str(eval(q)),
    "task_reversing": lambda q: "".join(reversed(list(q))),
    "task_sorting": lambda q: "".join(d * q.count(d) for d in "0123456789"),
    "task_copying": str,
}


@pytest.mark.parametrize("name", LINE_TASKS)
def test_every_line_is_right_and_no_question_comes_twice(name):
    text = find_corpus(name).load()
    lines = text.splitlines()
    assert len(lines) == LINES
    questions = [line.split("=")[0] for line in lines]
    assert len(set(questions)) == LINES
    assert all(line == f"{q}={OUR_OWN[name](q)}" for line, q in zip(lines, questions, strict=True))
    assert find_corpus(name).load() is text  # drawn once


def test_held_out_questions_are_never_in_the_part_that_is_trained_on():
    text = find_corpus("task_addition").load()
    cut = int(0.9 * len(text)) + 2  # in the middle of a line
    asked = whole_lines(text[cut:])
    assert len(asked) > 800
    assert not set(asked) & {line.split("=")[0] for line in text[:cut].splitlines()}


def test_answers_are_judged_to_the_last_sign():
    judged = judge_lines(LINE_TASKS["task_addition"], "1+2=3\n40+5=46\n9+9=18=\nno question\n=7")
    assert [each.is_right for each in judged] == [True, False, False]
    assert judged[1].right == "45"
    assert judge_lines(LINE_TASKS["task_addition"], "x+²=5")[0].right == ""


def test_only_tasks_are_tasks():
    assert {corpus.name for corpus in task_corpora()} == set(LINE_TASKS)
    assert line_task("tiny_tales") is None
    assert line_task(None) is None
