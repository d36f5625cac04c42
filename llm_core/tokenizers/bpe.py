"""Byte pair encoding, used: cut a text into words, and in each word apply the learned merges.

Training is in `bpe_training`; `iter_merges` from there shows it merge by merge.
"""

import functools
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path

import numpy as np
import tiktoken
from numpy.typing import NDArray

from llm_core.tokenizers.bpe_encoding import EncodingStep, apply_merges, explain_merges
from llm_core.tokenizers.bpe_export import to_encoding, to_tokenizer_json
from llm_core.tokenizers.bpe_training import (
    TIE_RULE,
    MergeStep,
    PairCount,
    iter_merges,
    learn_merges,
)
from llm_core.tokenizers.files import read_tokenizer_of_kind, write_tokenizer_file
from llm_core.tokenizers.patterns import (
    GPT2_PATTERN,
    GPT4_PATTERN,
    Splitter,
    refuse_lone_surrogates,
    split_at,
    splits_alike,
)
from llm_core.tokenizers.symbols import BYTE_ORDER, symbols_of

__all__ = [
    "GPT2_PATTERN",
    "GPT4_PATTERN",
    "TIE_RULE",
    "BPETokenizer",
    "EncodingStep",
    "MergeStep",
    "PairCount",
    "iter_merges",
    "train_bpe",
]

KIND = "bpe"
_LONG = 200  # bytes in a word from which plain Python would be too slow


def train_bpe(
    text: str,
    vocab_size: int,
    *,
    pattern: str = GPT2_PATTERN,
    special_tokens: Sequence[str] = (),
) -> "BPETokenizer":
    """Learn a tokenizer with `vocab_size` tokens: 256 bytes, merges, then the special tokens.

    It has fewer if the text has no two neighbours left to merge. Special tokens that occur in the
    text separate what stands beside them, and nothing is learned from them. Raises ValueError for
    an empty text, a vocabulary without room, a pattern that does not cover the text, or lone
    surrogates.
    """
    _check_special_tokens(special_tokens)
    least = len(BYTE_ORDER) + len(special_tokens)
    if vocab_size < least:
        raise ValueError(
            f"256 bytes and {len(special_tokens)} special tokens need a vocabulary of at least "
            f"{least} tokens: {vocab_size} is less."
        )
    if not text:
        raise ValueError("There is nothing to learn merges from: the text is empty.")
    splitter = Splitter(pattern)
    words: Counter[str] = Counter()
    for part in split_at(text, special_tokens):
        if part not in special_tokens:
            words.update(splitter.count_words(part))
    merges = learn_merges(words, vocab_size - len(special_tokens))
    return BPETokenizer(merges, pattern=pattern, special_tokens=special_tokens)


class BPETokenizer:
    """Tokens 0 to 255 are the bytes in GPT-2's order, token 256 + i is what merge i makes.

    So any text can be encoded, and decodes to itself. Special tokens come last; they are never
    merged with anything, and plain text that looks like one stays plain text unless allowed.
    """

    def __init__(
        self,
        merges: Iterable[tuple[int, int]],
        *,
        pattern: str = GPT2_PATTERN,
        special_tokens: Sequence[str] = (),
    ) -> None:
        """Take the pairs of ids to merge in order; raise ValueError if they cannot be that."""
        self.merges = tuple((left, right) for left, right in merges)
        self.special_tokens = tuple(special_tokens)
        self.tokens = _token_bytes(self.merges)  # the bytes of each token but the special ones
        self._splitter = Splitter(pattern)
        self._merged = {
            chr(left) + chr(right): chr(len(BYTE_ORDER) + rank)
            for rank, (left, right) in enumerate(self.merges)
        }
        _check_special_tokens(self.special_tokens)
        self._special_ids = {
            name: len(self.tokens) + place for place, name in enumerate(self.special_tokens)
        }
        if len(set(self.tokens)) != len(self.tokens):
            raise ValueError("Two merges must not make the same token.")

    @property
    def vocab_size(self) -> int:
        """Number of different ids: bytes, merges and special tokens."""
        return len(self.tokens) + len(self.special_tokens)

    @property
    def pad_id(self) -> int:
        """An id that is in no text: that of the byte 255, which UTF-8 never uses."""
        return BYTE_ORDER.index(255)

    @property
    def pattern(self) -> str:
        """The regular expression that cuts a text into words."""
        return self._splitter.pattern

    def encode(self, text: str, allowed_special: Collection[str] = ()) -> list[int]:
        """Return the ids of `text`.

        Of the special tokens, only those in `allowed_special` are looked for in the text. Raises
        ValueError for lone surrogates, or if one of the allowed is no special token of this one.
        """
        ids: list[int] = []
        for part in self._parts(text, allowed_special):
            if part in allowed_special:
                ids.append(self._special_ids[part])
            else:
                words = self._splitter.words(part)
                ids_of = {word: self._encode_word(word) for word in set(words)}
                ids += chain.from_iterable(map(ids_of.__getitem__, words))
        return ids

    def encode_array(self, text: str, allowed_special: Collection[str] = ()) -> NDArray[np.int64]:
        """Encode megabytes at once, in tiktoken's engine: `encode`'s ids, shape (tokens,)."""
        refuse_lone_surrogates(text)  # the engine would put � in their place
        if not splits_alike(self.pattern, text):
            return np.array(self.encode(text, allowed_special), dtype=np.int64)
        arrays = [
            np.array([self._special_ids[part]])
            if part in allowed_special
            else self._array_engine.encode_to_numpy(part, disallowed_special=())
            for part in self._parts(text, allowed_special)
        ]
        return np.concatenate(arrays, dtype=np.int64)

    def encode_steps(self, word: str) -> Iterator[EncodingStep]:
        """Yield how a word, or a short text, is encoded: its bytes, then merge after merge.

        The last step's ids are those of `encode`. Raises ValueError for lone surrogates.
        """
        rows = [symbols_of(each.encode("utf-8")) for each in self._splitter.words(word)]
        return explain_merges(rows, self._merged, self.tokens)

    def decode(self, ids: Iterable[int]) -> str:
        """Return the text of `ids`, with � where they end in the middle of a character.

        Raises ValueError for an id outside the vocabulary.
        """
        return self.decode_bytes(ids).decode("utf-8", errors="replace")

    def decode_bytes(self, ids: Iterable[int]) -> bytes:
        """Return the bytes of `ids`; raise ValueError for an id outside the vocabulary."""
        return b"".join(map(self.token_bytes, ids))

    def token_bytes(self, index: int) -> bytes:
        """Return what one id stands for; raise ValueError if it is outside the vocabulary."""
        if not 0 <= index < self.vocab_size:
            raise ValueError(f"Token id {index} is outside 0 to {self.vocab_size - 1}.")
        if index < len(self.tokens):
            return self.tokens[index]
        return self.special_tokens[index - len(self.tokens)].encode("utf-8")

    def save(self, path: Path) -> None:
        """Write merges, pattern and special tokens to `path` as JSON."""
        content = {
            "pattern": self.pattern,
            "special_tokens": list(self.special_tokens),
            "merges": [list(pair) for pair in self.merges],
        }
        write_tokenizer_file(path, KIND, content)

    @classmethod
    def load(cls, path: Path) -> "BPETokenizer":
        """Read a saved tokenizer; raise ValueError if the file is not one."""
        content = read_tokenizer_of_kind(path, KIND)
        try:
            tokenizer = cls(
                [(left, right) for left, right in content["merges"]],
                pattern=content["pattern"],
                special_tokens=list(content["special_tokens"]),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"{path.name} is damaged: it holds no BPE tokenizer.") from error
        if not tokenizer._reaches_all_tokens():
            raise ValueError(f"{path.name} is damaged: its merges are out of order.")
        return tokenizer

    @functools.cached_property
    def _engine(self) -> tiktoken.Encoding:
        return to_encoding(self.tokens, self.pattern, self._special_ids)

    @functools.cached_property
    def _array_engine(self) -> tiktoken.Encoding:
        # To look for one special token is quick; to look for none, the engine stops everywhere.
        special_ids = self._special_ids or {"<|none|>": self.vocab_size}
        return to_encoding(self.tokens, self.pattern, special_ids)

    def to_tiktoken(self) -> tiktoken.Encoding:
        """Return the same tokenizer in tiktoken's engine: the same ids for the same text.

        Only with a pattern of your own, or among Unicode's newest letters, of which its engine
        may know fewer, can it cut words elsewhere.
        """
        return self._engine

    def to_huggingface(self) -> str:
        """Return a tokenizer.json that Hugging Face's `tokenizers` loads, with the same ids.

        There, special tokens are always looked for in a text.
        """
        return to_tokenizer_json(self.tokens, self.merges, self.pattern, self._special_ids)

    def _parts(self, text: str, allowed_special: Collection[str]) -> Iterator[str]:
        """Yield allowed special tokens, and the plain text between them."""
        if unknown := set(allowed_special) - set(self.special_tokens):
            raise ValueError(f"{min(unknown)!r} is no special token of this tokenizer.")
        return split_at(text, allowed_special)

    def _encode_word(self, word: str) -> list[int]:
        if len(word) > _LONG:
            return self._engine._encode_single_piece(word)
        return [ord(each) for each in apply_merges(symbols_of(word.encode("utf-8")), self._merged)]

    def _reaches_all_tokens(self) -> bool:
        """Whether each token's own bytes are merged into it: not so with merges out of order."""
        return all(
            apply_merges(symbols_of(token), self._merged) == chr(index)
            for index, token in enumerate(self.tokens)
        )


def _check_special_tokens(names: Sequence[str]) -> None:
    for name in names:
        if not isinstance(name, str) or not name:
            raise ValueError("A special token must be a text of at least one character.")
        refuse_lone_surrogates(name)
    if len(set(names)) != len(names):
        raise ValueError("A special token must not be named twice.")


def _token_bytes(merges: Sequence[tuple[int, int]]) -> tuple[bytes, ...]:
    """The bytes of every token; raise ValueError if a merge is not of two earlier tokens."""
    tokens = [bytes([byte]) for byte in BYTE_ORDER]
    for left, right in merges:
        for index in (left, right):
            if not isinstance(index, int) or not 0 <= index < len(tokens):
                raise ValueError(f"Merge {len(tokens) - 255} is not of two tokens made before it.")
        tokens.append(tokens[left] + tokens[right])
    return tuple(tokens)
