"""Token ids as text that may be shown: whole characters only, and nothing after a stop string.

A token may end in the middle of a character, as readers see it (a grapheme cluster, Unicode's UAX
29): an accent or the other half of a flag may still come. So the last character waits for the next
token, or for the end.
"""

from collections.abc import Sequence
from typing import Protocol

import regex

_GAP = "\N{REPLACEMENT CHARACTER}"  # what decoders put for bytes that are no character yet
_KNOWN = 8  # tokens before, which tell a word tokenizer whether a space belongs in between


class Decoder(Protocol):
    """The half of a tokenizer that writes."""

    def decode(self, ids: list[int]) -> str:
        """Text of `ids`."""


class TextStream:
    """The text that follows a prompt, in pieces that never split a character."""

    def __init__(
        self, tokenizer: Decoder, prompt: Sequence[int], stop_strings: Sequence[str] = ()
    ) -> None:
        self.stopped = False  # has a stop string come?
        self._tokenizer, self._stop_strings = tokenizer, stop_strings
        self._known = list(prompt[-_KNOWN:])
        self._undecoded: list[int] = []
        self._waiting = ""  # decoded, and not shown yet

    def push(self, index: int) -> str:
        """Take one more token; return what may be shown now, which may be nothing."""
        self._undecoded.append(index)
        self._decode()
        self._look_for_stop()
        if self.stopped:
            return self._release(len(self._waiting))
        return self._release(min(self._last_character(), self._possible_stop()))

    def finish(self) -> str:
        """No token will follow: return what still waits."""
        self._decode(last=True)
        self._look_for_stop()
        return self._release(len(self._waiting))

    def _decode(self, *, last: bool = False) -> None:
        """Turn ids into text, unless they end within a character."""
        before = self._tokenizer.decode(self._known)
        after = self._tokenizer.decode(self._known + self._undecoded)
        if self.stopped or (after.endswith(_GAP) and not last):
            return
        self._waiting += after[len(before) :]
        self._known = (self._known + self._undecoded)[-_KNOWN:]
        self._undecoded = []

    def _look_for_stop(self) -> None:
        """Cut the text where the first stop string begins."""
        found = [self._waiting.find(stop) for stop in self._stop_strings]
        if places := [place for place in found if place >= 0]:
            self.stopped = True
            self._waiting = self._waiting[: min(places)]

    def _last_character(self) -> int:
        """Where the last character begins, which the next token may change."""
        starts = [found.start() for found in regex.finditer(r"\X", self._waiting)]
        return starts[-1] if starts else 0

    def _possible_stop(self) -> int:
        """Where a stop string may have begun that is not complete."""
        for start in range(len(self._waiting)):
            if any(stop.startswith(self._waiting[start:]) for stop in self._stop_strings):
                return start
        return len(self._waiting)

    def _release(self, count: int) -> str:
        released, self._waiting = self._waiting[:count], self._waiting[count:]
        return released
