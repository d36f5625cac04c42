"""Labelled texts of a learner's own, as a CSV file, or one sentence why they will not do."""

import csv
import io
from collections import Counter
from dataclasses import dataclass
from random import Random
from typing import Final

from llm_core.data.labelled_texts import Labelled, LabelledTexts
from llm_core.data.own_text import read_own_text

MOST_BYTES: Final = 2_000_000
MOST_ROWS: Final = 5_000
MOST_LABELS: Final = 12
FEWEST_OF_LABEL: Final = 5
FEWEST_ROWS: Final = 20
LONGEST: Final = 2_000  # characters of a text
_TEST_SHARE = 0.25
_MOST_TEST = 300
_SEPARATORS = ",;\t"


@dataclass(frozen=True)
class Table:
    """The columns of a CSV file by name, all of one length."""

    columns: dict[str, tuple[str, ...]]

    def label_column(self) -> str:
        """Guess which column holds the labels: the one with the fewest different values."""
        return min(self.columns, key=lambda name: len(set(self.columns[name])))

    def text_column(self) -> str:
        """Guess which column holds the texts: the one with the most characters."""
        return max(self.columns, key=lambda name: sum(map(len, self.columns[name])))


def read_table(data: bytes) -> Table:
    """Read a CSV file with a header; commas, semicolons or tabs part its columns.

    Raises ValueError, with one sentence, if it is too large, no UTF-8 text, without two columns,
    or ragged, or if it has too few or too many rows.
    """
    if len(data) > MOST_BYTES:
        raise ValueError(
            f"The file has {len(data) / 1e6:.1f} MB, and the limit here is "
            f"{MOST_BYTES / 1e6:.0f} MB: please take fewer rows."
        )
    text = read_own_text(data, context_length=1)
    first = text.lstrip().split("\n", 1)[0]
    separator = max(_SEPARATORS, key=first.count)
    try:
        rows = [row for row in csv.reader(io.StringIO(text), delimiter=separator) if any(row)]
    except csv.Error as error:
        raise ValueError(f"The file cannot be read as a table: {error}.") from error
    names = [name.strip() for name in rows[0]]
    if len(names) < 2:
        raise ValueError(
            "The first line must name at least two columns, parted by commas: one of texts, one "
            "of labels."
        )
    if len(set(names)) < len(names) or not all(names):
        raise ValueError("The first line must give every column a name of its own.")
    for number, row in enumerate(rows[1:], 2):
        if len(row) != len(names):
            raise ValueError(
                f"Row {number} has {len(row)} cells, and the first line names {len(names)} "
                "columns: a text that holds the separator must stand in quotation marks."
            )
    count = len(rows) - 1
    if not FEWEST_ROWS <= count <= MOST_ROWS:
        raise ValueError(
            f"The table has {count:,} rows below its first line; here it takes between "
            f"{FEWEST_ROWS} and {MOST_ROWS:,}."
        )
    cells = zip(*rows[1:], strict=True)
    return Table(dict(zip(names, cells, strict=True)))


def texts_from_table(table: Table, text: str, label: str, *, seed: int = 1337) -> LabelledTexts:
    """Return the table's texts as a task: a quarter of each label's is only measured on.

    Texts are cut to 2,000 characters; a text that comes twice counts once. Raises ValueError, with
    one sentence, if both columns are the same, or if there are too few or too many labels.
    """
    if text == label:
        raise ValueError("Texts and labels must stand in two different columns.")
    pairs: dict[str, str] = {}
    for body, name in zip(table.columns[text], table.columns[label], strict=True):
        if body.strip() and name.strip():
            pairs.setdefault(body.strip()[:LONGEST], name.strip())
    counts = Counter(pairs.values())
    _check(counts, label)
    labels = tuple(sorted(counts))
    chance = Random(seed)
    train: list[Labelled] = []
    test: list[Labelled] = []
    for place, name in enumerate(labels):
        own = [Labelled(body, place) for body, found in pairs.items() if found == name]
        chance.shuffle(own)
        held = max(1, min(round(_TEST_SHARE * len(own)), _MOST_TEST // len(labels)))
        test += own[:held]
        train += own[held:]
    chance.shuffle(train)
    return LabelledTexts("own", labels, tuple(train), tuple(test))


def _check(counts: Counter[str], column: str) -> None:
    if not 2 <= len(counts) <= MOST_LABELS:
        raise ValueError(
            f"The column “{column[:40]}” holds {len(counts)} different labels; here it takes "
            f"between 2 and {MOST_LABELS}."
        )
    name, fewest = min(counts.items(), key=lambda each: each[1])
    if fewest < FEWEST_OF_LABEL:
        raise ValueError(
            f"The label “{name[:40]}” has only {fewest} different texts; each label needs at "
            f"least {FEWEST_OF_LABEL}."
        )
