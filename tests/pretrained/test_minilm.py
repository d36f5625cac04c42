"""MiniLM and its tokenizer against transformers and tokenizers, on the same files."""

import unicodedata

import numpy as np
import pytest
import tokenizers
import torch
import transformers
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from llm_core.models.config import preset
from llm_core.pretrained.assets import fetch
from llm_core.pretrained.minilm import embed_texts, load_minilm, pad_texts
from llm_core.pretrained.wordpiece import WordPieceTokenizer

transformers.utils.logging.set_verbosity_error()
transformers.utils.logging.disable_progress_bar()

HAPPY = [
    "That is a happy person",
    "That is a happy dog",
    "That is a very happy person",
    "Today is a sunny day",
]


@pytest.fixture(scope="module")
def loaded():
    return load_minilm()


@pytest.fixture(scope="module")
def theirs():
    return transformers.BertModel.from_pretrained(fetch("minilm")).eval()


@pytest.fixture(scope="module")
def published():
    tokenizer = tokenizers.Tokenizer.from_file(str(fetch("minilm") / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return tokenizer


def test_its_shape_is_the_preset(loaded):
    assert loaded[0].config == preset("minilm", vocab_size=30522, dropout=0.1)
    assert not loaded[0].training


def test_sentence_vectors_equal_transformers(loaded, theirs, published):
    texts = [*HAPPY, "", "x", "A longer text, with 3.5 numbers & signs; ünïcödé. " * 12]
    rows = [published.encode(text).ids for text in texts]
    expected = []
    with torch.inference_mode():
        for row in rows:  # one by one: no padding that could hide a mistake
            mean = theirs(torch.tensor([row])).last_hidden_state[0].mean(dim=0)
            expected.append(mean / mean.norm())
    vectors = embed_texts(*loaded, texts, batch_size=3)
    torch.testing.assert_close(vectors, torch.stack(expected), rtol=0, atol=1e-5)


def test_like_sentences_are_near(loaded):
    vectors = embed_texts(*loaded, HAPPY)
    similarities = (vectors @ vectors[0]).tolist()
    assert similarities == pytest.approx([1, 0.695, 0.943, 0.257], abs=1e-3)


def test_long_texts_lose_their_ends(loaded):
    tokenizer = loaded[1]
    ids, real = pad_texts(tokenizer, ["word " * 500, "short"], most_tokens=20)
    assert ids.shape == real.shape == (2, 20)
    assert ids[0, -1] == ids[1, 2] == tokenizer.id_of("[SEP]")
    assert real.sum(dim=1).tolist() == [20, 3]
    assert (ids[1, 3:] == tokenizer.id_of("[PAD]")).all()
    assert embed_texts(*loaded, []).shape == (0, 384)


TEXTS = [
    *HAPPY,
    "Héllo WORLD, it's 3.14€ 中文 naïve — ok? antidisestablishmentarianism 🙂",
    "ΣΊΣΥΦΟΣ İstanbul Straße ﬁn",
    "tab\tline\nbreak\x0bgone\x00nul\u200bzero\u00a0hard\ufffd",
    "a" * 100 + " " + "a" * 101,
    "[half a bracket",
]


@pytest.mark.parametrize("text", TEXTS)
def test_ids_equal_the_published_tokenizers(loaded, published, text):
    tokenizer, expected = loaded[1], published.encode(text)
    assert tokenizer.encode_text(text) == expected.ids
    assert tokenizer.encode(text) == tokenizer.encode_array(text).tolist() == expected.ids[1:-1]


@settings(max_examples=300, deadline=None)
@given(
    text=st.text(
        st.characters(max_codepoint=0x24F, exclude_categories=("Cs",))
        | st.sampled_from("世Σи🙂－"),
        max_size=30,
    )
)
def test_any_text_gets_the_published_ids(loaded, published, text):
    assume("[" not in text)  # special tokens are another matter, see below
    assert loaded[1].encode_text(text) == published.encode(text).ids


def test_every_character_counts_as_in_the_published_tokenizer(loaded, published):
    """Those that Unicode has had since version 3.2, and has not changed: tables differ in age."""
    old = unicodedata.ucd_3_2_0
    characters = [
        character
        for character in map(chr, (*range(0xD800), *range(0xE000, 0x30000)))
        if old.category(character) not in ("Cn", "Co")
        and old.category(character) == unicodedata.category(character)
    ]
    assert len(characters) > 90_000
    texts = [f"a{character}b" for character in characters]
    expected = [encoding.ids for encoding in published.encode_batch(texts)]
    ours = map(loaded[1].encode_text, texts)
    wrong = [c for c, a, b in zip(characters, ours, expected, strict=True) if a != b]
    assert wrong == []


def test_nobody_can_spell_out_a_special_token(loaded, published):
    """There it would be one: here, what somebody writes is only text."""
    assert published.encode("[SEP]").ids == [101, 102, 102]
    assert 102 not in loaded[1].encode("[SEP]")


def test_pieces_join_to_words(loaded):
    tokenizer = loaded[1]
    ids = tokenizer.encode("Tokenizers, unbelievably")
    assert len(ids) > len(tokenizer.words("Tokenizers, unbelievably"))
    assert tokenizer.decode(ids) == "tokenizers , unbelievably"
    assert tokenizer.decode(np.array([101])) == "[CLS]"
    with pytest.raises(ValueError, match="outside 0 to 30521"):
        tokenizer.decode([30522])
    with pytest.raises(ValueError, match="no token"):
        tokenizer.id_of("[NOTHING]")


def test_the_tokenizer_can_be_saved(loaded, tmp_path):
    path = tmp_path / "tokenizer.json"
    loaded[1].save(path)
    assert WordPieceTokenizer.load(path).tokens == loaded[1].tokens
    path.write_text('{"kind": "wordpiece"}')
    with pytest.raises(ValueError, match="damaged"):
        WordPieceTokenizer.load(path)
    with pytest.raises(ValueError, match=r"needs the token \[CLS\]"):
        WordPieceTokenizer(["a"])
