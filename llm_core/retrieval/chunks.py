"""Cut texts into passages that are short enough to be found by, and long enough to say something.

A passage is made of whole sentences, and rather ends where a paragraph does. The last sentences of
one may be the first of the next: what stands at a cut can then be found from both sides. Imports
no torch.
"""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

SIZE, OVERLAP = 1100, 200  # characters: about 190 words, of which up to 35 come twice
SMALLEST, LARGEST = 100, 4000

# A sentence ends at a full stop with white space and a capital after it, a paragraph at an empty
# line. Chinese and Japanese leave out the space.
_BREAK = re.compile(
    r"(?P<stop>[.!?…][\"'”’»)\]]*)\s+(?=[\"'“‘«(\[]*[^\W_a-z])"
    r"|\n[^\S\n]*\n\s*|(?P<wide>[。！？])"
)
# … unless that stop only ends a title, or the initial of a name.
_NO_END = re.compile(r"\b(?:Mr|Mrs|Ms|Dr|St|[A-Z])\Z")


@dataclass(frozen=True)
class Document:
    """A text with its name for a reader; link: where it is published; pages: where each starts."""

    title: str
    text: str
    link: str = ""
    pages: tuple[int, ...] = ()

    def page_at(self, place: int) -> int | None:
        """Return the number of the page that a character stands on, from 1; None without pages."""
        return sum(start <= place for start in self.pages) or None


@dataclass(frozen=True)
class Passages:
    """The passages of several documents: number i is documents[document[i]].text[start:end].

    document, start, end: (N,) integers. size and overlap: characters that they were cut with.
    """

    documents: tuple[Document, ...]
    document: NDArray[np.int32]
    start: NDArray[np.int32]
    end: NDArray[np.int32]
    size: int
    overlap: int

    def __len__(self) -> int:
        """Number of passages."""
        return len(self.start)

    def text(self, index: int) -> str:
        """Return one passage."""
        return self.source(index).text[self.start[index] : self.end[index]]

    def texts(self) -> list[str]:
        """Return all passages in order."""
        return [self.text(index) for index in range(len(self))]

    def source(self, index: int) -> Document:
        """Return the document that a passage is from."""
        return self.documents[int(self.document[index])]

    def title(self, index: int) -> str:
        """Return where a passage stands: its document, and its page or its share of the text."""
        source, start = self.source(index), int(self.start[index])
        page = source.page_at(start)
        if page is not None:
            return f"{source.title}, page {page}"
        return f"{source.title}, at {start / max(1, len(source.text)):.0%}"

    def holding(self, quote: str, document: int | None = None) -> list[int]:
        """Return the passages that hold `quote` word for word (in one document, if it is given)."""
        found: set[int] = set()
        for number, source in enumerate(self.documents):
            place = source.text.find(quote) if document in (None, number) else -1
            while place >= 0:
                inside = (self.document == number) & (self.start <= place)
                found.update(np.flatnonzero(inside & (self.end >= place + len(quote))).tolist())
                place = source.text.find(quote, place + 1)
        return sorted(found)

    def digest(self) -> str:
        """Return the sha256 of all passages: the same texts, cut in the same way."""
        known = hashlib.sha256()
        for index in range(len(self)):
            known.update(self.text(index).encode() + b"\0")
        return known.hexdigest()


def cut_documents(
    documents: Sequence[Document], *, size: int = SIZE, overlap: int = OVERLAP
) -> Passages:
    """Cut each document by itself; see `cut_text`, which also says what is refused."""
    rows = [
        (number, start, end)
        for number, document in enumerate(documents)
        for start, end in cut_text(document.text, size=size, overlap=overlap)
    ]
    document, start, end = np.array(rows, dtype=np.int32).reshape(-1, 3).T
    return Passages(tuple(documents), document, start, end, size, overlap)


def cut_text(text: str, *, size: int = SIZE, overlap: int = OVERLAP) -> list[tuple[int, int]]:
    """Return start and end of each passage: at most `size` characters, whole sentences.

    Two neighbours share whole sentences of at most `overlap` characters. A passage ends with a
    paragraph where one ends in its second half; a sentence that is longer than a passage is cut
    between words. Nothing but white space is left out. Raises ValueError for sizes that cannot be.
    """
    if not SMALLEST <= size <= LARGEST:
        raise ValueError(f"A passage has {SMALLEST} to {LARGEST:,} characters, not {size:,}.")
    if not 0 <= overlap <= size // 2:
        raise ValueError(
            "Passages can share at most half of their characters, and not less than 0."
        )
    units = _units(text, size)
    spans: list[tuple[int, int]] = []
    first = 0
    while first < len(units):
        after = _fill(units, first, size)
        spans.append((units[first].start, units[after - 1].end))
        if after == len(units):
            break
        first = _step_back(units, first, after, size, overlap)
    return spans


def sentence_spans(text: str) -> list[tuple[int, int]]:
    """Return start and end of each sentence, without the white space around it."""
    return [(unit.start, unit.end) for unit in _units(text, max(1, len(text)))]


class _Unit(NamedTuple):
    """A sentence without the white space around it."""

    start: int
    end: int
    ends_paragraph: bool


def _units(text: str, size: int) -> list[_Unit]:
    units: list[_Unit] = []
    start = len(text) - len(text.lstrip())
    for match in _BREAK.finditer(text):
        stop = match.end("stop") if match["stop"] else match.start() + bool(match["wide"])
        paragraph = text.count("\n", stop, match.end()) > 1
        if stop <= start or (not paragraph and _NO_END.search(text[start : match.start()][-4:])):
            continue
        units += _pieces(text, start, stop, paragraph, size)
        start = match.end()
    return units + _pieces(text, start, len(text), True, size)


def _pieces(text: str, start: int, stop: int, ends_paragraph: bool, size: int) -> list[_Unit]:
    """One sentence, or several parts if it is longer than a passage may be."""
    parts = []
    while stop - start > size:
        cut = max(
            text.rfind(" ", start + 1, start + size), text.rfind("\n", start + 1, start + size)
        )
        cut = cut if cut > start else start + size
        parts.append(_trimmed(text, start, cut, False))
        start = cut
    parts.append(_trimmed(text, start, stop, ends_paragraph))
    return [part for part in parts if part.end > part.start]


def _trimmed(text: str, start: int, end: int, ends_paragraph: bool) -> _Unit:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return _Unit(start, end, ends_paragraph)


def _fill(units: Sequence[_Unit], first: int, size: int) -> int:
    """Return the unit after the passage that begins with `first`."""
    begin = units[first].start
    after = first + 1
    while after < len(units) and units[after].end - begin <= size:
        after += 1
    if after == len(units):
        return after
    for end in range(after, first, -1):
        if units[end - 1].end - begin < size / 2:
            break
        if units[end - 1].ends_paragraph:
            return end
    return after


def _step_back(units: Sequence[_Unit], first: int, after: int, size: int, overlap: int) -> int:
    """Return the unit that the next passage begins with: it must bring the unit `after`."""
    begin = after
    while begin - 1 > first and units[after - 1].end - units[begin - 1].start <= overlap:
        begin -= 1
    while begin < after and units[after].end - units[begin].start > size:
        begin += 1
    return begin
