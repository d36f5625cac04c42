"""WordPiece, BERT's way to cut words: the longest piece that fits, then the longest of the rest.

Follows "BERT" (Devlin et al., 2018) and the tokenizer that its makers published.
"""

import functools
import unicodedata
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from llm_core.tokenizers.files import read_tokenizer_of_kind, write_tokenizer_file

KIND = "wordpiece"
CLS, SEP, PAD, UNKNOWN = "[CLS]", "[SEP]", "[PAD]", "[UNK]"
_CONTINUES = "##"  # marks a piece inside a word
_LONGEST_WORD = 100  # characters: a longer one is unknown as a whole
# Chinese is written without spaces: each of its signs is taken for a word.
_IDEOGRAPHS = (
    (0x4E00, 0x9FFF),
    (0x3400, 0x4DBF),
    (0x20000, 0x2A6DF),
    (0x2A700, 0x2B73F),
    (0x2B740, 0x2B81F),
    (0x2B920, 0x2CEAF),
    (0xF900, 0xFAFF),
    (0x2F800, 0x2FA1F),
)


class WordPieceTokenizer:
    """Pieces of words without capitals and accents. A word with no pieces becomes [UNK]."""

    def __init__(self, tokens: Iterable[str]) -> None:
        """Take the vocabulary by id; raise ValueError without the special tokens of BERT."""
        self.tokens = tuple(tokens)
        self._id_of = {token: index for index, token in enumerate(self.tokens)}
        for name in (CLS, SEP, PAD, UNKNOWN):
            if name not in self._id_of:
                raise ValueError(f"A WordPiece vocabulary needs the token {name}.")
        # Most words of a text have been cut before.
        self._cut = functools.lru_cache(maxsize=20_000)(self._pieces)

    @classmethod
    def from_vocabulary(cls, path: Path) -> "WordPieceTokenizer":
        """Read a vocab.txt: one token a line."""
        return cls(path.read_text(encoding="utf-8").splitlines())

    @property
    def vocab_size(self) -> int:
        """Number of different ids."""
        return len(self.tokens)

    def id_of(self, token: str) -> int:
        """Return a token's id; raise ValueError if there is no such token."""
        if token not in self._id_of:
            raise ValueError(f"{token!r} is no token of this vocabulary.")
        return self._id_of[token]

    def words(self, text: str) -> list[str]:
        """Return the words that are cut into pieces: small letters, no accents, signs apart."""
        decomposed = unicodedata.normalize("NFD", "".join(map(_clean, text)))
        plain = (each for each in decomposed if unicodedata.category(each) != "Mn")
        return "".join(map(_apart, "".join(map(str.lower, plain)))).split()

    def encode(self, text: str) -> list[int]:
        """Return the ids of the pieces of `text`, in which "[CLS]" and the like are only text."""
        return [index for word in self.words(text) for index in self._cut(word)]

    def encode_array(self, text: str) -> NDArray[np.int64]:
        """The same ids as `encode`, shape (tokens,)."""
        return np.array(self.encode(text), dtype=np.int64)

    def encode_text(self, text: str, *, most: int | None = None) -> list[int]:
        """Return what BERT reads: [CLS], the pieces, [SEP]; at most `most` ids in all."""
        ids = self.encode(text)
        kept = ids if most is None else ids[: max(0, most - 2)]
        return [self._id_of[CLS], *kept, self._id_of[SEP]]

    def decode(self, ids: Iterable[int]) -> str:
        """Join pieces to words with spaces between: capitals and spaces of the text are lost.

        Raises ValueError for an id outside the vocabulary.
        """
        pieces = []
        for index in ids:
            if not 0 <= index < self.vocab_size:
                raise ValueError(f"Token id {index} is outside 0 to {self.vocab_size - 1}.")
            pieces.append(self.tokens[index])
        return " ".join(pieces).replace(f" {_CONTINUES}", "")

    def save(self, path: Path) -> None:
        """Write the vocabulary to `path` as JSON."""
        write_tokenizer_file(path, KIND, {"tokens": list(self.tokens)})

    @classmethod
    def load(cls, path: Path) -> "WordPieceTokenizer":
        """Read a saved vocabulary; raise ValueError if the file is not one."""
        tokens = read_tokenizer_of_kind(path, KIND).get("tokens")
        if not isinstance(tokens, list):
            raise ValueError(f"{path.name} is damaged: it holds no WordPiece vocabulary.")
        return cls(tokens)

    def _pieces(self, word: str) -> tuple[int, ...]:
        unknown = (self._id_of[UNKNOWN],)
        if len(word) > _LONGEST_WORD:
            return unknown
        ids: list[int] = []
        start = 0
        while start < len(word):
            prefix = _CONTINUES if start else ""
            for end in range(len(word), start, -1):
                index = self._id_of.get(prefix + word[start:end])
                if index is not None:
                    ids.append(index)
                    start = end
                    break
            else:
                return unknown
        return tuple(ids)


def _clean(character: str) -> str:
    """Return a space for any white space, nothing for what has no look, or an ideograph alone."""
    if character in "\t\n\r":
        return " "
    if character == "\ufffd" or unicodedata.category(character) in ("Cc", "Cf", "Co"):
        return ""
    if character.isspace():
        return " "
    if any(first <= ord(character) <= last for first, last in _IDEOGRAPHS):
        return f" {character} "
    return character


def _apart(character: str) -> str:
    """Put spaces around punctuation, and all of ASCII's signs."""
    sign = character.isascii() and character.isprintable() and not character.isalnum()
    if (sign and character != " ") or unicodedata.category(character).startswith("P"):
        return f" {character} "
    return character
