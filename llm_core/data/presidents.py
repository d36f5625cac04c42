"""Passages of what US presidents told Congress, with the century that they are from."""

import re
from collections.abc import Iterator
from functools import lru_cache
from random import Random
from typing import Final

from llm_core.data.corpora import find_corpus

CENTURIES: Final = ("19th century", "20th century", "21st century")
_FIRST, _END = 1801, 2101
_LONGEST, _SHORTEST = 220, 80  # characters of a passage
_KEPT = 5  # every fifth year is only ever measured on
_HEADING = re.compile(r"^(\d{4}): [A-Z]")


def draw_addresses(seed: int, unseen: bool) -> Iterator[str]:
    """Draw passages of any time, without end but not all different. No year is on both sides.

    Raises ValueError if the texts are not installed.
    """
    texts = [text for year, text in _passages() if (year % _KEPT == 0) == unseen]
    chance = Random(f"addresses {seed}")
    while True:
        yield texts[int(chance.random() * len(texts))]


def paragraphs(seed: int, unseen: bool) -> Iterator[tuple[str, int]]:
    """Draw passages, without end but not all different, each with its century.

    No year is on both sides. Raises ValueError if the texts are not installed.
    """
    passages = _passages()
    chance = Random(f"presidents {seed}")
    by_century: list[list[str]] = [[] for _ in CENTURIES]
    for year, text in passages:
        if (year % _KEPT == 0) == unseen:
            by_century[(year - _FIRST) // 100].append(text)
    while True:
        century = int(chance.random() * len(CENTURIES))
        texts = by_century[century]
        yield texts[int(chance.random() * len(texts))], century


@lru_cache(maxsize=1)
def _passages() -> tuple[tuple[int, str], ...]:
    """Cut all addresses into passages: the start of each paragraph, up to a whole sentence."""
    year, found = 0, []
    for paragraph in find_corpus("state_of_the_union").load().split("\n\n"):
        heading = _HEADING.match(paragraph)
        if heading:
            year = int(heading[1])
        elif _FIRST <= year < _END and len(paragraph) >= _SHORTEST:
            passage = " ".join(paragraph.split())[:_LONGEST]
            end = max(passage.rfind(sign) for sign in ".!?")
            if end + 1 >= _SHORTEST:
                # A year in the text would give the answer away.
                found.append(
                    (year, re.sub(r"\b(1[789]|20)\d\d\b", "this year", passage[: end + 1]))
                )
    return tuple(found)
