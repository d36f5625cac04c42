import pytest

from llm_core.training.phases import Word, judge_words, known_share, words_in

WORDS = words_in("The cat doesn't sit. THE end — été 42!")


def test_words_are_letters_in_small_print():
    assert words_in("The cat doesn't sit. THE end — été 42!") == {
        "the",
        "cat",
        "doesn't",
        "sit",
        "end",
        "été",
    }


def test_only_whole_words_of_what_was_written_count():
    written = "at sat, the doesn't mo"
    words = judge_words("The c", written, WORDS)
    assert [written[word.start : word.end] for word in words] == ["sat", "the", "doesn't"]
    assert [word.known for word in words] == [False, True, True]
    assert judge_words("The ", "cat sat ", WORDS)[0] == Word(0, 3, True)


def test_the_share_counts_letters():
    assert known_share(judge_words("", "cat xyzabc ", WORDS)) == pytest.approx(3 / 9)
    assert known_share([]) is None
    assert known_share(judge_words("", "1 + 2 = ..", WORDS)) is None
