"""Learning merges: against Hugging Face's trainer, and against counting everything anew."""

import json
from collections import Counter
from itertools import pairwise

import pytest
import regex
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tokenizers import Regex, Tokenizer, models, pre_tokenizers, trainers

from llm_core.data.corpora import find_corpus
from llm_core.tokenizers import bpe_training
from llm_core.tokenizers.bpe import (
    GPT2_PATTERN,
    GPT4_PATTERN,
    TIE_RULE,
    PairCount,
    iter_merges,
    train_bpe,
)
from llm_core.tokenizers.patterns import Splitter

# Without code points that one of the engines' Unicode tables may not hold yet.
TEXTS = st.text(st.characters(exclude_categories=("Cs", "Cn")), min_size=1, max_size=60)
# Few letters: long repetitions, overlaps and ties.
REPETITIVE = st.text("ab\n é", min_size=1, max_size=200)
PATTERNS = pytest.mark.parametrize("pattern", [GPT2_PATTERN, GPT4_PATTERN], ids=["GPT-2", "GPT-4"])


def huggingface_merges(text, vocab_size, pattern):
    """The pairs of ids that Hugging Face's trainer merges."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(pattern), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator([text], trainer)
    model = json.loads(tokenizer.to_str())["model"]
    return [(model["vocab"][left], model["vocab"][right]) for left, right in model["merges"]]


@PATTERNS
@settings(deadline=None)
@given(text=TEXTS | REPETITIVE)
@example("aaaaaaa aaaa aa")
@example("It's 12345  tests\r\n\n it'LL İſ ")
def test_merges_are_those_of_hugging_faces_trainer_ties_included(pattern, text):
    expected = huggingface_merges(text, 300, pattern)
    assert [step.pair for step in iter_merges(text, 300, pattern=pattern)] == expected
    assert list(train_bpe(text, 300, pattern=pattern).merges) == expected


@PATTERNS
def test_merges_of_a_whole_corpus_are_those_of_hugging_faces_trainer(pattern):
    text = find_corpus("tiny_tales").load()[:300_000]
    expected = huggingface_merges(text, 2000, pattern)
    steps = list(iter_merges(text, 2000, pattern=pattern))
    assert [step.pair for step in steps] == expected
    assert any(step.tied for step in steps)


def count_anew(words):
    """All pairs of neighbours, most frequent first, ties by ids: as slowly as can be."""
    counts = Counter(pair for word in words for pair in pairwise(word))
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))


def merge_by_hand(word, pair, new_id):
    merged, place = [], 0
    while place < len(word):
        if tuple(word[place : place + 2]) == pair:
            merged.append(new_id)
            place += 2
        else:
            merged.append(word[place])
            place += 1
    return merged


@settings(deadline=None, max_examples=50)
@given(REPETITIVE | TEXTS)
def test_every_step_tells_what_counting_anew_finds(text):
    byte_ids = {step: index for index, step in enumerate(bpe_training.BYTE_ORDER)}
    words = [
        [byte_ids[byte] for byte in word.encode()] for word in regex.findall(GPT2_PATTERN, text)
    ]
    tokens = [bytes([byte]) for byte in bpe_training.BYTE_ORDER]
    number = 0
    for number, step in enumerate(iter_merges(text, 320, runners_up=3), start=1):
        ranking = count_anew(words)
        pair, count = ranking[0]
        new_id = 255 + number
        words = [merge_by_hand(word, pair, new_id) for word in words]
        tokens.append(tokens[pair[0]] + tokens[pair[1]])
        assert (step.number, step.pair, step.count) == (number, pair, count)
        assert step.tokens == (tokens[pair[0]], tokens[pair[1]])
        assert (step.new_id, step.new_token) == (new_id, tokens[new_id])
        assert step.text_tokens == sum(map(len, words))
        assert step.runners_up == tuple(
            PairCount(each, (tokens[each[0]], tokens[each[1]]), count)
            for each, count in ranking[1:4]
        )
        assert step.tied == (len(ranking) > 1 and ranking[1][1] == count)
    if number < 64:
        assert count_anew(words) == []


def test_an_example_small_enough_to_follow():
    steps = list(iter_merges("low lower lowest low", 260, runners_up=2))
    assert [step.new_token for step in steps] == [b"lo", b"low", b" low", b" lowe"]
    assert [step.count for step in steps] == [4, 4, 3, 2]
    assert [step.text_tokens for step in steps] == [16, 12, 9, 7]
    assert [step.tied for step in steps] == [True, False, False, False]
    assert "lower id" in TIE_RULE
    assert [candidate.tokens for candidate in steps[0].runners_up] == [(b"o", b"w"), (b" ", b"l")]


def test_merges_come_one_by_one(monkeypatch):
    merged = []
    merge = bpe_training.PairTable.merge

    def noted(table, pair, new):
        merged.append(new)
        merge(table, pair, new)

    monkeypatch.setattr(bpe_training.PairTable, "merge", noted)
    steps = iter_merges("the cat and the hat " * 20, 300)
    assert merged == []
    next(steps)
    next(steps)
    assert merged == [chr(256), chr(257)]


def test_it_ends_when_nothing_is_left_to_merge():
    assert len(list(iter_merges("ab ab", 1000))) == 2
    assert train_bpe("ab ab", 1000).vocab_size == 258
    assert list(iter_merges("x", 1000)) == []


def test_no_merge_reaches_across_words():
    for step in iter_merges("a b a b a b, c, c, c", 300):
        assert step.new_token[1:].find(b" ") == -1


@pytest.mark.parametrize("learn", [iter_merges, train_bpe])
def test_what_cannot_be_learned_from_is_refused_at_once(learn):
    with pytest.raises(ValueError, match="at least 256"):
        learn("text", 255)
    with pytest.raises(ValueError, match="the text is empty"):
        learn("", 300)
    with pytest.raises(ValueError, match=r"Character 3 .*\(U\+D83D\)"):
        learn("ab\ud83d", 300)
    with pytest.raises(ValueError, match="leaves out some of the text"):
        learn("a b", 300, pattern=r"\w+")
    with pytest.raises(ValueError, match="must not capture"):
        learn("a b", 300, pattern=r"(\w+)|.")
    with pytest.raises(ValueError, match="not a pattern"):
        learn("a b", 300, pattern=r"(")


def test_special_tokens_need_room_and_are_not_learned_from():
    text = "<|end|>" * 50 + "abab" + "<|end|>" + "ab"
    tokenizer = train_bpe(text, 300, special_tokens=["<|end|>"])
    assert [tokenizer.tokens[index] for index in range(256, len(tokenizer.tokens))] == [
        b"ab",
        b"abab",
    ]
    assert tokenizer.vocab_size == 259
    with pytest.raises(ValueError, match="at least 258"):
        train_bpe(text, 257, special_tokens=["<|a|>", "<|b|>"])


def test_a_megabyte_of_one_letter_is_learned():
    merges = [step.new_token for step in iter_merges("a" * 1_000_000, 300)]
    assert merges[0] == b"aa"
    assert b"a" * 2**19 in merges


@PATTERNS
@given(text=st.text())
def test_words_side_by_side_are_the_text(pattern, text):
    splitter = Splitter(pattern)
    words = splitter.words(text)
    assert "".join(words) == text
    assert splitter.count_words(text) == Counter(words)
