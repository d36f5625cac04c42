"""The prompt made of passages, and which passage holds the words of an answer."""

import math

import pytest

from llm_core.pretrained.smollm2_tokenizer import chat_text
from llm_core.retrieval.answer import SYSTEM, grounded_messages, plain_messages, supports
from llm_core.retrieval.bm25 import BM25Index

PASSAGES = ["The owl lived in the church tower.", "Mice moved to the school by spring."]


def test_the_prompt_holds_the_sources_by_number_and_the_question_last():
    messages = grounded_messages("  Where did the owl live? ", PASSAGES)
    assert [message.role for message in messages] == ["system", "user"]
    assert messages[0].content == SYSTEM
    assert messages[1].content == (
        "Source 1: The owl lived in the church tower.\n\n"
        "Source 2: Mice moved to the school by spring.\n\n"
        "Question: Where did the owl live?"
    )
    assert chat_text(messages).endswith(
        "Question: Where did the owl live?<|im_end|>\n<|im_start|>assistant\n"
    )
    (plain,) = plain_messages(" Where did the owl live?\n")
    assert (plain.role, plain.content) == ("user", "Where did the owl live?")


def test_a_sentence_is_cited_from_the_passage_that_holds_its_rare_words():
    index = BM25Index([*PASSAGES, "The sun and the sea.", "The end of the day."])
    found = supports("The owl lived there. Mice left! The moon shone.", PASSAGES, index)
    assert [each.sentence for each in found] == ["The owl lived there.", "Mice left!",
                                                 "The moon shone."]  # fmt: skip
    assert [each.passage for each in found] == [0, None, None]

    def idf(held):  # of four passages
        return math.log(1 + (4 - held + 0.5) / (held + 0.5))

    the, rare, unknown = idf(4), idf(1), idf(0)  # "there", "left" and "moon" are in none
    assert found[0].share == pytest.approx((the + 2 * rare) / (the + 2 * rare + unknown))
    assert found[1].share == pytest.approx(rare / (rare + unknown))
    assert found[2].share == pytest.approx(the / (the + 2 * unknown))


def test_without_words_or_passages_nothing_is_cited():
    index = BM25Index(PASSAGES)
    (dots,) = supports("… !", PASSAGES, index)
    assert (dots.passage, dots.share) == (None, 0.0)
    assert supports("", PASSAGES, index) == []
    (alone,) = supports("The owl.", [], index)
    assert (alone.passage, alone.share) == (None, 0.0)


def test_nothing_asked_or_nothing_found_is_said():
    for ask in (lambda: plain_messages(" "), lambda: grounded_messages("\n", PASSAGES)):
        with pytest.raises(ValueError, match="Write a question first"):
            ask()
    with pytest.raises(ValueError, match="no passage to answer from"):
        grounded_messages("Where?", [])
