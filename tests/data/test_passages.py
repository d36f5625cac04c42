"""The passages to guess and to read; the tales were not trained on."""

import pytest

from llm_core.data.corpora import find_corpus
from llm_core.data.passages import find_passage, other_passages, tales
from llm_core.data.splits import split_by_position


def test_the_tales_lie_in_the_validation_part_only():
    train, held_out = split_by_position(find_corpus("tiny_tales").load())
    for tale in tales():
        assert tale.text in held_out
        assert tale.text not in train


def test_each_passage_is_found_by_its_name():
    every = (*tales(), *other_passages())
    assert len({each.name for each in every}) == len(every) == 6
    assert all(find_passage(each.name) == each for each in every)
    for nonsense in ("", "tale9", "x"):
        with pytest.raises(ValueError, match="no passage"):
            find_passage(nonsense)
