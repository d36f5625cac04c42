"""The tokenizer that everyone thinks of first: every word is a token."""

from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import regex
from numpy.typing import NDArray

from llm_core.tokenizers.files import read_tokenizer_of_kind, write_tokenizer_file

KIND = "word"
UNKNOWN = "<unk>"
JOINED = "<joined>"  # no space, where prose has one
# A word with its apostrophes and hyphens; one white-space character; or one other visible sign.
PIECE = regex.compile(r"\w+(?:['’-]\w+)*|\s|\X")
_NO_SPACE_BEFORE = set(".,;:!?…)]}”")
_NO_SPACE_AFTER = set("([{“")


class WordTokenizer:
    """One id per distinct word or sign of a text; `<unk>` for all others.

    The space between two words, and its absence before a comma, go without saying: only white
    space that prose would not have there is a token, and so is a space that is missing. So a row
    is short, and still decodes to the very text. Words that the tokenizer was not built from all
    become the one token `<unk>`: which word it was is lost. A language written without spaces,
    such as Chinese, has no such words: a whole clause becomes one.
    """

    def __init__(self, words: Iterable[str]) -> None:
        """Take the vocabulary without `<unk>`; raise ValueError if it is empty or repeats."""
        self.words = (UNKNOWN, *words)
        if len(self.words) == 1:
            raise ValueError("A word tokenizer needs a text with at least one word.")
        if any(not isinstance(word, str) or not word for word in self.words):
            raise ValueError("Every entry of a word vocabulary must be a word.")
        self._id_of = {word: index for index, word in enumerate(self.words)}
        if len(self._id_of) != len(self.words):
            raise ValueError("A word vocabulary must not name a word twice.")

    @classmethod
    def from_text(cls, text: str, vocab_size: int | None = None) -> "WordTokenizer":
        """Build the vocabulary from a text's words, the most frequent first, ties by alphabet.

        `vocab_size` counts `<unk>`: the rarer words beyond it stay unknown. None keeps them all.
        Raises ValueError for a text without words, or a vocabulary without room for one.
        """
        if vocab_size is not None and vocab_size < 2:
            raise ValueError("A word vocabulary needs at least 2 entries: <unk> and one word.")
        counts = Counter(_pieces(text))
        words = sorted(counts, key=lambda word: (-counts[word], word))
        return cls(words if vocab_size is None else words[: vocab_size - 1])

    @property
    def vocab_size(self) -> int:
        """Number of different ids, `<unk>` among them."""
        return len(self.words)

    def encode(self, text: str) -> list[int]:
        """Return one id per piece of the text; 0, which is `<unk>`, for each that is not known."""
        return [self._id_of.get(piece, 0) for piece in _pieces(text)]

    def encode_array(self, text: str) -> NDArray[np.int64]:
        """Encode megabytes at once: ids as an array of shape (pieces,)."""
        return np.array(self.encode(text), dtype=np.int64)

    def decode(self, ids: Iterable[int]) -> str:
        """Write the pieces of `ids` as prose; raise ValueError for an id outside the vocabulary."""
        text, last, gap_told = [], "", True
        for index in ids:
            if not 0 <= index < self.vocab_size:
                raise ValueError(f"Token id {index} is outside 0 to {self.vocab_size - 1}.")
            piece = self.words[index]
            if _is_gap(piece):
                text.append("" if piece == JOINED else piece)
                gap_told = True
            else:
                text.append(piece if gap_told else _usual_gap(last, piece) + piece)
                last, gap_told = piece, False
        return "".join(text)

    def save(self, path: Path) -> None:
        """Write the vocabulary to `path` as JSON."""
        write_tokenizer_file(path, KIND, {"words": list(self.words[1:])})

    @classmethod
    def load(cls, path: Path) -> "WordTokenizer":
        """Read a saved vocabulary; raise ValueError if the file is not one."""
        words = read_tokenizer_of_kind(path, KIND).get("words")
        if not isinstance(words, list):
            raise ValueError(f"{path.name} is damaged: it holds no word tokenizer.")
        return cls(words)


def _pieces(text: str) -> Iterator[str]:
    """Yield a text's words and signs, and a gap wherever it is not the usual one."""
    last, gap = "", ""
    for piece in PIECE.findall(text):
        if piece.isspace():
            gap += piece
            continue
        if gap != _usual_gap(last, piece):
            yield from gap or (JOINED,)
        yield piece
        last, gap = piece, ""
    yield from gap


def _usual_gap(before: str, after: str) -> str:
    """What prose has between two pieces: a space, but not at the start or before a comma."""
    close = not before or before in _NO_SPACE_AFTER or after in _NO_SPACE_BEFORE
    return "" if close else " "


def _is_gap(piece: str) -> bool:
    return piece == JOINED or piece.isspace()
