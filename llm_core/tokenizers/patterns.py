"""Where a text is cut before any merging: no token of a BPE tokenizer reaches across these cuts."""

import unicodedata
from collections import Counter
from collections.abc import Collection, Iterator

import regex

# Both are written so that Python's regex package, tiktoken's engine and Hugging Face's read them
# alike. A possessive `++` matches what `+` does here, but never tries less: it is faster, and a
# megabyte of one letter needs no memory.
#
# As tiktoken has it for "gpt2" (Radford et al. 2019, Language Models are Unsupervised Multitask
# Learners): English endings, words, numbers and signs, each with a space before it, white space.
GPT2_PATTERN = r"'(?:[sdmt]|ll|ve|re)| ?\p{L}++| ?\p{N}++| ?[^\s\p{L}\p{N}]++|\s++$|\s+(?!\S)|\s"
# As for "cl100k_base" (GPT-4): upper-case endings too, at most three digits, line ends apart.
GPT4_PATTERN = (
    r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}"
    r"| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++$|\s*[\r\n]|\s+(?!\S)|\s"
)


class Splitter:
    """Cuts texts into words by a pattern, and finds the special tokens that stand between them."""

    def __init__(self, pattern: str) -> None:
        """Take the pattern; raise ValueError if it is none, or captures groups."""
        try:
            self._compiled = regex.compile(pattern)
        except (regex.error, TypeError) as error:
            raise ValueError(f"{pattern!r} is not a pattern to split by: {error}.") from error
        if self._compiled.groups:
            raise ValueError("A pattern to split by must not capture groups: write (?:…) for (…).")
        self.pattern = pattern

    def words(self, text: str) -> list[str]:
        """Return the words, which side by side are the text.

        Raises ValueError if the pattern leaves some of the text out, or if the text holds half a
        surrogate pair, which no encoding can write down.
        """
        refuse_lone_surrogates(text)
        words: list[str] = self._compiled.findall(text)
        self._refuse_gaps(sum(map(len, words)), text)
        return words

    def count_words(self, text: str) -> Counter[str]:
        """Count equal words, without ever holding all words of the text. Raises as `words` does."""
        refuse_lone_surrogates(text)
        counts = Counter(match.group() for match in self._compiled.finditer(text))
        self._refuse_gaps(sum(len(word) * count for word, count in counts.items()), text)
        return counts

    def _refuse_gaps(self, covered: int, text: str) -> None:
        if covered != len(text):
            raise ValueError(
                f"The pattern {self.pattern!r} leaves out some of the text: "
                "what it does not match would be lost."
            )


def split_at(text: str, special_tokens: Collection[str]) -> Iterator[str]:
    """Yield the text in parts, each of them either one special token or free of them."""
    if not special_tokens:
        yield text
        return
    # The longest first: one special token may begin with another.
    names = sorted(special_tokens, key=len, reverse=True)
    yield from regex.split("(" + "|".join(map(regex.escape, names)) + ")", text)


def splits_alike(pattern: str, text: str) -> bool:
    """Whether tiktoken's engine is sure to cut the text where Python's regex package does.

    Not with any pattern: `\\w` is not the same there. Not where Unicode's newest characters occur:
    one of the two may not know yet that they are letters. Nor in a million spaces in a row: the
    engine gives up on them.
    """
    if pattern not in (GPT2_PATTERN, GPT4_PATTERN):
        return False
    # Half of such a row is white space throughout, wherever the row begins.
    half = 500_000
    begins = range(0, len(text) - half + 1, half)
    if any(text[begin : begin + half].isspace() for begin in begins):
        return False
    return text.isascii() or all(unicodedata.category(each) != "Cn" for each in set(text))


def refuse_lone_surrogates(text: str) -> None:
    """Raise ValueError, naming the place, if a text cannot be written down as UTF-8."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise ValueError(
            f"Character {error.start + 1:,} of the text is half a surrogate pair "
            f"(U+{ord(text[error.start]):04X}): it is no character, and has no bytes."
        ) from error
