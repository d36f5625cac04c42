import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from llm_core.data.batches import consecutive_windows, random_windows


def test_random_windows_are_pieces_of_the_text_and_targets_one_further():
    ids = torch.arange(100, 150)
    generator = torch.Generator().manual_seed(0)
    inputs, targets = random_windows(ids, 8, 500, generator=generator)
    assert inputs.shape == targets.shape == (500, 8)
    pieces = ids.unfold(0, 9, 1)  # torch's own sliding window
    for window, target in zip(inputs, targets, strict=True):
        piece = pieces[int(window[0]) - 100]
        assert torch.equal(piece[:-1], window)
        assert torch.equal(piece[1:], target)
    assert set(inputs[:, 0].tolist()) == set(range(100, 142))  # every possible start occurs


def test_random_windows_start_at_multiples_of_the_stride():
    generator = torch.Generator().manual_seed(0)
    inputs, _ = random_windows(torch.arange(50), 8, 500, generator=generator, stride=12)
    assert set(inputs[:, 0].tolist()) == {0, 12, 24, 36}
    inputs, _ = random_windows(torch.arange(9), 8, 3, generator=generator, stride=99)
    assert set(inputs[:, 0].tolist()) == {0}


def test_a_text_of_one_window_is_enough_and_a_shorter_one_is_refused():
    generator = torch.Generator().manual_seed(0)
    inputs, _ = random_windows(torch.arange(9), 8, 2, generator=generator)
    assert inputs.tolist() == [list(range(8))] * 2
    with pytest.raises(ValueError, match="8 tokens; a window of 8 needs one more"):
        random_windows(torch.arange(8), 8, 2, generator=generator)


@given(st.integers(2, 200), st.integers(1, 20), st.integers(1, 7))
def test_consecutive_windows_predict_every_token_once(count, context_length, batch_size):
    ids = torch.arange(count)
    seen = []
    for inputs, targets in consecutive_windows(ids, context_length, batch_size):
        assert inputs.shape == targets.shape
        assert inputs.shape[0] <= batch_size
        assert torch.equal(inputs + 1, targets)
        seen += targets.flatten().tolist()
    assert sorted(seen) == list(range(1, count))


def test_a_limited_number_of_windows_is_spread_over_the_text():
    ids = torch.arange(1001)
    windows = [window for batch, _ in consecutive_windows(ids, 10, 4, most=7) for window in batch]
    starts = [int(window[0]) for window in windows]
    assert len(starts) == 7
    assert starts[0] == 0
    assert starts[-1] == 990
    assert all(start % 10 == 0 for start in starts)
