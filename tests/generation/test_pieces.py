import regex
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_core.generation.pieces import TextStream
from llm_core.tokenizers.bpe import train_bpe
from llm_core.tokenizers.character import CharacterTokenizer
from llm_core.tokenizers.word import WordTokenizer

BYTES = train_bpe("the cat sat on the mat, the cat", 270)
CLUSTERS = ["a", " ", "\n", "e\u0301", "👩‍👩‍👧", "🇫🇷", "각", "👍🏽", "क्षि", "\r\n", "ﬁ", "�"]
texts = st.lists(st.sampled_from(CLUSTERS), min_size=1, max_size=12).map("".join)


def pieces(tokenizer, prompt, ids, stop_strings=()):
    stream = TextStream(tokenizer, prompt, stop_strings)
    found = []
    for index in ids:
        found.append(stream.push(index))
        if stream.stopped:
            return found
    return [*found, stream.finish()]


@given(texts)
def test_no_piece_splits_a_character(text):
    for tokenizer in (BYTES, CharacterTokenizer.from_text(text)):
        found = pieces(tokenizer, [0], tokenizer.encode(text))
        assert "".join(found) == text
        whole = regex.findall(r"\X", text)
        ends = {sum(map(len, whole[:n])) for n in range(len(whole) + 1)}
        place = 0
        for piece in found:
            place += len(piece)
            assert place in ends


def test_text_comes_at_most_one_character_late():
    found = pieces(BYTES, [0], BYTES.encode("the cat"))
    assert "".join(found[:-1]) == "the ca"


@given(st.lists(st.integers(0, BYTES.vocab_size - 1), max_size=20))
@settings(max_examples=50)
def test_any_bytes_end_as_the_decoder_writes_them(ids):
    assert "".join(pieces(BYTES, BYTES.encode("a"), ids)) == BYTES.decode(ids)


def test_words_get_the_space_that_they_need():
    tokenizer = WordTokenizer.from_text("The owl sat, and the mouse ran.")
    prompt, rest = tokenizer.encode("The owl"), tokenizer.encode("sat, and ran.")
    assert "".join(pieces(tokenizer, prompt, rest)) == " sat, and ran."


@given(texts, texts.filter(lambda stop: len(stop) < 6))
def test_nothing_is_shown_from_a_stop_string_on(text, stop):
    found = "".join(pieces(BYTES, [0], BYTES.encode(text), [stop, "never there"]))
    assert found == text.partition(stop)[0]


def test_a_stop_string_may_span_tokens_and_the_first_counts():
    tokenizer = CharacterTokenizer.from_text("ab|\n")
    stream = TextStream(tokenizer, [0], ["|\n|", "b"])
    shown = [stream.push(index) for index in tokenizer.encode("aa|\na")]
    assert shown == ["", "a", "a", "", "|\n"]  # "|\n" might have become the stop string
    assert stream.push(tokenizer.encode("b")[0]) == "a"
    assert stream.stopped
