"""Texts to look at a model with: read in training, held out, and spoilt. No Streamlit."""

import csv
import io
import random
import re
from collections.abc import Mapping
from typing import Any

# The last of the tiny tales, which is in their validation split, and the first, which is not.
TALE_HELD_OUT = (
    "There once was a quiet girl named Iris who lived by the sea. Her uncle knew that Iris was "
    "afraid of the old mill. When Iris was afraid, she held her new cup. But one wet afternoon, "
    "Iris heard a wise hare call for help. Iris took the new cup and opened the door of the old "
    'mill. She found the wise hare in the garden and carried him home. "How brave you are, Iris!" '
    'said the wise hare. "I was, but you needed me," Iris told the wise hare. Iris gave the new '
    "cup to the wise hare and was glad."
)
TALE_READ = (
    "Otto and Emma were good friends who lived near the school. One windy afternoon, they found a "
    "golden doll on the roof. Otto wanted the golden doll, and Emma wanted it too. Otto and Emma "
    "pulled until the golden doll fell into the well. Otto was angry with Emma, and Emma was angry "
    'with Otto. But Otto was sad without Emma. "You are better than a golden doll, Emma," said '
    "Otto. So Otto and Emma pulled it up with a rope. Otto gave the golden doll to Emma, and she "
    "gave it back."
)
OWLS = (  # ours: something that a person wrote, for models that were trained on other things
    "The owl had lived in the church tower for nine winters, and nobody had ever thanked her for "
    "the mice. So when the bell ringer climbed up one evening with a candle, a stool and half a "
    "cheese, she took him for a thief, and then, slowly, for company."
)
FAMOUS = (  # Lincoln at Gettysburg, 1863: what a model of the web has read a thousand times
    "Four score and seven years ago our fathers brought forth on this continent, a new nation, "
    "conceived in Liberty, and dedicated to the proposition that all men are created equal."
)
HELD_OUT, READ, CHANGED, SHUFFLED = (
    "held out",
    "read in training",
    "one word changed",
    "words shuffled",
)
_LONG_ENOUGH = 60  # characters of a paragraph that is worth looking at
_MOST = 1200  # characters of an example


def texts_of(
    whole: str, tokenizer: Any, most: int, *, validation_fraction: float
) -> dict[str, str]:
    """Return passages of a text that a model was trained on: one of its end, which was held out.

    Each has at most `most` tokens of the model. Raises ValueError if the text is empty.
    """
    if not whole.strip():
        raise ValueError("The text of this run is empty.")
    # The cut was made in tokens, which it is not worth to count: keep well away from it.
    held_out = whole[int(len(whole) * (1 - validation_fraction / 2)) :].partition(" ")[2]
    read = whole[: int(len(whole) * (1 - validation_fraction) ** 2)]
    return with_spoilt(
        {
            HELD_OUT: _fitting(passage(held_out or whole, last=True), tokenizer, most),
            READ: _fitting(passage(read or whole, last=False), tokenizer, most),
        }
    )


def tuned_texts(whole: str, tokenizer: Any, most: int, *, table: bool) -> dict[str, str]:
    """Return a passage of what a model was tuned on, all of which it has read.

    table: the texts are the second column of a CSV file, and the first passage is one of them.
    """
    if table:
        rows = list(csv.reader(io.StringIO(whole)))
        whole = next((row[1] for row in rows[1:] if len(row) > 1 and row[1].strip()), OWLS)
    return with_spoilt({READ: _fitting(passage(whole, last=False), tokenizer, most)})


def with_spoilt(texts: Mapping[str, str]) -> dict[str, str]:
    """Add the first text with one word changed, and with its words in another order."""
    first = next(iter(texts.values()))
    return {**texts, CHANGED: one_word_changed(first), SHUFFLED: shuffled(first)}


def passage(whole: str, *, last: bool) -> str:
    """Return the first or last paragraph of a text that is long enough, or else its beginning."""
    paragraphs = [part.strip() for part in re.split(r"\n\s*\n", whole)]
    found = [part for part in paragraphs if len(part) >= _LONG_ENOUGH]
    chosen = found[-1 if last else 0] if found else whole.strip()
    return chosen[:_MOST]


def one_word_changed(text: str) -> str:
    """Put another word of the text in the place of the word in its middle."""
    words = list(re.finditer(r"\w+", text))
    if len(words) < 3:
        return text
    middle = words[len(words) // 2]
    others = [found[0] for found in words if found[0].lower() != middle[0].lower()]
    if not others:
        return text
    return text[: middle.start()] + max(others, key=len) + text[middle.end() :]


def shuffled(text: str) -> str:
    """Put the text's words in another order, the same one every time."""
    words = text.split()
    random.Random(0).shuffle(words)
    return " ".join(words)


def _fitting(text: str, tokenizer: Any, most: int) -> str:
    ids = tokenizer.encode(text)
    if len(ids) <= most:
        return text
    # A token may end within a character: that one is left out.
    return str(tokenizer.decode(ids[:most])).rstrip("\N{REPLACEMENT CHARACTER}")
