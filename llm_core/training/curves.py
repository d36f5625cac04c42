"""A run's curves as CSV files, for spreadsheets, and back. Imports no torch."""

import csv
import io
import math
from collections.abc import Callable, Sequence
from dataclasses import astuple, dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from llm_core.training.events import AnswerEvent, EvalEvent, LayerEvent, SampleEvent
from llm_core.training.points import Point

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

T = TypeVar("T", Point, EvalEvent, SampleEvent, LayerEvent, AnswerEvent)

_MOST_ROWS = 100_000
_MOST_NUMBERS = 1_000  # in one value: no model here has so many layers
FILES = {
    "points.csv": Point,
    "evaluations.csv": EvalEvent,
    "samples.csv": SampleEvent,
    "layers.csv": LayerEvent,
    "answers.csv": AnswerEvent,
}


@dataclass
class Curves:
    """All that was measured of a run, each by step."""

    points: list[Point] = field(default_factory=list)
    evaluations: list[EvalEvent] = field(default_factory=list)
    samples: list[SampleEvent] = field(default_factory=list)
    layers: list[LayerEvent] = field(default_factory=list)
    answers: list[AnswerEvent] = field(default_factory=list)

    def to_csv(self) -> dict[str, str]:
        """Return the content of each CSV file, by name."""
        return {
            "points.csv": _write(Point, self.points),
            "evaluations.csv": _write(EvalEvent, self.evaluations),
            "samples.csv": _write(SampleEvent, self.samples),
            "layers.csv": _write(LayerEvent, self.layers),
            "answers.csv": _write(AnswerEvent, self.answers),
        }

    @classmethod
    def from_csv(cls, content: dict[str, str]) -> "Curves":
        """Read what `to_csv` wrote, a missing file as empty; ValueError for anything else."""
        return cls(
            _read(Point, content.get("points.csv", "")),
            _read(EvalEvent, content.get("evaluations.csv", "")),
            _read(SampleEvent, content.get("samples.csv", "")),
            _read(LayerEvent, content.get("layers.csv", "")),
            _read(AnswerEvent, content.get("answers.csv", "")),
        )

    def save(self, folder: Path) -> None:
        """Write the files below `folder`."""
        for name, text in self.to_csv().items():
            (folder / name).write_text(text, encoding="utf-8", newline="")

    @classmethod
    def load(cls, folder: Path, *, until: int) -> "Curves":
        """Read the files below `folder`, without what lies after step `until`."""
        content = {}
        for name in FILES:
            if (folder / name).exists():
                with (folder / name).open(encoding="utf-8", newline="") as file:
                    content[name] = file.read()
        return cls.from_csv(content).until(until)

    def until(self, step: int) -> "Curves":
        """Return the curves without what lies after `step`."""
        return Curves(
            [each for each in self.points if each.step <= step],
            [each for each in self.evaluations if each.step <= step],
            [each for each in self.samples if each.step <= step],
            [each for each in self.layers if each.step <= step],
            [each for each in self.answers if each.step <= step],
        )


def plain_values(row: "DataclassInstance") -> tuple[Any, ...]:
    """Return a row's values in the order of its fields, several numbers as one text."""
    return tuple(
        " ".join(map(repr, value)) if isinstance(value, tuple) else value for value in astuple(row)
    )


def several_numbers(text: str) -> tuple[float, ...]:
    """Read the numbers that `plain_values` wrote as one text; ValueError if they are none."""
    parts = text.split(" ")
    if len(parts) > _MOST_NUMBERS:
        raise ValueError("it has too many numbers in a row")
    return tuple(map(_number, parts))


def _write(kind: type[T], rows: Sequence[T]) -> str:
    target = io.StringIO(newline="")
    writer = csv.writer(target)
    writer.writerow(each.name for each in fields(kind))
    writer.writerows(plain_values(row) for row in rows)
    return target.getvalue()


def _read(kind: type[T], text: str) -> list[T]:
    if not text:
        return []
    names = [each.name for each in fields(kind)]
    readers: list[Callable[[str], Any]] = [_READERS[each.type] for each in fields(kind)]
    rows = csv.reader(io.StringIO(text, newline=""))
    result: list[T] = []
    try:
        if next(rows) != names:
            raise ValueError("it has other columns")
        for row in rows:
            values = [read(value) for read, value in zip(readers, row, strict=True)]
            result.append(kind(*values))
            if len(result) > _MOST_ROWS:
                raise ValueError("it has too many rows")
            if len(result) > 1 and result[-1].step <= result[-2].step:
                raise ValueError("its steps do not rise")
    except (ValueError, StopIteration, csv.Error) as error:
        raise ValueError(f"This is no table of a run's {kind.__name__} rows: {error}.") from error
    return result


def _whole(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) <= 15):
        raise ValueError(f"{text[:20]!r} is no whole number")
    return int(text)


def _number(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{text[:20]!r} is no finite number")
    return value


_READERS: dict[Any, Callable[[str], Any]] = {
    int: _whole,
    float: _number,
    str: str,
    tuple[float, ...]: several_numbers,
}
