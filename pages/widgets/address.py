"""What travels in the page's address: short, and safe against nonsense.

Streamlit binds sliders and choices to the address itself (`bind="query-params"`). What it cannot
bind is kept here, texts above all: nothing stands in the address for the default one, a name for
an example, and a text of the learner's own as it is, or packed where that is shorter.
"""

import base64
import binascii
import zlib
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import streamlit as st

_PACKED = "~"  # begins a packed text
_EXAMPLE = "@"  # begins the name of an example
_OWN_TEXT = "_own_text"  # the last that the learner wrote, on any page


def asked_value(key: str) -> str | None:
    """Return what the address says under `key`, if this session has not written it there itself."""
    asked = st.query_params.get(key)
    return None if asked == st.session_state.get(_written(key)) else asked


def write_value(key: str, value: str) -> None:
    """Let the address say `value` under `key`; an empty one, the default, leaves it out."""
    st.session_state[_written(key)] = value
    if value:
        if st.query_params.get(key) != value:
            st.query_params[key] = value
    elif key in st.query_params:
        del st.query_params[key]


def linked_text(
    label: str, *, key: str, examples: Mapping[str, str], most: int, **area: Any
) -> str:
    """Ask for a text of at most `most` characters; it stands in the address under `key`.

    The first of `examples` is the default. A text that the learner wrote on one page is there on
    the next one too, which has a `key` of its own.
    """
    asked = asked_value(key)
    if asked is not None:
        st.session_state[key] = text_from_link(asked, examples, most)
    elif key not in st.session_state:
        own = st.session_state.get(_OWN_TEXT, "")[:most]
        st.session_state[key] = own or next(iter(examples.values()))
    text: str = st.text_area(label, key=key, max_chars=most, persist_state="session", **area)
    if text and text not in examples.values():
        st.session_state[_OWN_TEXT] = text
    write_value(key, link_for_text(text, examples))
    return text


def link_for_text(text: str, examples: Mapping[str, str]) -> str:
    """Return what stands for a text in an address: "" for the default, the first example."""
    names = [name for name, example in examples.items() if example == text]
    if names:
        return "" if names[0] == next(iter(examples)) else _EXAMPLE + names[0]
    packed = _PACKED + base64.urlsafe_b64encode(zlib.compress(text.encode(), 9)).decode().rstrip(
        "="
    )
    plain = text[:1] not in {_PACKED, _EXAMPLE, ""} and len(quote(text)) <= len(packed)
    return text if plain else packed


def text_from_link(link: str, examples: Mapping[str, str], most: int) -> str:
    """Return the text that a link stands for; the default where it makes no sense."""
    default = next(iter(examples.values()))
    if link.startswith(_EXAMPLE):
        return examples.get(link[1:], default)
    text: str | None = link
    if link.startswith(_PACKED):
        text = _unpacked(link[1:], most)
    return text if text is not None and link and len(text) <= most else default


def _unpacked(packed: str, most: int) -> str | None:
    """Unpack, but never more than `most` characters need: a link may be malicious."""
    try:
        content = base64.urlsafe_b64decode(packed + "=" * (-len(packed) % 4))
        unpacker = zlib.decompressobj()
        unpacked = unpacker.decompress(content, 4 * most + 1)
        return unpacked.decode() if unpacker.eof else None
    except (binascii.Error, zlib.error, UnicodeError, ValueError):
        return None


def _written(key: str) -> str:
    return f"_link_{key}"
