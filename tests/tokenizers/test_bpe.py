"""Encoding and decoding: against tiktoken, and against Hugging Face's engine."""

import json
import pickle
from itertools import pairwise

import numpy as np
import pytest
import tiktoken
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer

from llm_core.data.corpora import find_corpus
from llm_core.pretrained.assets import fetch
from llm_core.tokenizers.bpe import GPT2_PATTERN, GPT4_PATTERN, BPETokenizer, train_bpe
from llm_core.tokenizers.files import write_tokenizer_file
from llm_core.tokenizers.loading import load_tokenizer
from llm_core.tokenizers.symbols import BYTE_ORDER, visible
from llm_core.tokenizers.vocabularies import load_vocabulary

END = "<|endoftext|>"
MIXED = (
    "It's what they'll say: naïve café, 東京タワー, привет мир, שלום עולם, नमस्ते दुनिया. "
    "👩‍👩‍👧 🦊🦊  3.14159 and 1,000,000!\r\n\n\tdef area(width, height):\n"
    "    return width * height\n"
)
# Without code points that one of the engines' Unicode tables may not hold yet.
KNOWN = st.text(st.characters(exclude_categories=("Cs", "Cn")))
LIKE_MIXED = st.lists(st.sampled_from([*MIXED.split(), " ", "\n", "  ", "\0"])).map("".join)
TEXTS = KNOWN | LIKE_MIXED


@pytest.fixture(scope="module", params=[GPT2_PATTERN, GPT4_PATTERN], ids=["GPT-2", "GPT-4"])
def tokenizer(request):
    text = find_corpus("tiny_tales").load()[:50_000] + MIXED * 5
    return train_bpe(text, 800, pattern=request.param, special_tokens=[END, "<|end|>"])


@pytest.fixture(scope="module")
def huggingface(tokenizer):
    return Tokenizer.from_str(tokenizer.to_huggingface())


@settings(deadline=None)
@given(text=st.text() | LIKE_MIXED)
def test_any_text_survives_a_round_trip(tokenizer, text):
    ids = tokenizer.encode(text)
    assert tokenizer.decode(ids) == text
    assert tokenizer.encode_array(text).tolist() == ids
    assert all(index < len(tokenizer.tokens) for index in ids)


@settings(deadline=None)
@given(text=TEXTS)
def test_tiktoken_and_hugging_face_give_the_same_ids(tokenizer, huggingface, text):
    ids = tokenizer.encode(text)
    assert tokenizer.to_tiktoken().encode_ordinary(text) == ids
    assert huggingface.encode(text).ids == ids
    assert huggingface.decode(ids) == text


def test_a_long_text_has_the_same_ids_everywhere(tokenizer, huggingface):
    text = find_corpus("tiny_tales").load()[50_000:250_000] + MIXED
    ids = tokenizer.encode(text)
    assert len(ids) < len(text) / 2
    assert tokenizer.encode_array(text).tolist() == ids
    assert tokenizer.encode_array(text).dtype == np.int64
    assert huggingface.encode(text).ids == ids


@settings(deadline=None)
@given(text=st.text() | LIKE_MIXED)
def test_without_special_tokens_it_is_the_same(text):
    tokenizer = BPETokenizer([(220, 64), (256, 66)])
    ids = tokenizer.encode(text)
    assert tokenizer.decode(ids) == text
    assert tokenizer.encode_array(text).tolist() == ids
    assert tokenizer.encode_array("<|none|>").tolist() == tokenizer.encode("<|none|>")


@pytest.fixture(scope="module")
def gpt2():
    """Our tokenizer with GPT-2's published merges."""
    lines = (fetch("gpt2") / "vocab.bpe").read_text(encoding="utf-8").splitlines()[1:]
    ids = {visible(bytes([byte])): index for index, byte in enumerate(BYTE_ORDER)}
    merges = []
    for line in lines:
        left, right = line.split()
        merges.append((ids[left], ids[right]))
        ids[left + right] = len(ids)
    return BPETokenizer(merges, special_tokens=[END])


@settings(deadline=None)
@given(text=TEXTS)
def test_with_gpt2s_merges_it_is_gpt2s_tokenizer(gpt2, text):
    published = load_vocabulary("gpt2")
    assert gpt2.vocab_size == published.n_vocab
    assert gpt2.encode(text) == published.encode_ordinary(text)
    assert gpt2.encode(END, allowed_special=[END]) == [published.eot_token]


def test_gpt2s_pattern_is_tiktokens():
    assert load_vocabulary("gpt2")._pat_str == GPT2_PATTERN


@settings(deadline=None)
@given(text=TEXTS)
def test_gpt4s_pattern_cuts_as_tiktokens(text):
    published = load_vocabulary("cl100k_base")
    ours = tiktoken.Encoding(
        "ours",
        pat_str=GPT4_PATTERN,
        mergeable_ranks={bytes([byte]): byte for byte in range(256)},
        special_tokens={},
    )
    theirs = tiktoken.Encoding(
        "theirs",
        pat_str=published._pat_str,
        mergeable_ranks=ours._mergeable_ranks,
        special_tokens={},
    )
    assert ours.encode_ordinary(text) == theirs.encode_ordinary(text)


@settings(deadline=None)
@given(text=st.text(max_size=40) | LIKE_MIXED)
def test_the_steps_lead_from_bytes_to_the_ids(tokenizer, text):
    steps = list(tokenizer.encode_steps(text))
    assert b"".join(steps[0].tokens) == text.encode()
    assert all(len(token) == 1 for token in steps[0].tokens)
    assert steps[0].merge is steps[0].new_id is None
    assert list(steps[-1].ids) == tokenizer.encode(text)
    numbers = [step.merge for step in steps[1:]]
    assert numbers == sorted(set(numbers))
    for before, step in pairwise(steps):
        pair = tokenizer.merges[step.merge - 1]
        assert step.new_id == 255 + step.merge
        assert b"".join(step.tokens) == text.encode()
        assert len(step.ids) == len(before.ids) - len(step.places)
        assert step.places
        assert all(step.ids[place] == step.new_id for place in step.places)
        assert pair in pairwise(before.ids)


def test_the_earliest_merge_comes_first_even_if_it_stands_later():
    # Merges: bc, ab, abc. In "abc" the later pair was learned first, so "ab" never forms.
    ids = {chr(byte): index for index, byte in enumerate(BYTE_ORDER[:188])}
    tokenizer = BPETokenizer([(ids["b"], ids["c"]), (ids["a"], ids["b"]), (ids["a"], 256)])
    steps = list(tokenizer.encode_steps("abcab"))
    assert [step.tokens for step in steps] == [
        (b"a", b"b", b"c", b"a", b"b"),
        (b"a", b"bc", b"a", b"b"),
        (b"a", b"bc", b"ab"),
        (b"abc", b"ab"),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "a" * 1_000_000,
        "x" + " " * 1_200_000 + "x",
        "\0" * 1_000_000,
        "🦊" * 250_000,
        "ab" * 500_000,
    ],
    ids=["one letter", "spaces", "NUL", "emoji", "two letters"],
)
def test_a_megabyte_without_a_break_survives(tokenizer, text):
    ids = tokenizer.encode_array(text)
    assert tokenizer.decode(ids) == text
    assert tokenizer.encode(text) == ids.tolist()


@pytest.mark.parametrize("encode", ["encode", "encode_array", "encode_steps"])
def test_lone_surrogates_are_refused(tokenizer, encode):
    with pytest.raises(ValueError, match=r"Character 4 .* half a surrogate pair \(U\+D83E\)"):
        getattr(tokenizer, encode)("abc\ud83e")


@pytest.mark.parametrize("encode", ["encode", "encode_array"])
def test_special_tokens_come_only_from_text_where_they_are_allowed(tokenizer, huggingface, encode):
    def ids(text, *allowed):
        return list(getattr(tokenizer, encode)(text, allowed))

    end, short = tokenizer.vocab_size - 2, tokenizer.vocab_size - 1
    text = f"one{END}two<|end|>{END}"
    plain = ids(text)
    assert max(plain) < end
    assert tokenizer.decode(plain) == text
    assert ids(text, END) == [*ids("one"), end, *ids("two<|end|>"), end]
    assert ids(text, END, "<|end|>") == [*ids("one"), end, *ids("two"), short, end]
    assert ids(text, END, "<|end|>") == huggingface.encode(text).ids
    assert tokenizer.decode(ids(text, END)) == text
    assert tokenizer.to_tiktoken().encode(text, allowed_special={END}, disallowed_special=()) == (
        ids(text, END)
    )
    with pytest.raises(ValueError, match="'<|other|>' is no special token"):
        ids(text, "<|other|>")


def test_of_two_special_tokens_the_longer_one_is_found():
    tokenizer = BPETokenizer([], special_tokens=["<a>", "<a><b>"])
    assert tokenizer.encode("<a><b><a>", ["<a>", "<a><b>"]) == [257, 256]


@pytest.mark.parametrize(
    ("special", "sentence"),
    [([""], "at least one character"), (["<a>", "<a>"], "twice"), (["\ud800"], "surrogate")],
)
def test_impossible_special_tokens_are_refused(special, sentence):
    with pytest.raises(ValueError, match=sentence):
        BPETokenizer([], special_tokens=special)
    with pytest.raises(ValueError, match=sentence):
        train_bpe("text", 300, special_tokens=special)


def test_a_special_token_that_is_also_an_ordinary_one_cannot_go_to_hugging_face():
    with pytest.raises(ValueError, match="cannot hold both"):
        BPETokenizer([], special_tokens=["a"]).to_huggingface()


@pytest.mark.parametrize("outside", [-1, 800])
def test_ids_outside_the_vocabulary_are_refused(tokenizer, outside):
    for function in (lambda: tokenizer.decode([outside]), lambda: tokenizer.token_bytes(outside)):
        with pytest.raises(ValueError, match="outside 0 to 799"):
            function()


def test_half_a_character_is_shown_as_such(tokenizer):
    ids = [tokenizer.tokens.index(bytes([byte])) for byte in "🦊".encode()]
    assert tokenizer.decode(ids) == "🦊"
    assert tokenizer.decode(ids[:2]) == "�"
    assert tokenizer.decode_bytes(ids[:2]) == "🦊".encode()[:2]


def test_it_can_be_pickled_as_caches_do(tokenizer):
    copied = pickle.loads(pickle.dumps(tokenizer))
    assert copied.encode(MIXED) == copied.encode_array(MIXED).tolist() == tokenizer.encode(MIXED)


def test_a_pattern_of_ones_own_is_used_by_all_ways_to_encode(tmp_path):
    tokenizer = train_bpe("one two three two one " * 9, 270, pattern=r"\S+|\s")
    assert all(b" " not in token[1:] and token != b" o" for token in tokenizer.tokens)
    tokenizer.save(tmp_path / "tokenizer.json")
    loaded = BPETokenizer.load(tmp_path / "tokenizer.json")
    ids = tokenizer.encode("two one\ntwo")
    assert loaded.encode("two one\ntwo") == loaded.encode_array("two one\ntwo").tolist() == ids
    assert Tokenizer.from_str(loaded.to_huggingface()).encode("two one\ntwo").ids == ids


@settings(deadline=None)
@given(text=st.text())
def test_a_loaded_tokenizer_cuts_as_the_saved_one(tokenizer, tmp_path_factory, text):
    path = tmp_path_factory.getbasetemp() / "tokenizer.json"
    tokenizer.save(path)
    loaded = load_tokenizer(path)
    assert isinstance(loaded, BPETokenizer)
    assert (loaded.pattern, loaded.merges) == (tokenizer.pattern, tokenizer.merges)
    assert loaded.encode(text) == tokenizer.encode(text)
    assert loaded.encode(END, [END]) == tokenizer.encode(END, [END])


GOOD = {"pattern": GPT2_PATTERN, "special_tokens": [END], "merges": [[64, 65], [256, 66]]}


def test_the_file_is_plain_json(tmp_path):
    path = tmp_path / "tokenizer.json"
    BPETokenizer([(64, 65), (256, 66)], special_tokens=[END]).save(path)
    assert json.loads(path.read_text()) == {"kind": "bpe"} | GOOD


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"merges": None}, "damaged"),
        ({"merges": 7}, "damaged"),
        ({"merges": [[64]]}, "damaged"),
        ({"merges": [[64, 65, 66]]}, "damaged"),
        ({"merges": [["a", "b"]]}, "damaged"),
        ({"merges": [[64, 65.0]]}, "damaged"),
        ({"merges": [[64, 256]]}, "damaged"),
        ({"merges": [[-1, 65]]}, "damaged"),
        ({"merges": [[64, 65], [64, 65]]}, "damaged"),
        ({"merges": [[65, 66], [64, 65], [257, 66]]}, "out of order"),
        ({"pattern": None}, "damaged"),
        ({"pattern": "("}, "damaged"),
        ({"pattern": "(a)"}, "damaged"),
        ({"special_tokens": None}, "damaged"),
        ({"special_tokens": [1]}, "damaged"),
        ({"special_tokens": ["<a>", "<a>"]}, "damaged"),
    ],
)
def test_a_damaged_file_is_refused(tmp_path, change, sentence):
    path = tmp_path / "tokenizer.json"
    write_tokenizer_file(path, "bpe", GOOD)
    assert BPETokenizer.load(path).tokens[-1] == b"abc"
    write_tokenizer_file(path, "bpe", GOOD | change)
    with pytest.raises(ValueError, match=f"^tokenizer.json is damaged.*{sentence}|{sentence}"):
        BPETokenizer.load(path)


@pytest.mark.parametrize("missing", sorted(GOOD))
def test_a_file_that_lacks_something_is_refused(tmp_path, missing):
    path = tmp_path / "tokenizer.json"
    write_tokenizer_file(path, "bpe", {key: GOOD[key] for key in GOOD if key != missing})
    with pytest.raises(ValueError, match="damaged"):
        BPETokenizer.load(path)
