"""Cut a short text of the learner's into tokens, with a tokenizer that they choose."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import streamlit as st

from llm_core.tokenizers.character import CharacterTokenizer
from pages.widgets.graphemes import visible_text

TOKENIZERS = ("Characters", "Words", "GPT-2")


@dataclass(frozen=True)
class TokenizedText:
    """A text, its token ids, what each of them stands for, and the code that makes the ids."""

    text: str
    tokenizer: str
    ids: tuple[int, ...]
    pieces: tuple[bytes | str, ...]  # bytes where a token need not be whole characters
    vocab_size: int
    code: str

    @property
    def joined(self) -> bool:
        """Are the pieces, side by side, the text? Words leave out the usual spaces."""
        return self.tokenizer != "Words"

    def label(self, place: int) -> str:
        """The token at a place as text, white space and loose bytes visible."""
        return visible_text(self.pieces[place])


def choose_tokenizer() -> str:
    """Ask for the tokenizer; return its name, one of TOKENIZERS."""
    name = st.segmented_control(
        "Cut it into",
        TOKENIZERS,
        default="Words",
        required=True,
        key="tokenizer",
        bind="query-params",
    )
    return name or "Words"


@st.cache_data(max_entries=500, show_spinner="Cutting the text …")
def tokenize(name: str, text: str) -> TokenizedText:
    """Cut the text; raise ValueError if there is none, or if the vocabulary is out of reach."""
    if not text.strip():
        raise ValueError("Write a few words first: an empty text has no tokens.")
    if name == "GPT-2":
        return _gpt2(text)
    return _words(text) if name == "Words" else _characters(text)


def tokenizer_source(name: str) -> tuple[Callable[..., Any], ...]:
    """The functions that make a tokenizer and cut with it, for those who want to read them."""
    if name == "GPT-2":
        from llm_core.tokenizers.vocabularies import load_vocabulary

        return (load_vocabulary,)
    if name == "Words":
        from llm_core.tokenizers.word import WordTokenizer

        return (WordTokenizer.from_text, WordTokenizer.encode)
    return (CharacterTokenizer.from_text, CharacterTokenizer.encode)


def _characters(text: str) -> TokenizedText:
    tokenizer = CharacterTokenizer.from_text(text)
    code = _code("character", "CharacterTokenizer", text, ".from_text(text).encode(text)")
    ids = tuple(tokenizer.encode(text))
    return TokenizedText(text, "Characters", ids, tuple(text), tokenizer.vocab_size, code)


def _words(text: str) -> TokenizedText:
    from llm_core.tokenizers.word import WordTokenizer

    tokenizer = WordTokenizer.from_text(text)
    ids = tuple(tokenizer.encode(text))
    pieces = tuple(tokenizer.decode([index]) for index in ids)
    code = _code("word", "WordTokenizer", text, ".from_text(text).encode(text)")
    return TokenizedText(text, "Words", ids, pieces, tokenizer.vocab_size, code)


def _gpt2(text: str) -> TokenizedText:
    from llm_core.tokenizers.vocabularies import load_vocabulary

    vocabulary = load_vocabulary("gpt2")
    ids = tuple(vocabulary.encode_ordinary(text))
    pieces = tuple(vocabulary.decode_single_token_bytes(index) for index in ids)
    code = _code("vocabularies", "load_vocabulary", text, '("gpt2").encode_ordinary(text)')
    return TokenizedText(text, "GPT-2", ids, pieces, vocabulary.n_vocab, code)


def _code(module: str, name: str, text: str, use: str) -> str:
    return f"from llm_core.tokenizers.{module} import {name}\n\ntext = {text!r}\nids = {name}{use}"
