"""Characters as readers see them: kept whole over tokens, and white space made visible.

A character to the eye is a grapheme cluster (Unicode Standard Annex 29): a letter with its accent,
an emoji of several code points. No Streamlit.
"""

import unicodedata
from collections.abc import Sequence

import regex

_SYMBOLS = {" ": "·", "\n": "↵", "\t": "→", "\r": "\\r", "\r\n": "\\r↵"}
_VARIATIONS = set(map(chr, range(0xFE00, 0xFE10)))  # alone they choose between no shapes
_UNSEEN = {"Cc", "Cf", "Cs", "Co", "Zs", "Zl", "Zp"}  # Unicode categories without a shape


def group_tokens(pieces: Sequence[bytes | str]) -> list[tuple[str, int]]:
    """Join tokens that share a character as readers see it (a grapheme cluster, Unicode's UAX 29).

    Returns (text, number of tokens) for each group, in order; white space in the text is visible,
    and bytes that are no UTF-8 are written as \\xF0.
    """
    coded = [p if isinstance(p, bytes) else p.encode("utf-8", "surrogatepass") for p in pieces]
    text = b"".join(coded).decode("utf-8", "surrogateescape")
    ends, end = {0}, 0
    for grapheme in regex.findall(r"\X", text):
        end += len(grapheme.encode("utf-8", "surrogateescape"))
        ends.add(end)
    groups: list[tuple[str, int]] = []
    end, joined = 0, list[bytes]()
    for piece in coded:
        joined.append(piece)
        end += len(piece)
        if end in ends:
            groups.append((visible_text(b"".join(joined)), len(joined)))
            joined = []
    return groups


def visible_text(piece: bytes | str) -> str:
    """The piece with white space and other unseen characters as signs, such as · for a space."""
    if isinstance(piece, bytes):
        piece = piece.decode("utf-8", "surrogateescape")
    return "".join(map(_visible, regex.findall(r"\X", piece)))


def _visible(grapheme: str) -> str:
    if grapheme in _SYMBOLS:
        return _SYMBOLS[grapheme]
    first, rest = grapheme[0], grapheme[1:]  # what joins on, such as an accent, is seen with it
    code, category = ord(first), unicodedata.category(first)
    if first in _SYMBOLS:
        return _SYMBOLS[first] + rest
    if 0xDC80 <= code <= 0xDCFF:  # how "surrogateescape" carries a byte
        code -= 0xDC00
    if category in {"Cc", "Cs"} and code < 256:  # few fonts have the control pictures of Unicode
        return f"\\x{code:02X}{rest}"
    if category in _UNSEEN or first in _VARIATIONS:
        return f"⟨U+{code:04X}⟩{rest}"
    return f"◌{grapheme}" if category.startswith("M") else grapheme
