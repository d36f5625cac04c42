"""Bytes as the first 256 tokens, and token ids as characters.

BPE is a play with sequences of numbers, and Python's strings are its fastest sequences of small
numbers: so a row of token ids is kept as a string in which the character `chr(i)` stands for
token i. Then "merge all pairs (5, 9) into 300" is `row.replace(chr(5) + chr(9), chr(300))`, and
comparing two pairs compares their ids, left one first.
"""


def _byte_order() -> bytes:
    """All bytes in the order of GPT-2's ids: those that Latin-1 shows as a sign, then the rest."""
    visible = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    return bytes(visible + [byte for byte in range(256) if byte not in visible])


BYTE_ORDER = _byte_order()  # BYTE_ORDER[i] is the byte of token i
_ID_OF_BYTE = bytes(BYTE_ORDER.index(byte) for byte in range(256))

# GPT-2's files write each byte as a visible character: itself, or one from U+0100 on.
_SIGNS = {
    byte: chr(byte) if place < 188 else chr(0x100 + place - 188)
    for place, byte in enumerate(BYTE_ORDER)
}


def symbols_of(content: bytes) -> str:
    """The row of symbols of some bytes, one a byte."""
    return content.translate(_ID_OF_BYTE).decode("latin-1")


def visible(token: bytes) -> str:
    """Write bytes as GPT-2's and Hugging Face's files do: a space as Ġ, a line end as Ċ."""
    return "".join(_SIGNS[byte] for byte in token)
