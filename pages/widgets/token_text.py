"""What a token of any tokenizer stands for, and what it adds to a text. No Streamlit."""

import codecs
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from pages.widgets.graphemes import visible_text


def token_piece(tokenizer: Any, index: int) -> bytes | str:
    """What a token stands for: bytes where it need not be whole characters."""
    if hasattr(tokenizer, "token_bytes"):
        found: bytes = tokenizer.token_bytes(index)
        return found
    return str(tokenizer.decode([index]))


def token_label(tokenizer: Any, index: int) -> str:
    """The token as text, with white space visible."""
    return visible_text(token_piece(tokenizer, index))


def token_texts(tokenizer: Any, ids: Sequence[int]) -> list[str]:
    """What each token adds to the text; a character of several tokens comes with its last."""
    if hasattr(tokenizer, "token_bytes"):
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        return [decoder.decode(tokenizer.token_bytes(index)) for index in ids]
    wholes = [tokenizer.decode(list(ids[:end])) for end in range(len(ids) + 1)]
    return [after[len(before) :] for before, after in pairwise(wholes)]


def token_spelling(tokenizer: Any, ids: Sequence[int]) -> list[bytes]:
    """The bytes that each token adds to the text: together, they spell it."""
    if hasattr(tokenizer, "token_bytes"):
        return [tokenizer.token_bytes(index) for index in ids]
    return [text.encode("utf-8", "surrogatepass") for text in token_texts(tokenizer, ids)]
