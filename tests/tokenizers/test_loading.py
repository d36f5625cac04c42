"""One format for all kinds of tokenizer."""

import pytest

from llm_core.tokenizers.bpe import BPETokenizer, train_bpe
from llm_core.tokenizers.character import CharacterTokenizer
from llm_core.tokenizers.loading import load_tokenizer
from llm_core.tokenizers.protocol import Tokenizer
from llm_core.tokenizers.word import WordTokenizer

TEXT = "The cat said: “naïve 🦊!”\nThe fox did not."


def build(kind) -> Tokenizer:
    if kind is BPETokenizer:
        return train_bpe(TEXT, 270, special_tokens=["<|end|>"])
    return kind.from_text(TEXT)


@pytest.mark.parametrize("kind", [CharacterTokenizer, WordTokenizer, BPETokenizer])
def test_each_kind_is_known_again(kind, tmp_path):
    path = tmp_path / "tokenizer.json"
    tokenizer = build(kind)
    tokenizer.save(path)
    loaded = load_tokenizer(path)
    assert type(loaded) is kind
    assert loaded.vocab_size == tokenizer.vocab_size
    assert loaded.encode(TEXT) == tokenizer.encode(TEXT) == loaded.encode_array(TEXT).tolist()
    assert loaded.decode(loaded.encode(TEXT)) == TEXT


@pytest.mark.parametrize("kind", [CharacterTokenizer, WordTokenizer, BPETokenizer])
@pytest.mark.parametrize("other", [CharacterTokenizer, WordTokenizer, BPETokenizer])
def test_a_kind_does_not_read_another(kind, other, tmp_path):
    path = tmp_path / "tokenizer.json"
    build(kind).save(path)
    if kind is other:
        assert other.load(path).vocab_size == build(kind).vocab_size
    else:
        with pytest.raises(ValueError, match="another kind"):
            other.load(path)


@pytest.mark.parametrize("kind", [CharacterTokenizer, WordTokenizer, BPETokenizer])
def test_a_file_cut_short_is_refused(kind, tmp_path):
    path = tmp_path / "tokenizer.json"
    build(kind).save(path)
    whole = path.read_bytes()
    for length in (0, 1, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:length])
        with pytest.raises(ValueError, match=r"tokenizer\.json is damaged"):
            load_tokenizer(path)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"\xff\xfe", "damaged"),
        (b"[]", "damaged"),
        (b"{}", "damaged"),
        (b'{"kind": 3}', "damaged"),
        (b"[" * 100_000, "damaged"),
        (b'{"kind": "subword"}', "unknown kind, 'subword'"),
    ],
)
def test_a_strange_file_is_refused(tmp_path, content, sentence):
    path = tmp_path / "tokenizer.json"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=sentence):
        load_tokenizer(path)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ValueError, match=r"tokenizer\.json cannot be read"):
        load_tokenizer(tmp_path / "tokenizer.json")
