"""Read a text that a learner brings along, or say in one sentence why it will not do."""

import codecs
import re

OWN_TEXT_LIMIT = 5_000_000
VALIDATION_MINIMUM = 2  # one character to read, and the next one to predict

# First bytes of files that people upload by mistake, and what to call such a file.
SIGNATURES = (
    (b"PK\x03\x04", "a zip archive (Word, Excel and EPUB files are zip archives inside)"),
    (b"%PDF", "a PDF document"),
    (b"\x89PNG", "a PNG image"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"GIF8", "a GIF image"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"\xd0\xcf\x11\xe0", "an old Word or Excel document"),
    (b"{\\rtf", "a rich text (RTF) document"),
)


def read_own_text(data: bytes | str, *, context_length: int, limit: int = OWN_TEXT_LIMIT) -> str:
    """Return the text of an upload or a text box, ready to be cut into windows.

    A byte order mark at the start is dropped and every line end becomes one newline; nothing else
    is changed (no Unicode normalisation), so that what is trained on is what was given.
    `context_length` and `limit` count characters: with a character tokenizer these are tokens.

    Raises ValueError, with one sentence for the learner, if the data is binary, not UTF-8, empty,
    above `limit`, the same character throughout, or shorter than `characters_needed`.
    """
    text = data if isinstance(data, str) else _decode(data, limit)
    _refuse_odd_characters(text)
    text = re.sub("\r\n?", "\n", text.removeprefix("\ufeff"))
    if not text.strip():
        raise ValueError("The text is empty or only white space: there is nothing to learn from.")
    if len(text) > limit:
        raise ValueError(
            f"The text has {len(text):,} characters, and the limit here is {limit:,}: "
            "please cut it down."
        )
    if len(set(text)) == 1:
        raise ValueError(
            f"The text is the same character, {text[0]!r}, again and again: "
            "there is nothing to learn from it."
        )
    needed = characters_needed(context_length)
    if len(text) < needed:
        raise ValueError(
            f"The text has {len(text):,} characters, and a context of {context_length} needs "
            f"{needed:,} at least: take a longer text or a shorter context."
        )
    return text


def characters_needed(context_length: int) -> int:
    """Return the least number of characters that a text must have for this context.

    The training split, the first int(0.9 N) characters, must hold one window and the character
    after it; the validation split, the rest, must hold two.
    """
    count = context_length + 1 + VALIDATION_MINIMUM
    while int(count * 0.9) < context_length + 1 or count - int(count * 0.9) < VALIDATION_MINIMUM:
        count += 1
    return count


def _decode(data: bytes, limit: int) -> str:
    """Decode UTF-8; raise ValueError if the bytes are something else."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise ValueError(
            "The file is saved as UTF-16: please open it in an editor and save it as UTF-8."
        )
    for signature, kind in SIGNATURES:
        if data.startswith(signature):
            raise ValueError(f"The file is {kind}, not plain text: please save it as UTF-8 text.")
    if b"\0" in data:
        raise ValueError("The file looks like a binary file, not text: please take a UTF-8 text.")
    # A character is four bytes at most. A huge file is refused before memory is spent on it.
    if len(data) > 4 * limit + len(codecs.BOM_UTF8):
        raise ValueError(
            f"The text has {-(-len(data) // 4):,} characters or more, and the limit here is "
            f"{limit:,}: please cut it down."
        )
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ValueError(
            f"The file is not UTF-8: byte {error.start + 1:,} (0x{data[error.start]:02x}, in line "
            f"{line:,}) does not fit; please save it as UTF-8 in your editor."
        ) from error


def _refuse_odd_characters(text: str) -> None:
    """Raise ValueError for characters that no text file holds, so that every text can be saved."""
    if "\0" in text:
        raise ValueError("The text holds NUL characters, as binary files do: please take a text.")
    surrogate = re.search("[\ud800-\udfff]", text)
    if surrogate:
        raise ValueError(
            f"The text holds half of a character (a lone surrogate, U+{ord(surrogate[0]):04X}) at "
            f"position {surrogate.start() + 1:,}: please copy that place again or delete it."
        )
