"""The simplest tokenizer: every character (Unicode code point) is a token."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from llm_core.tokenizers.files import read_tokenizer_of_kind, write_tokenizer_file

KIND = "character"


class CharacterTokenizer:
    """One id per distinct character of a text, in code point order.

    Nothing is ever split or merged, so a text has exactly as many tokens as it has characters,
    and a character that the tokenizer was not built from cannot be encoded.
    """

    def __init__(self, characters: Iterable[str]) -> None:
        """Take the vocabulary; raise ValueError if it is empty, repeats or holds no characters."""
        self.characters = tuple(characters)
        if not self.characters:
            raise ValueError("A character tokenizer needs a text with at least one character.")
        if any(not isinstance(each, str) or len(each) != 1 for each in self.characters):
            raise ValueError("Every entry of a character vocabulary must be a single character.")
        if len(set(self.characters)) != len(self.characters):
            raise ValueError("A character vocabulary must not name a character twice.")
        self._id_of = {character: index for index, character in enumerate(self.characters)}

    @classmethod
    def from_text(cls, text: str) -> "CharacterTokenizer":
        """Build the vocabulary from all characters that occur in `text`."""
        return cls(sorted(set(text)))

    @property
    def vocab_size(self) -> int:
        """Number of distinct characters."""
        return len(self.characters)

    def encode(self, text: str) -> list[int]:
        """Return one id per character; raise ValueError naming characters never seen."""
        try:
            return [self._id_of[character] for character in text]
        except KeyError:
            raise ValueError(self._unknown_sentence(text)) from None

    def encode_array(self, text: str) -> NDArray[np.int64]:
        """Encode megabytes at once: ids as an array of shape (len(text),)."""
        code_points = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
        known = np.array([ord(character) for character in self.characters], dtype=np.uint32)
        order = np.argsort(known)
        places = np.searchsorted(known[order], code_points).clip(max=len(known) - 1)
        ids: NDArray[np.int64] = order[places].astype(np.int64)
        if not np.array_equal(known[ids], code_points):
            raise ValueError(self._unknown_sentence(text))
        return ids

    def decode(self, ids: Iterable[int]) -> str:
        """Join the characters of `ids`; raise ValueError for an id outside the vocabulary."""
        pieces = []
        for index in ids:
            if not 0 <= index < self.vocab_size:
                raise ValueError(f"Token id {index} is outside 0 to {self.vocab_size - 1}.")
            pieces.append(self.characters[index])
        return "".join(pieces)

    def save(self, path: Path) -> None:
        """Write the vocabulary to `path` as JSON."""
        write_tokenizer_file(path, KIND, {"characters": list(self.characters)})

    @classmethod
    def load(cls, path: Path) -> "CharacterTokenizer":
        """Read a saved vocabulary; raise ValueError if the file is not one."""
        characters = read_tokenizer_of_kind(path, KIND).get("characters")
        if not isinstance(characters, list):
            raise ValueError(f"{path.name} is damaged: it holds no character tokenizer.")
        return cls(characters)

    def _unknown_sentence(self, text: str) -> str:
        unknown = sorted(set(text) - set(self.characters))
        shown = ", ".join(repr(character) for character in unknown[:5])
        more = f" and {len(unknown) - 5} more" if len(unknown) > 5 else ""
        return f"This tokenizer has never seen {shown}{more}: its training text did not hold it."
