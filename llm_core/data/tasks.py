"""Toy translations with a right answer: dates, numbers, and letters in reverse.

Small enough to be learnt in front of you, and every answer can be checked. Pairs never end: they
are drawn at random, from a seed. Which side a pair is on, to train on or never seen, follows from
its answer alone, so all ways to say one date are on the same side. Imports no torch.
"""

import calendar
import re
import string
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cache
from itertools import islice
from random import Random
from typing import Final

from llm_core.data.number_words import (
    MONTHS,
    ORDINALS,
    TENS,
    UNITS,
    WEEKDAYS,
    spell_day,
    spell_number,
    spell_year,
)

PAD, START, END = "<pad>", "<start>", "<end>"
SPECIAL: Final = (PAD, START, END)
YEARS: Final = range(1800, 2100)  # of the dates that are trained on
EARLY_YEARS: Final = range(1300, 1800)  # of dates that never are, to see what becomes of them
UNSEEN_SHARE = 0.1  # of all answers: never trained on
_MOST_NAMED = 3  # unknown words that a sentence lists


@dataclass(frozen=True)
class Pair:
    """A text, and what it is to be translated to."""

    source: str
    target: str


@dataclass(frozen=True)
class Task:
    """A translation that can be learnt: where its pairs come from, and what is right.

    title: in plain words; example: a source; words: the tokens of sources; signs: those of
    targets, one character each; unit: what a token of a source is; most: tokens that a source may
    have. draw: any pair; answer: the target of a source cut into tokens, None if it has none.
    """

    name: str
    title: str
    example: str
    unit: str
    words: tuple[str, ...]
    signs: tuple[str, ...]
    most: int
    draw: Callable[[Random], Pair] = field(repr=False)
    answer: Callable[[Sequence[str]], str | None] = field(repr=False)

    @property
    def tokens(self) -> tuple[str, ...]:
        """The vocabulary, by id: the special tokens first, then words, then signs."""
        return (*SPECIAL, *dict.fromkeys((*self.words, *self.signs)))

    def cut(self, source: str) -> list[str]:
        """Cut a source into tokens: capitals, commas and hyphens do not count.

        Raises ValueError for nothing, for too much, and for what the task does not know.
        """
        if self.unit == "letter":
            pieces = [letter for letter in source.lower() if not letter.isspace()]
        else:
            pieces = re.findall(r"[^\W\d_]+|\d+|[^\w\s,.\-–]|_", source.lower())
        if not pieces:
            raise ValueError(f"Write something to translate, such as “{self.example}”.")
        unknown = [piece for piece in dict.fromkeys(pieces) if piece not in self.words]
        if unknown:
            raise ValueError(self._refusal(unknown))
        if len(pieces) > self.most:
            raise ValueError(
                f"This has {len(pieces)} {self.unit}s; the model reads up to {self.most}."
            )
        return pieces

    def encode_source(self, source: str) -> list[int]:
        """Return the ids of a source; raises ValueError as `cut` does."""
        ids = _ids(self)
        return [ids[piece] for piece in self.cut(source)]

    def encode_target(self, target: str) -> list[int]:
        """Return the ids of a target and of the end; raises ValueError for an unknown sign."""
        ids = _ids(self)
        if set(target) - set(self.signs):
            raise ValueError(f"A target of this task consists of {' '.join(self.signs)}.")
        return [*(ids[sign] for sign in target), ids[END]]

    def decode(self, ids: Sequence[int]) -> str:
        """Return the text of a target's ids, up to its end."""
        tokens = self.tokens
        shown = []
        for index in ids:
            if tokens[index] == END:
                break
            shown.append(tokens[index])
        return "".join(shown)

    def pairs(self, seed: int, *, unseen: bool) -> Iterator[Pair]:
        """Draw pairs without an end, of those that are trained on or of those that never are."""
        random = Random(f"{self.name} {seed}")
        while True:
            pair = self.draw(random)
            if self.is_unseen(pair.target) == unseen:
                yield pair

    def examples(self, count: int, seed: int, *, unseen: bool) -> list[Pair]:
        """Draw `count` pairs; no source comes twice. Raises ValueError if there are not so many."""
        found: dict[str, Pair] = {}
        for pair in islice(self.pairs(seed, unseen=unseen), 50 * count + 1000):
            found.setdefault(pair.source, pair)
            if len(found) >= count:
                return list(found.values())[:count]
        raise ValueError(f"There are no {count:,} different pairs of this task.")

    def is_unseen(self, target: str) -> bool:
        """Whether pairs with this target are kept from training: it follows from the target."""
        share = zlib.crc32(f"{self.name}:{target}".encode()) / 2**32
        return share < UNSEEN_SHARE

    def _refusal(self, unknown: Sequence[str]) -> str:
        named = ", ".join(f"“{piece}”" for piece in unknown[:_MOST_NAMED])
        more = f" and {len(unknown) - _MOST_NAMED} more" if len(unknown) > _MOST_NAMED else ""
        hint = ""
        if self.unit == "word" and any(character.isdigit() for character in "".join(unknown)):
            hint = " Numbers are to be written in words."
        return (
            f"The translator never met {named}{more}: it only knows {len(self.words)} "
            f"{self.unit}s, as in “{self.example}”.{hint}"
        )


@cache
def _ids(task: Task) -> dict[str, int]:
    return {token: index for index, token in enumerate(task.tokens)}


def find_task(name: str) -> Task:
    """Return the task of that name; raises ValueError if there is none."""
    if name not in TASKS:
        raise ValueError(f"There is no task {name!r}: choose of {', '.join(TASKS)}.")
    return TASKS[name]


def early_dates(count: int, seed: int) -> list[Pair]:
    """Draw dates from before the years that are trained on: every word is known, no century is."""
    random = Random(f"early {seed}")
    return [_date_pair(random, EARLY_YEARS) for _ in range(count)]


def date_phrasings(day: date) -> tuple[str, ...]:
    """Say a date in each of the ways that the task knows.

    Raises ValueError outside the years that are trained on, and the early ones before them.
    """
    if day.year not in YEARS and day.year not in EARLY_YEARS:
        raise ValueError(
            f"Dates from {EARLY_YEARS[0]} to {YEARS[-1]} can be said here, none of {day.year}."
        )
    number, month, year = spell_day(day.day), MONTHS[day.month - 1], spell_year(day.year)
    return (
        f"the {number} of {month}, {year}",
        f"{month} the {number}, {year}",
        f"{month} {number}, {year}",
        f"{WEEKDAYS[day.weekday()]}, the {number} of {month}, {year}",
    )


def _date_pair(random: Random, years: range) -> Pair:
    first = date(years[0], 1, 1)
    days = (date(years[-1], 12, 31) - first).days
    day = first + timedelta(days=random.randint(0, days))
    return Pair(random.choice(date_phrasings(day)), day.isoformat())


def _draw_date(random: Random) -> Pair:
    return _date_pair(random, YEARS)


def _draw_number(random: Random) -> Pair:
    number = random.randint(0, 9999)
    return Pair(spell_number(number), str(number))


def _draw_letters(random: Random) -> Pair:
    letters = "".join(random.choices(string.ascii_lowercase, k=random.randint(3, 8)))
    return Pair(letters, letters[::-1])


def _pieces(text: str) -> tuple[str, ...]:
    return tuple(text.lower().replace("-", " ").split())


@cache
def _date_parts() -> tuple[dict[tuple[str, ...], int], dict[tuple[str, ...], int]]:
    """How each day of a month, and each year, reads in tokens."""
    days = {_pieces(spell_day(day)): day for day in range(1, 32)}
    return days, {_pieces(spell_year(year)): year for year in (*EARLY_YEARS, *YEARS)}


def _date_answer(words: Sequence[str]) -> str | None:
    """Read a date by rules: the day and the month in either order, then the year."""
    weekdays, months = ([name.lower() for name in names] for names in (WEEKDAYS, MONTHS))
    rest = [word for word in words if word not in ("the", "of", *weekdays)]
    if sum(word in months for word in rest) != 1:
        return None
    at = next(place for place, word in enumerate(rest) if word in months)
    days, years = _date_parts()
    for length in (1, 2):
        day = rest[at - length : at] if at == length else rest[at + 1 : at + 1 + length]
        year = rest[at + 1 :] if at else rest[at + 1 + length :]
        if tuple(day) in days and tuple(year) in years:
            number, of_month = days[tuple(day)], months.index(rest[at]) + 1
            if number <= calendar.monthrange(years[tuple(year)], of_month)[1]:
                return date(years[tuple(year)], of_month, number).isoformat()
    return None


@cache
def _numbers() -> dict[tuple[str, ...], str]:
    return {_pieces(spell_number(number)): str(number) for number in range(10_000)}


def _lower(*groups: Sequence[str]) -> tuple[str, ...]:
    words = (piece.lower() for group in groups for piece in group if piece)
    return tuple(dict.fromkeys(words))


TASKS: Final[dict[str, Task]] = {
    "dates": Task(
        name="dates",
        title="Dates in words to ISO dates",
        example="the twenty-first of March, twenty twenty-one",
        unit="word",
        words=_lower(
            ["the", "of", "oh", "and", "hundred", "thousand", "twentieth", "thirtieth"],
            [*UNITS[1:], *TENS, *ORDINALS],
            [*MONTHS, *WEEKDAYS],
        ),
        signs=(*string.digits, "-"),
        most=16,
        draw=_draw_date,
        answer=_date_answer,
    ),
    "numbers": Task(
        name="numbers",
        title="Numbers in words to digits",
        example="four thousand two hundred and seven",
        unit="word",
        words=_lower(["and", "hundred", "thousand"], UNITS, TENS),
        signs=tuple(string.digits),
        most=12,
        draw=_draw_number,
        answer=lambda words: _numbers().get(tuple(words)),
    ),
    "reverse": Task(
        name="reverse",
        title="Letters in reverse",
        example="stressed",
        unit="letter",
        words=tuple(string.ascii_lowercase),
        signs=tuple(string.ascii_lowercase),
        most=12,
        draw=_draw_letters,
        answer=lambda letters: "".join(reversed(letters)),
    ),
}
