"""Toy tasks with a right answer, as texts that a GPT can be trained on: "47+5=52", a line each.

No question comes twice, so the part of a text that is held back asks what was never trained on.
Small GPTs learn such tasks in minutes ("Teaching Arithmetic to Small Transformers", Lee et al.
2023); every answer can be checked. Imports no torch.
"""

import string
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from random import Random
from typing import Final

LINES: Final = 9_000  # of a task's text
EQUALS: Final = "="  # between a question and its answer
_SEED = 1337
_MOST_DRAWN = 40 * LINES


@dataclass(frozen=True)
class LineTask:
    """A question that a line asks, and what is right.

    title and description in plain words; example: a question. draw: any question; solve: its one
    right answer.
    """

    name: str
    title: str
    description: str
    example: str
    draw: Callable[[Random], str] = field(repr=False)
    solve: Callable[[str], str] = field(repr=False)

    def text(self) -> str:
        """Return LINES different questions with their answers, in an order that is no order."""
        return _text(self)

    def right_line(self, question: str) -> str:
        """Return a question with its right answer, as a line of the text."""
        return f"{question}{EQUALS}{self.solve(question)}"


@dataclass(frozen=True)
class AnsweredLine:
    """A question, what was answered, and what is right; answer and right may be the same."""

    question: str
    answer: str
    right: str

    @property
    def is_right(self) -> bool:
        """Whether the answer is the right one, to the last sign."""
        return self.answer == self.right


def judge_lines(task: LineTask, text: str) -> list[AnsweredLine]:
    """Return what each line of a text answers, and what is right; lines that ask nothing are none.

    What stands before the first "=" is the question.
    """
    judged = []
    for line in text.split("\n"):
        question, equals, answer = line.partition(EQUALS)
        if equals and question:
            judged.append(AnsweredLine(question, answer, task.solve(question)))
    return judged


def whole_lines(text: str) -> list[str]:
    """Return the questions of all lines of a part of a task's text, but those that are cut."""
    lines = text.split("\n")[1:-1]
    return [line.partition(EQUALS)[0] for line in lines if EQUALS in line]


def line_task(corpus: str | None) -> LineTask | None:
    """Return the task whose text is the corpus of that name, or None if it is no task's."""
    return LINE_TASKS.get(corpus or "")


@lru_cache(maxsize=2)
def _text(task: LineTask) -> str:
    random = Random(f"{_SEED} {task.name}")
    questions: dict[str, None] = {}
    for _ in range(_MOST_DRAWN):
        questions[task.draw(random)] = None
        if len(questions) == LINES:
            break
    return "\n".join(map(task.right_line, questions)) + "\n"


def _draw_sum(random: Random) -> str:
    return f"{random.randrange(100)}+{random.randrange(100)}"


def _sum(question: str) -> str:
    parts = question.split("+")
    valid = len(parts) == 2 and all(each.isascii() and each.isdecimal() for each in parts)
    return str(sum(map(int, parts))) if valid else ""


def _draw_letters(random: Random) -> str:
    return "".join(random.choices(string.ascii_lowercase, k=random.randint(3, 6)))


def _draw_digits(random: Random) -> str:
    return "".join(random.choices(string.digits, k=random.randint(4, 6)))


LINE_TASKS: Final[dict[str, LineTask]] = {
    each.name: each
    for each in (
        LineTask(
            "task_addition",
            "Toy task: adding two numbers",
            "Sums of two numbers below 100, such as 47+5=52. To answer what it has not seen, "
            "the model has to find out how to carry.",
            "47+5",
            _draw_sum,
            _sum,
        ),
        LineTask(
            "task_reversing",
            "Toy task: reversing letters",
            "Three to six letters, and the same from the last to the first: abcd=dcba.",
            "abcd",
            _draw_letters,
            lambda question: question[::-1],
        ),
        LineTask(
            "task_sorting",
            "Toy task: sorting digits",
            "Four to six digits, and the same in order: 52817=12578.",
            "52817",
            _draw_digits,
            lambda question: "".join(sorted(question)),
        ),
        LineTask(
            "task_copying",
            "Toy task: copying letters",
            "Three to six letters, and the same again: abcd=abcd. Easy for a head that looks "
            "back, and for nothing else.",
            "abcd",
            _draw_letters,
            lambda question: question,
        ),
    )
}
