"""How far a model's writing has come, measured by its words. Imports no torch."""

import re
from collections.abc import Set
from dataclasses import dataclass

_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")


@dataclass(frozen=True)
class Word:
    """A word in a sample: where it begins and ends, and whether the text has it."""

    start: int
    end: int
    known: bool


def words_in(text: str) -> frozenset[str]:
    """Return the different words of a text, in small letters."""
    return frozenset(word.lower() for word in set(_WORD.findall(text)))


def judge_words(prompt: str, written: str, known: Set[str]) -> list[Word]:
    """Return the whole words of what was written, and whether each is one of `known`.

    Places count from the beginning of `written`. What the prompt began, and what was still being
    written when it ended, is no whole word.
    """
    text = prompt + written
    begun = len(prompt)
    return [
        Word(match.start() - begun, match.end() - begun, match[0].lower() in known)
        for match in _WORD.finditer(text)
        if match.start() >= begun and match.end() < len(text)
    ]


def known_share(words: list[Word]) -> float | None:
    """Return which share of the words is known, weighted by length; None if there are none.

    A single letter is soon a word by chance, a long word never is.
    """
    letters = sum(word.end - word.start for word in words)
    if not letters:
        return None
    return sum(word.end - word.start for word in words if word.known) / letters
