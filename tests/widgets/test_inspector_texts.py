"""The texts that a model is looked at with."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_core.pretrained.registry import load
from llm_core.tokenizers.character import CharacterTokenizer
from pages.widgets.inspector_texts import (
    HELD_OUT,
    READ,
    one_word_changed,
    passage,
    shuffled,
    texts_of,
)

PARAGRAPH = "The owl went out, and the owl came back to its old tree in the morning. "


@given(fraction=st.floats(0.1, 0.5), most=st.integers(20, 100), paragraphs=st.integers(12, 30))
def test_passages_come_from_either_side_of_the_split_and_fit(fraction, most, paragraphs):
    whole = "\n\n".join(f"{n} {PARAGRAPH * 3}" for n in range(paragraphs))
    tokenizer = CharacterTokenizer.from_text(whole)
    texts = texts_of(whole, tokenizer, most, validation_fraction=fraction)
    assert all(len(tokenizer.encode(text)) >= 1 for text in texts.values())
    assert all(len(texts[name]) <= most for name in (HELD_OUT, READ))
    cut = int(len(whole) * (1 - fraction))
    assert texts[HELD_OUT].strip() in whole[cut:]
    assert texts[READ] in whole[: max(cut, 1)]


def test_no_passage_ends_within_a_character():
    _, tokenizer = load("tiny")
    whole = "🦉" * 400  # each of several tokens
    texts = texts_of(whole, tokenizer, 10, validation_fraction=0.1)
    assert set(texts[READ]) == {"🦉"}


def test_an_empty_text_is_refused():
    with pytest.raises(ValueError, match="empty"):
        texts_of(" \n", CharacterTokenizer.from_text("a"), 10, validation_fraction=0.1)


def test_a_passage_is_a_paragraph_that_is_worth_it():
    whole = f"Title\n\n{PARAGRAPH}\n\nOther {PARAGRAPH}\n\nEnd"
    assert passage(whole, last=False) == PARAGRAPH.strip()
    assert passage(whole, last=True) == f"Other {PARAGRAPH}".strip()
    assert passage("short", last=True) == "short"


def test_one_word_is_changed_for_another_of_the_text():
    before, after = PARAGRAPH.split(), one_word_changed(PARAGRAPH).split()
    changed = [
        place for place, pair in enumerate(zip(before, after, strict=True)) if len(set(pair)) > 1
    ]
    assert len(changed) == 1
    assert after[changed[0]].strip(".,") in PARAGRAPH
    for text in ("", "owl", "owl owl", "owl owl owl"):
        assert one_word_changed(text) == text


@given(st.text(max_size=80))
def test_shuffling_keeps_all_words(text):
    assert sorted(shuffled(text).split()) == sorted(text.split())
    assert shuffled(text) == shuffled(text)
