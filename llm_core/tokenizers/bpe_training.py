"""Byte pair encoding, learned: merge the most frequent pair of neighbours, again and again.

Gage 1994, A New Algorithm for Data Compression; Sennrich et al. 2016, Neural Machine Translation
of Rare Words with Subword Units; on bytes, Radford et al. 2019. The merges are those of the
`tokenizers` library's BpeTrainer, ties included.
"""

import heapq
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from operator import add

from llm_core.tokenizers.patterns import GPT2_PATTERN, Splitter
from llm_core.tokenizers.symbols import BYTE_ORDER, symbols_of

TIE_RULE = (
    "Of equally frequent pairs, the one whose left token has the lower id is merged first; "
    "if they share that too, the one whose right token has the lower id."
)


@dataclass(frozen=True)
class PairCount:
    """Two neighbouring tokens, and how often they meet in the text (aaa holds a, a twice)."""

    pair: tuple[int, int]  # ids
    tokens: tuple[bytes, bytes]
    count: int


@dataclass(frozen=True)
class MergeStep:
    """One merge: the pair that was the most frequent, and the token that it became."""

    number: int  # 1 for the first merge
    pair: tuple[int, int]  # ids
    tokens: tuple[bytes, bytes]
    count: int
    new_id: int
    new_token: bytes
    text_tokens: int  # tokens that the whole text takes after this merge
    runners_up: tuple[PairCount, ...]  # the next most frequent pairs before it, in order

    @property
    def tied(self) -> bool:
        """Was another pair as frequent, so that TIE_RULE decided?"""
        return bool(self.runners_up) and self.runners_up[0].count == self.count


def iter_merges(
    text: str, vocab_size: int, *, pattern: str = GPT2_PATTERN, runners_up: int = 5
) -> Iterator[MergeStep]:
    """Yield the merges that grow the 256 bytes to `vocab_size` tokens, each as soon as it is found.

    Ends early when no two neighbours are left to merge. `runners_up` is how many of the pairs
    that were not chosen each step tells. Raises ValueError for an empty text, a vocabulary
    smaller than the bytes, a pattern that does not cover the text, or lone surrogates.
    """
    if vocab_size < len(BYTE_ORDER):
        raise ValueError(
            f"A byte-level vocabulary needs at least 256 tokens, one a byte: {vocab_size} is less."
        )
    if not text:
        raise ValueError("There is nothing to learn merges from: the text is empty.")
    table = PairTable(Splitter(pattern).count_words(text))
    return _steps(table, vocab_size, runners_up)


def learn_merges(words: Mapping[str, int], vocab_size: int) -> list[tuple[int, int]]:
    """Return the pairs of ids to merge, first merge first, from words and their counts."""
    table = PairTable(words)
    merges = []
    for new_id in range(len(BYTE_ORDER), vocab_size):
        if not (found := table.most_frequent(1)):
            break
        ((pair, _),) = found
        table.merge(pair, chr(new_id))
        merges.append((ord(pair[0]), ord(pair[1])))
    return merges


def _steps(table: "PairTable", vocab_size: int, runners_up: int) -> Iterator[MergeStep]:
    tokens = [bytes([byte]) for byte in BYTE_ORDER]

    def described(pair: str, count: int) -> PairCount:
        left, right = ord(pair[0]), ord(pair[1])
        return PairCount((left, right), (tokens[left], tokens[right]), count)

    for new_id in range(len(BYTE_ORDER), vocab_size):
        found = table.most_frequent(1 + runners_up)
        if not found:
            return
        best, *others = (described(pair, count) for pair, count in found)
        table.merge(found[0][0], chr(new_id))
        tokens.append(best.tokens[0] + best.tokens[1])
        yield MergeStep(
            number=new_id - len(BYTE_ORDER) + 1,
            pair=best.pair,
            tokens=best.tokens,
            count=best.count,
            new_id=new_id,
            new_token=tokens[new_id],
            text_tokens=table.text_tokens,
            runners_up=tuple(others),
        )


class PairTable:
    """The different words of a text, and the count of every pair of neighbours in them.

    A word is stored once, with its count, as a string of symbols. A merge looks only at the
    words that hold the pair, and changes the counts only of the pairs beside it: so thousands of
    merges take a second, where counting all pairs anew for each would take hours.
    """

    def __init__(self, words: Mapping[str, int]) -> None:
        """Count the pairs of all words, given with their counts."""
        self._words = [symbols_of(word.encode("utf-8")) for word in words]
        self._word_counts = list(words.values())
        self.text_tokens = sum(
            len(word) * count for word, count in zip(self._words, self._word_counts, strict=True)
        )
        self._counts: dict[str, int] = defaultdict(int)
        # Where a pair occurs, or once did: a place is not taken back when another merge there
        # has used up one of the two tokens. Looking there in vain is cheaper than searching.
        self._places: dict[str, list[int]] = defaultdict(list)
        for place, (word, count) in enumerate(zip(self._words, self._word_counts, strict=True)):
            for pair in map(add, word, word[1:]):
                self._counts[pair] += count
                _note(place, self._places[pair])
        # Every pair once, with a count that was right when it came in. Counts only ever fall, so
        # the first entry that is still right is the most frequent pair; tuples order the ties.
        self._queue = [(-count, pair) for pair, count in self._counts.items()]
        heapq.heapify(self._queue)

    def most_frequent(self, number: int) -> list[tuple[str, int]]:
        """Return up to `number` pairs with their counts, the most frequent first, by TIE_RULE."""
        found: list[tuple[int, str]] = []
        queue = self._queue
        while queue and len(found) < number:
            negative, pair = queue[0]
            count = self._counts.get(pair, 0)
            if count == -negative:
                found.append(heapq.heappop(queue))
            elif count > 0:
                heapq.heapreplace(queue, (-count, pair))
            else:
                heapq.heappop(queue)
        for entry in found:
            heapq.heappush(queue, entry)
        return [(pair, -negative) for negative, pair in found]

    def merge(self, pair: str, merged: str) -> None:
        """Replace `pair` by the new symbol `merged` in all words that hold it."""
        new_counts: dict[str, int] = defaultdict(int)
        new_places: dict[str, list[int]] = defaultdict(list)
        for place in self._places.pop(pair):
            parts = self._words[place].split(pair)
            if len(parts) == 1:  # another merge was here before
                continue
            self._words[place] = merged.join(parts)
            count = self._word_counts[place]
            self.text_tokens -= count * (len(parts) - 1)
            for new_pair in self._move_neighbours(parts, pair, merged, count):
                new_counts[new_pair] += count
                _note(place, new_places[new_pair])
        del self._counts[pair]
        self._counts.update(new_counts)
        self._places.update(new_places)
        for new_pair, count in new_counts.items():
            heapq.heappush(self._queue, (-count, new_pair))

    def _move_neighbours(self, parts: list[str], pair: str, merged: str, count: int) -> list[str]:
        """Uncount the pairs that reached into the merged places; return those that now do.

        `parts` is the word cut at each of these places.
        """
        left, right = pair[0], pair[1]
        counts = self._counts
        new = []
        if parts[0]:
            counts[parts[0][-1] + left] -= count
            new.append(parts[0][-1] + merged)
        for between in parts[1:-1]:
            if between:
                counts[right + between[0]] -= count
                counts[between[-1] + left] -= count
                new += (merged + between[0], between[-1] + merged)
            else:  # two places side by side
                counts[right + left] -= count
                new.append(merged + merged)
        if parts[-1]:
            counts[right + parts[-1][0]] -= count
            new.append(merged + parts[-1][0])
        return new


def _note(place: int, places: list[int]) -> None:
    """Add a place unless it was the last one: a word may hold the same pair many times."""
    if not places or places[-1] != place:
        places.append(place)
