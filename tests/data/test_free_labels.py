"""Free labels are counted like training examples, for that is what they are."""

import numpy as np
import pytest

from llm_core.data.free_labels import cost_by_hand, count_free_labels
from llm_core.data.windows import sliding_windows
from llm_core.tokenizers.vocabularies import load_vocabulary


def test_there_is_a_pair_for_every_target_of_windows_side_by_side():
    text = "The owl sat in the old oak and watched the moon. " * 20
    encode = load_vocabulary("gpt2").encode_ordinary
    labels = count_free_labels(text, encode)
    ids = np.array(encode(text))
    length = labels.pairs  # one window over everything
    assert sliding_windows(ids, length, length).targets.size == labels.pairs == len(ids) - 1
    assert labels.characters == len(text)


def test_an_empty_text_has_no_pairs():
    assert count_free_labels("", list).pairs == 0


def test_the_bill():
    assert cost_by_hand(720, seconds=5, wage=15) == (1.0, 15.0)
    with pytest.raises(ValueError, match="negative"):
        cost_by_hand(1, seconds=-1, wage=1)
