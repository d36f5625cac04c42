"""Apply learned merges to a word: the one learned first comes first, wherever it fits."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import add

from llm_core.tokenizers.symbols import BYTE_ORDER

_NEVER = chr(0x10FFFF)  # sorts after every token


@dataclass(frozen=True)
class EncodingStep:
    """A text on its way from bytes to tokens."""

    ids: tuple[int, ...]
    tokens: tuple[bytes, ...]
    merge: int | None  # number of the merge that led here, as in MergeStep; None at the start
    new_id: int | None
    places: tuple[int, ...]  # where in `ids` the new token stands


def apply_merges(symbols: str, merged: Mapping[str, str]) -> str:
    """Return a word's symbols after all merges that fit, in the order in which they were learned.

    `merged` maps each pair of symbols to the symbol that it becomes.
    """
    while pair := _first_merge(symbols, merged):
        symbols = symbols.replace(pair, merged[pair])
    return symbols


def explain_merges(
    words: Sequence[str], merged: Mapping[str, str], tokens: Sequence[bytes]
) -> Iterator[EncodingStep]:
    """Yield the words, given as symbols, as they are at first and after every merge."""
    yield _step("".join(words), None, tokens)
    while pairs := [pair for word in words if (pair := _first_merge(word, merged))]:
        pair = min(pairs, key=lambda each: merged[each])
        words = [word.replace(pair, merged[pair]) for word in words]
        yield _step("".join(words), merged[pair], tokens)


def _first_merge(symbols: str, merged: Mapping[str, str]) -> str:
    """The pair in a word that was learned first; "" if none of its pairs was learned."""
    pairs = map(add, symbols, symbols[1:])
    pair = min(pairs, key=lambda each: merged.get(each, _NEVER), default="")
    return pair if pair in merged else ""


def _step(symbols: str, new: str | None, tokens: Sequence[bytes]) -> EncodingStep:
    ids = tuple(map(ord, symbols))
    new_id = None if new is None else ord(new)
    return EncodingStep(
        ids=ids,
        tokens=tuple(tokens[index] for index in ids),
        merge=None if new_id is None else new_id - len(BYTE_ORDER) + 1,
        new_id=new_id,
        places=tuple(place for place, index in enumerate(ids) if index == new_id),
    )
