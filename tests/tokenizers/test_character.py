import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_core.tokenizers.character import CharacterTokenizer

TEXT = "Once upon a time, a fox asked: “Why?” 🦊 naïve\n"


@given(st.text(min_size=1))
def test_any_text_survives_a_round_trip(text):
    tokenizer = CharacterTokenizer.from_text(text)
    assert tokenizer.decode(tokenizer.encode(text)) == text
    assert tokenizer.encode_array(text).tolist() == tokenizer.encode(text)


def test_ids_are_places_in_the_sorted_characters():
    tokenizer = CharacterTokenizer.from_text("banana")
    assert tokenizer.vocab_size == 3
    assert tokenizer.encode("nab") == ["abn".index(character) for character in "nab"]


def test_ids_follow_the_vocabulary_even_if_it_is_not_sorted():
    tokenizer = CharacterTokenizer("zxay")
    assert tokenizer.encode_array("yazx").tolist() == [3, 2, 0, 1]
    assert tokenizer.encode_array("yazx").dtype == np.int64


@pytest.mark.parametrize("encode", ["encode", "encode_array"])
def test_unknown_characters_are_named(encode):
    tokenizer = CharacterTokenizer.from_text("abc")
    with pytest.raises(ValueError, match="never seen '!', 'é'"):
        getattr(tokenizer, encode)("aé!")


def test_ids_outside_the_vocabulary_are_refused():
    tokenizer = CharacterTokenizer.from_text("abc")
    for outside in (-1, 3):
        with pytest.raises(ValueError, match="outside 0 to 2"):
            tokenizer.decode([outside])


def test_a_saved_tokenizer_comes_back(tmp_path):
    path = tmp_path / "tokenizer.json"
    CharacterTokenizer.from_text(TEXT).save(path)
    loaded = CharacterTokenizer.load(path)
    assert loaded.encode(TEXT) == CharacterTokenizer.from_text(TEXT).encode(TEXT)


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[]",
        "{}",
        '{"kind": "bpe", "characters": ["a"]}',
        '{"kind": "character"}',
        '{"kind": "character", "characters": []}',
        '{"kind": "character", "characters": ["ab"]}',
        '{"kind": "character", "characters": ["a", "a"]}',
        '{"kind": "character", "characters": 3}',
    ],
)
def test_a_damaged_file_is_refused(tmp_path, content):
    path = tmp_path / "tokenizer.json"
    path.write_text(content)
    with pytest.raises(ValueError):  # noqa: PT011 - every sentence is its own
        CharacterTokenizer.load(path)


def test_the_file_is_plain_json(tmp_path):
    path = tmp_path / "tokenizer.json"
    CharacterTokenizer.from_text("ba").save(path)
    assert json.loads(path.read_text()) == {"kind": "character", "characters": ["a", "b"]}
