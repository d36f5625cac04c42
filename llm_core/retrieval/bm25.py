"""BM25: find passages by the words of a question, the rarer the better.

Robertson and Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond" (2009), with the
idf of Lucene, which is never negative. All that does not depend on the question is computed once,
so that a question only adds up the rows of its own words. Imports no torch.
"""

import math
import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

K1, B = 1.2, 0.75  # Lucene's, and those of most search engines
_WORD = re.compile(r"\w+(?:['’]\w+)*")


def find_words(text: str) -> list[str]:
    """Return the words of a text in small letters: letters, digits, underscores."""
    return _WORD.findall(text.lower())


def word_places(text: str) -> list[tuple[int, int, str]]:
    """Return start, end and word in small letters, for marking words in a text."""
    # Some letters change their number when made small, so the text is searched as it is.
    return [(m.start(), m.end(), m[0].lower()) for m in _WORD.finditer(text)]


@dataclass(frozen=True)
class WordShare:
    """What one word of a question brings a passage.

    passages: in how many it stands. count: how often in this one. idf: what it is worth for being
    rare. saturation: from 0 to 1, how much of that its count earns here. share: their product.
    """

    word: str
    passages: int
    count: int
    idf: float
    saturation: float

    @property
    def share(self) -> float:
        """Its part of the passage's score."""
        return self.idf * self.saturation


class BM25Index:
    """The words of N passages, and which passages hold them."""

    def __init__(self, texts: Sequence[str], *, k1: float = K1, b: float = B) -> None:
        """Index texts. k1: how soon more of the same word counts no more; b: how much length does.

        Raises ValueError without a text, and for a k1 or b out of range.
        """
        if not texts:
            raise ValueError("There is no passage to search: choose a text first.")
        if not k1 >= 0 or not 0 <= b <= 1 or math.isinf(k1):
            raise ValueError("k1 must be 0 or more, and b between 0 and 1.")
        self.k1, self.b = k1, b
        self._index(texts)

    def __len__(self) -> int:
        """Number of passages."""
        return len(self.lengths)

    @property
    def vocabulary(self) -> tuple[str, ...]:
        """All different words, in the order in which they were met."""
        return tuple(self._number)

    def scores(self, question: str) -> NDArray[np.float32]:
        """Return a score for each passage, (N,): 0 where it holds none of the question's words.

        A word that the question repeats counts once for each time.
        """
        scores = np.zeros(len(self), dtype=np.float32)
        for word, times in Counter(find_words(question)).items():
            number = self._number.get(word)
            if number is not None:
                held = slice(self._first[number], self._first[number + 1])
                scores[self._passage[held]] += times * self._share[held]
        return scores

    def explain(self, question: str, passage: int) -> list[WordShare]:
        """Return what each different word of the question brings a passage, in their order."""
        found = []
        for word in dict.fromkeys(find_words(question)):
            number = self._number.get(word)
            passages = count = 0
            if number is not None:
                held = slice(self._first[number], self._first[number + 1])
                passages = held.stop - held.start
                place = int(np.searchsorted(self._passage[held], passage))
                if place < passages and self._passage[held][place] == passage:
                    count = int(self._count[held][place])
            saturation = count / (count + self._damping(passage)) if count else 0.0
            found.append(WordShare(word, passages, count, self.idf(passages), float(saturation)))
        return found

    def idf(self, passages: int) -> float:
        """Return what a word is worth that stands in so many of the passages."""
        return math.log1p((len(self) - passages + 0.5) / (passages + 0.5))

    def rarity(self, word: str) -> float:
        """Return the idf of a word in small letters; one that no passage holds is the rarest."""
        number = self._number.get(word)
        held = 0 if number is None else int(self._first[number + 1] - self._first[number])
        return self.idf(held)

    def _damping(self, passage: int) -> float:
        """The count at which a word earns half of its idf; more in a long passage."""
        relative = float(self.lengths[passage]) / self.mean_length
        return self.k1 * (1 - self.b + self.b * relative)

    def _index(self, texts: Sequence[str]) -> None:
        """Count words, sort the counts by word, and compute each one's share of a score."""
        number: defaultdict[str, int] = defaultdict()
        number.default_factory = number.__len__  # a new word gets the next number
        numbers: list[int] = []
        lengths = []
        for text in texts:
            words = find_words(text)
            lengths.append(len(words))
            numbers += map(number.__getitem__, words)
        self._number = dict(number)
        self.lengths = np.array(lengths, dtype=np.int32)
        self.mean_length = max(float(self.lengths.mean()), 1e-9)
        passage = np.repeat(np.arange(len(texts), dtype=np.int64), self.lengths)
        pair = np.array(numbers, dtype=np.int64) * len(texts) + passage
        pairs, counts = np.unique(pair, return_counts=True)
        word, self._passage = pairs // len(texts), (pairs % len(texts)).astype(np.int32)
        self._count = counts.astype(np.int32)
        per_word = np.bincount(word, minlength=len(number))
        self._first = np.concatenate([[0], np.cumsum(per_word)]).astype(np.int64)
        idf = np.log1p((len(texts) - per_word + 0.5) / (per_word + 0.5))
        relative = self.lengths[self._passage] / self.mean_length
        damping = self.k1 * (1 - self.b + self.b * relative)
        self._share = (idf[word] * counts / (counts + damping)).astype(np.float32)
