"""The tokenizer that the learner trains in the lesson: from what, how far, and as code."""

from dataclasses import dataclass

import streamlit as st

from llm_core.data.corpora import available_corpora, excerpt, find_corpus
from llm_core.tokenizers.bpe import (
    GPT2_PATTERN,
    GPT4_PATTERN,
    BPETokenizer,
    MergeStep,
    iter_merges,
)

PATTERNS = {"GPT-2": GPT2_PATTERN, "GPT-4": GPT4_PATTERN}
CORPUS_CHARACTERS = 100_000
_OWN = "own"


@dataclass(frozen=True)
class Training:
    """A text, the merges learnt from it, and the pattern that cut it first."""

    text: str
    corpus: str | None  # its name, if the text comes from one
    pattern_name: str
    steps: list[MergeStep]

    @property
    def pattern(self) -> str:
        """The regular expression."""
        return PATTERNS[self.pattern_name]

    def tokenizer(self, *special_tokens: str, merges: int | None = None) -> BPETokenizer:
        """The tokenizer after so many merges, all of them by default."""
        pairs = [step.pair for step in self.steps[:merges]]
        return BPETokenizer(pairs, pattern=self.pattern, special_tokens=special_tokens)

    @property
    def text_code(self) -> str:
        """The code that makes the text."""
        if self.corpus is None:
            return f"text = {self.text!r}"
        return (
            "from llm_core.data.corpora import excerpt, find_corpus\n\n"
            f"text = excerpt(find_corpus({self.corpus!r}), {CORPUS_CHARACTERS})"
        )

    @property
    def pattern_code(self) -> str:
        """The name of the pattern in llm_core."""
        return self.pattern_name.replace("-", "") + "_PATTERN"

    def tokenizer_code(self, special: str = "") -> str:
        """The code that trains the tokenizer."""
        size = 256 + len(self.steps) + bool(special)
        marks = f", special_tokens=[{special!r}]" if special else ""
        return (
            f"{self.text_code}\n"
            f"from llm_core.tokenizers.bpe import {self.pattern_code}, train_bpe\n\n"
            f"tokenizer = train_bpe(text, {size}, pattern={self.pattern_code}{marks})"
        )


def choose_training(passage: str) -> Training:
    """Ask what to learn from, and how far; raise ValueError if there is nothing to merge."""
    titles = {_OWN: "The text above"} | {each.name: each.title for each in available_corpora()}
    left, middle, right = st.columns([2, 1, 2], gap="medium", vertical_alignment="bottom")
    source = left.selectbox(
        "Learn from",
        list(titles),
        format_func=titles.__getitem__,
        key="source",
        bind="query-params",
        help=f"Of a corpus, the first {CORPUS_CHARACTERS:,} characters are read.",
    )
    pattern = middle.segmented_control(
        "First cut as",
        list(PATTERNS),
        default="GPT-2",
        required=True,
        key="pattern",
        bind="query-params",
        help="Merges never cross these cuts: before a word, between letters, digits and signs.",
    )
    merges = right.slider("Merges at most", 1, 500, 60, key="merges", bind="query-params")
    pattern, own = pattern or "GPT-2", source == _OWN
    text = passage if own else _beginning(source)
    steps = _learn(text, merges, PATTERNS[pattern])
    if not steps:
        raise ValueError(
            "In this text no two tokens stand side by side: there is nothing to merge."
        )
    return Training(text, None if own else source, pattern, steps)


@st.cache_data(max_entries=200, show_spinner=False)
def _learn(text: str, merges: int, pattern: str) -> list[MergeStep]:
    return list(iter_merges(text, 256 + merges, pattern=pattern))


@st.cache_data(max_entries=10, show_spinner="Opening the text …")
def _beginning(name: str) -> str:
    return excerpt(find_corpus(name), CORPUS_CHARACTERS)
