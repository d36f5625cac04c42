"""BM25 against the package rank_bm25, whose variant differs in two constants, and by hand."""

import math
import random

import numpy as np
import pytest
from rank_bm25 import BM25Okapi

from llm_core.retrieval.bm25 import BM25Index, find_words, word_places
from llm_core.retrieval.ranking import best

WORDS = [f"w{number}" for number in range(60)]


def some_texts(count=80, seed=1):
    """Texts of 1 to 40 words, drawn so that some words are common and others rare."""
    chance = random.Random(seed)
    weights = [1 / (1 + place) for place in range(len(WORDS))]
    return [" ".join(chance.choices(WORDS, weights, k=chance.randint(1, 40))) for _ in range(count)]


def published(texts, *, k1, b):
    """rank_bm25's Okapi with Lucene's idf, counted here text by text.

    Its own idf is negative for words of more than half of the texts. It also multiplies every
    score by k1 + 1, which changes no order; the caller divides by it.
    """
    split = [text.split() for text in texts]
    theirs = BM25Okapi(split, k1=k1, b=b)
    for word in theirs.idf:
        held = sum(word in words for words in split)
        theirs.idf[word] = math.log(1 + (len(texts) - held + 0.5) / (held + 0.5))
    return theirs


@pytest.mark.parametrize(("k1", "b"), [(1.2, 0.75), (0.5, 0.0), (2.0, 1.0), (0.1, 0.4)])
def test_scores_equal_rank_bm25(k1, b):
    texts = some_texts()
    ours, theirs = BM25Index(texts, k1=k1, b=b), published(texts, k1=k1, b=b)
    chance = random.Random(2)
    for _ in range(30):
        question = chance.choices([*WORDS, "unknown"], k=chance.randint(1, 8))  # some come twice
        expected = theirs.get_scores(question) / (k1 + 1)
        np.testing.assert_allclose(ours.scores(" ".join(question)), expected, atol=1e-5)


def test_the_order_by_one_rare_word_is_that_of_rank_bm25_as_it_comes():
    """For a single word its idf is only a factor, so the order does not depend on the variant."""
    texts = some_texts()
    theirs = BM25Okapi([text.split() for text in texts], k1=1.2)
    for word in WORDS[10:40]:
        first = [hit.passage for hit in best(BM25Index(texts).scores(word), 5)]
        assert first == [hit.passage for hit in best(theirs.get_scores([word]).round(6), 5)]


def test_the_shares_of_the_words_add_up_to_the_score():
    texts = some_texts()
    index = BM25Index(texts)
    question = "w3 w30 w59 unknown"
    for passage in range(len(texts)):
        shares = index.explain(question, passage)
        assert [each.word for each in shares] == question.split()
        total = sum(each.share for each in shares)
        assert total == pytest.approx(float(index.scores(question)[passage]), abs=1e-5)
        for each in shares:
            assert each.count == texts[passage].split().count(each.word)
            assert each.passages == sum(each.word in text.split() for text in texts)
            assert 0 <= each.saturation < 1


def test_what_a_word_is_worth_falls_with_the_passages_that_hold_it():
    index = BM25Index(["a b", "a c", "a d d d"])
    assert index.rarity("a") == pytest.approx(math.log(1 + 0.5 / 3.5))
    assert index.rarity("d") == pytest.approx(math.log(1 + 2.5 / 1.5))
    assert index.rarity("unknown") == pytest.approx(math.log(1 + 3.5 / 0.5))
    assert index.rarity("a") > 0
    assert index.vocabulary == ("a", "b", "c", "d")
    assert index.lengths.tolist() == [2, 2, 4]


def test_words_are_found_in_small_letters_and_at_their_places():
    assert find_words("Isn't THIS 3.5 % of École_1?") == [
        "isn't", "this", "3", "5", "of", "école_1",
    ]  # fmt: skip
    text = "İt is İT"  # a letter that becomes two when it is made small
    for start, end, word in word_places(text):
        assert text[start:end].lower() == word
    assert len(word_places(text)) == 3


@pytest.mark.parametrize("question", ["", "   ", "?!", "unknown words"])
def test_a_question_without_known_words_finds_nothing(question):
    assert not BM25Index(["some text", "more text"]).scores(question).any()


def test_texts_without_words_are_indexed_all_the_same():
    assert BM25Index(["", "…"]).scores("text").tolist() == [0, 0]
    index = BM25Index(["", "one text"])
    assert index.scores("text")[1] > index.scores("text")[0] == 0


def test_nonsense_is_refused():
    with pytest.raises(ValueError, match="no passage to search"):
        BM25Index([])
    for k1, b in ((-1, 0.5), (math.inf, 0.5), (math.nan, 0.5), (1, 1.5), (1, -0.1), (1, math.nan)):
        with pytest.raises(ValueError, match="k1 must be 0 or more"):
            BM25Index(["a"], k1=k1, b=b)
