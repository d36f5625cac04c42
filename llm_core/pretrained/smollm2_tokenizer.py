"""SmolLM2's tokenizer and chat template, as the model's own file describes them. Needs no torch."""

from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from llm_core.tokenizers.bpe import BPETokenizer
from llm_core.tokenizers.files import read_tokenizer_of_kind, write_tokenizer_file
from llm_core.tokenizers.symbols import BYTE_ORDER, visible

KIND = "smollm2"
# Every digit is a word of its own, the rest is cut as GPT-2 does: what stands beside a digit
# never sees it, so that white space before one stays whole.
PATTERN = r"\p{N}|'(?:[sdmt]|ll|ve|re)| ?\p{L}++| ?[^\s\p{L}\p{N}]++|\s++$|\s+(?![^\s\p{N}])|\s"
TURN_START, TURN_END = "<|im_start|>", "<|im_end|>"
STOP_IDS = (0, 2)  # <|endoftext|> and <|im_end|>: the answer is over
ROLES = ("system", "user", "assistant")
_SYSTEM = "You are a helpful AI assistant named SmolLM, trained by Hugging Face"
_NONE = -1


class ChatMessage(NamedTuple):
    """One turn of a conversation; the role is system, user or assistant."""

    role: str
    content: str


class SmolLM2Tokenizer:
    """Byte pair encoding by our own `BPETokenizer`, with the numbers that SmolLM2 learned.

    There, the special tokens come first, then the bytes that its makers met, then the merges.
    `bpe` is the tokenizer beneath, with its own numbers, for looking at single merges.
    """

    def __init__(
        self, tokens: Sequence[str], merges: Sequence[str], special_tokens: Sequence[str]
    ) -> None:
        """Take token names by id, and merges as "left right", as GGUF files list them.

        Raises ValueError if a merge is not of tokens that exist, or a token is made by none.
        """
        self.names, self.merge_names = tuple(tokens), tuple(merges)
        names = [visible(bytes([byte])) for byte in BYTE_ORDER]
        index_of = {name: index for index, name in enumerate(names)}
        pairs = []
        for merge in merges:
            left, _, right = merge.partition(" ")
            if left not in index_of or right not in index_of:
                raise ValueError(f"The merge {merge!r} is not of two tokens made before it.")
            pairs.append((index_of[left], index_of[right]))
            index_of[left + right] = len(names)
            names.append(left + right)
        self.bpe = BPETokenizer(pairs, pattern=PATTERN, special_tokens=special_tokens)
        id_of = {name: index for index, name in enumerate(tokens)}
        self._theirs = np.array([id_of.get(name, _NONE) for name in [*names, *special_tokens]])
        self._ours = np.full(len(self.names), _NONE)
        known = self._theirs != _NONE
        self._ours[self._theirs[known]] = np.flatnonzero(known)
        if (self._ours == _NONE).any():
            raise ValueError("Each token must be a byte, a special token, or made by a merge.")

    @property
    def vocab_size(self) -> int:
        """Number of different ids: 49,152."""
        return len(self.names)

    @property
    def special_tokens(self) -> tuple[str, ...]:
        """The tokens that no text is cut into unless they are allowed."""
        return self.bpe.special_tokens

    def encode(self, text: str, allowed_special: Collection[str] = ()) -> list[int]:
        """Return the ids of `text`; of the special tokens, only those allowed are looked for.

        Raises ValueError for the few control characters that the vocabulary lacks.
        """
        own = self.bpe.encode(text, allowed_special)
        ids: list[int] = self._theirs[own].tolist() if own else []
        if _NONE in ids:
            self._refuse(own)
        return ids

    def encode_array(self, text: str) -> NDArray[np.int64]:
        """Encode much text at once: the same ids as `encode`, shape (tokens,)."""
        own = self.bpe.encode_array(text)
        ids: NDArray[np.int64] = self._theirs[own]
        if (ids == _NONE).any():
            self._refuse(own.tolist())
        return ids

    def decode(self, ids: Iterable[int]) -> str:
        """Return the text of `ids`; raise ValueError for an id outside the vocabulary."""
        return b"".join(map(self.token_bytes, ids)).decode("utf-8", errors="replace")

    def token_bytes(self, index: int) -> bytes:
        """Return what one id stands for; raise ValueError if it is outside the vocabulary."""
        if not 0 <= index < self.vocab_size:
            raise ValueError(f"Token id {index} is outside 0 to {self.vocab_size - 1}.")
        return self.bpe.token_bytes(int(self._ours[index]))

    def save(self, path: Path) -> None:
        """Write tokens and merges to `path` as JSON."""
        content = {"tokens": list(self.names), "merges": list(self.merge_names)}
        write_tokenizer_file(path, KIND, content | {"special_tokens": list(self.special_tokens)})

    @classmethod
    def load(cls, path: Path) -> "SmolLM2Tokenizer":
        """Read a saved tokenizer; raise ValueError if the file is not one."""
        content = read_tokenizer_of_kind(path, KIND)
        try:
            return cls(content["tokens"], content["merges"], content["special_tokens"])
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise ValueError(f"{path.name} is damaged: it holds no such tokenizer.") from error

    def _refuse(self, own: Sequence[int]) -> None:
        unknown = next(index for index in own if self._theirs[index] == _NONE)
        byte = self.bpe.token_bytes(unknown)[0]
        raise ValueError(
            f"SmolLM2's vocabulary has no token for the byte {byte:#04x}: "
            "its training text never held it."
        )


def chat_turns(messages: Sequence[ChatMessage]) -> list[ChatMessage]:
    """Return the turns that the model reads: a system message comes first, its own by default.

    Raises ValueError for an empty conversation or an unknown role.
    """
    if not messages:
        raise ValueError("A conversation needs at least one message.")
    for message in messages:
        if message.role not in ROLES:
            raise ValueError(f"There is no role {message.role!r}: choose of {', '.join(ROLES)}.")
    first = [] if messages[0].role == "system" else [ChatMessage("system", _SYSTEM)]
    return [*first, *messages]


def chat_text(messages: Sequence[ChatMessage], *, reply: bool = True) -> str:
    """Return the one text that a conversation becomes; with `reply` the assistant's turn begins."""
    turns = [f"{TURN_START}{role}\n{said}{TURN_END}\n" for role, said in chat_turns(messages)]
    return "".join(turns) + (f"{TURN_START}assistant\n" if reply else "")


def chat_ids(
    tokenizer: SmolLM2Tokenizer, messages: Sequence[ChatMessage], *, reply: bool = True
) -> list[int]:
    """Return the ids of that text.

    What somebody writes is only text: a message that spells out <|im_end|> does not end its turn.
    """
    start, end = (tokenizer.encode(name, (name,)) for name in (TURN_START, TURN_END))
    line_end = tokenizer.encode("\n")
    ids: list[int] = []
    for role, content in chat_turns(messages):
        ids += start + tokenizer.encode(f"{role}\n{content}") + end + line_end
    return ids + (start + tokenizer.encode("assistant\n") if reply else [])
