import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_core.tokenizers.word import WordTokenizer

TEXT = "The cat didn’t see the dog, and the dog didn't\n\tsee “the cat”: 3.14 naïve cafés!"


PROSE = st.text(alphabet="aB1 .,(“”'’-\n\té́", min_size=1)


@settings(deadline=None)
@given(st.text(min_size=1) | PROSE)
def test_any_text_that_it_was_built_from_survives(text):
    tokenizer = WordTokenizer.from_text(text)
    ids = tokenizer.encode(text)
    assert tokenizer.decode(ids) == text
    assert 0 not in ids
    assert tokenizer.encode_array(text).tolist() == ids


def pieces(tokenizer, text):
    return [tokenizer.words[index] for index in tokenizer.encode(text)]


def test_the_usual_spaces_go_without_saying():
    tokenizer = WordTokenizer.from_text(TEXT)
    assert pieces(tokenizer, "The cat didn't see “the naïve dog”, and the dog!") == (
        "The cat didn't see “ the naïve dog ” , and the dog !".split()
    )


def test_other_gaps_are_tokens():
    text = "one  two\n\tthree ,four.five"
    tokenizer = WordTokenizer.from_text(text)
    gaps = ["one", " ", " ", "two", "\n", "\t", "three", " ", ",", "<joined>", "four", "."]
    assert pieces(tokenizer, text) == [*gaps, "<joined>", "five"]


def test_marks_stay_with_their_letters_and_a_family_stays_together():
    text = "नमस्ते e\u0301te 👨‍👩‍👧"
    assert pieces(WordTokenizer.from_text(text), text) == text.split()


def test_a_word_that_was_never_seen_becomes_unk():
    tokenizer = WordTokenizer.from_text("the cat sat")
    assert tokenizer.decode(tokenizer.encode("the dog sat")) == "the <unk> sat"
    assert tokenizer.encode("dog") == [0]


def test_frequent_words_come_first_and_ties_by_alphabet():
    tokenizer = WordTokenizer.from_text("b a b a d c b")
    assert tokenizer.words == ("<unk>", "b", "a", "c", "d")
    assert WordTokenizer.from_text("b a b a c d b", vocab_size=3).words == ("<unk>", "b", "a")


def test_the_literal_text_unk_is_not_the_unknown_token():
    tokenizer = WordTokenizer.from_text("<unk> <joined>")
    assert 0 not in tokenizer.encode("<unk>")
    assert tokenizer.decode(tokenizer.encode("<unk> <joined>")) == "<unk> <joined>"


@pytest.mark.parametrize("size", [-1, 0, 1])
def test_a_vocabulary_without_room_is_refused(size):
    with pytest.raises(ValueError, match="at least 2"):
        WordTokenizer.from_text("a b", vocab_size=size)


def test_an_empty_text_is_refused():
    with pytest.raises(ValueError, match="at least one word"):
        WordTokenizer.from_text("")


@pytest.mark.parametrize("outside", [-1, 3])
def test_ids_outside_the_vocabulary_are_refused(outside):
    with pytest.raises(ValueError, match="outside 0 to 2"):
        WordTokenizer(["a", "b"]).decode([outside])


def test_a_saved_tokenizer_comes_back(tmp_path):
    path = tmp_path / "tokenizer.json"
    tokenizer = WordTokenizer.from_text(TEXT, vocab_size=12)
    tokenizer.save(path)
    loaded = WordTokenizer.load(path)
    assert loaded.words == tokenizer.words
    assert loaded.encode(TEXT + " new") == tokenizer.encode(TEXT + " new")


@pytest.mark.parametrize(
    "content",
    [
        "",
        '{"kind": "character", "words": ["a"]}',
        '{"kind": "word"}',
        '{"kind": "word", "words": "abc"}',
        '{"kind": "word", "words": []}',
        '{"kind": "word", "words": [""]}',
        '{"kind": "word", "words": [["a"]]}',
        '{"kind": "word", "words": ["a", "a"]}',
        '{"kind": "word", "words": ["<unk>"]}',
    ],
)
def test_a_damaged_file_is_refused(tmp_path, content):
    path = tmp_path / "tokenizer.json"
    path.write_text(content)
    with pytest.raises(ValueError):  # noqa: PT011 - every sentence is its own
        WordTokenizer.load(path)
