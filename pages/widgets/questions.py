"""A lesson's questions: read from its .toml file, and judged. No Streamlit here."""

import functools
import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Values = Mapping[str, float | int | str]


@dataclass(frozen=True)
class Choice:
    """One answer to choose, and why it is right or wrong."""

    text: str
    right: bool
    why: str


@dataclass(frozen=True)
class Trap:
    """A wrong number that many arrive at (the name of a value on the page), and how."""

    answer: str
    why: str


@dataclass(frozen=True)
class Question:
    """A question with choices, or one whose answer is a number that the page computes.

    Texts may name the page's values in braces: `{stride}`.
    """

    id: str
    text: str
    predict: bool = False
    choices: tuple[Choice, ...] = ()
    answer: str = ""
    tolerance: float = 0.0
    why: str = ""
    traps: tuple[Trap, ...] = ()


@dataclass(frozen=True)
class Verdict:
    """What an answer is worth, and the explanation."""

    right: bool
    why: str


def load_questions(path: Path) -> dict[str, Question]:
    """Read a lesson's questions by id; raise ValueError for a file that is not sound."""
    return _load(path, path.stat().st_mtime_ns)


@functools.lru_cache(maxsize=64)
def _load(path: Path, modified: int) -> dict[str, Question]:
    content = tomllib.loads(path.read_text(encoding="utf-8"))
    found: dict[str, Question] = {}
    for entry in content["question"]:
        question = _question(entry)
        _check(question, path)
        if question.id in found:
            raise ValueError(f"{path.name}: two questions are called {question.id!r}.")
        found[question.id] = question
    return found


def _question(entry: dict[str, Any]) -> Question:
    entry = dict(entry)
    choices = tuple(
        Choice(choice["text"], choice.get("right", False), choice["why"])
        for choice in entry.pop("choice", ())
    )
    traps = tuple(Trap(**trap) for trap in entry.pop("trap", ()))
    return Question(**entry, choices=choices, traps=traps)


def _check(question: Question, path: Path) -> None:
    place = f"{path.name}, question {question.id!r}"
    if bool(question.choices) == bool(question.answer):
        raise ValueError(f"{place}: give either choices or the name of the answer's value.")
    if question.choices and sum(choice.right for choice in question.choices) != 1:
        raise ValueError(f"{place}: exactly one choice must be right.")
    if question.answer and not question.why:
        raise ValueError(f"{place}: explain the number.")
    if not all(choice.why for choice in question.choices):
        raise ValueError(f"{place}: explain every choice.")


def filled(text: str, values: Values) -> str:
    """Put the page's values into a text: whole numbers with separators, others short."""
    shown = {name: _shown(value) for name, value in values.items()}
    return text.format_map(shown)


def judge_choice(choice: Choice, values: Values) -> Verdict:
    """Judge a chosen answer."""
    return Verdict(choice.right, filled(choice.why, values))


def judge_number(question: Question, given: float, values: Values) -> Verdict:
    """Judge a number against the one that the page has computed for the values on screen."""
    right = float(values[question.answer])
    if _close(given, right, question.tolerance):
        return Verdict(True, filled(question.why, values))
    for trap in question.traps:
        if _close(given, float(values[trap.answer]), question.tolerance):
            return Verdict(False, filled(trap.why, values))
    hint = "too small" if given < right else "too big"
    return Verdict(False, f"Not yet: {_shown(given)} is {hint}. Try it on the picture above.")


def _close(given: float, right: float, tolerance: float) -> bool:
    return math.isclose(given, right, rel_tol=1e-9, abs_tol=tolerance)


def _shown(value: float | int | str) -> str:
    if isinstance(value, str):
        return value
    return f"{int(value):,}" if float(value).is_integer() else f"{value:.4g}"
