import tracemalloc

import numpy as np
import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st

from llm_core.data.windows import shuffled_batches, sliding_windows

lengths = st.integers(2, 300)
contexts = st.integers(1, 40)
strides = st.integers(1, 60)


@given(st.lists(st.integers(0, 60000), min_size=2, max_size=200), contexts, strides)
def test_windows_equal_torchs_unfold(ids, context_length, stride):
    assume(len(ids) > context_length)
    windows = sliding_windows(ids, context_length, stride)
    row = torch.tensor(ids)
    assert windows.inputs.tolist() == row[:-1].unfold(0, context_length, stride).tolist()
    assert windows.targets.tolist() == row[1:].unfold(0, context_length, stride).tolist()
    assert windows.inputs[:, 0].tolist() == [ids[start] for start in windows.starts]


@given(lengths, contexts, strides)
def test_coverage_counts_what_the_windows_hold(count, context_length, stride):
    assume(count > context_length)
    windows = sliding_windows(np.arange(count), context_length, stride)
    counted = np.bincount(windows.inputs.flatten(), minlength=count)
    assert windows.coverage.tolist() == counted.tolist()
    assert windows.skipped == int((counted[: windows.end] == 0).sum())
    answers = set(windows.targets.flatten().tolist())
    assert windows.left_over == count - 1 - max(answers)


@given(lengths, contexts, strides)
def test_no_token_is_lost_between_windows_while_the_stride_fits(count, context_length, stride):
    assume(count > context_length)
    assume(stride <= context_length)
    windows = sliding_windows(np.arange(count), context_length, stride)
    assert (windows.coverage[: windows.end] > 0).all()
    assert windows.skipped == 0
    assert windows.left_over < stride  # and at the end less than one more window would add


def test_fifty_megabytes_on_disk_are_cut_without_a_copy(tmp_path):
    path = tmp_path / "ids.bin"
    count = 25_000_000  # two bytes each
    np.memmap(path, dtype=np.uint16, mode="w+", shape=(count,))[-3:] = [7, 8, 9]
    ids = np.memmap(path, dtype=np.uint16, mode="r")
    tracemalloc.start()
    windows = sliding_windows(ids, 256, 128)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 100_000
    assert np.shares_memory(windows.inputs, ids)
    assert np.shares_memory(windows.targets, ids)
    assert len(windows) == (count - 1 - 256) // 128 + 1
    assert windows.targets[-1].tolist() == ids[windows.starts[-1] + 1 :][:256].tolist()


def test_a_torch_tensor_is_taken_without_a_copy():
    ids = torch.arange(20)
    assert np.shares_memory(sliding_windows(ids, 4, 4).inputs, ids.numpy())


@pytest.mark.parametrize(
    ("ids", "context_length", "stride", "sentence"),
    [
        ([1, 2, 3], 3, 1, "has 3 tokens, and a window of 3 needs 4"),
        ([], 1, 1, "has 0 tokens"),
        ([1, 2, 3], 0, 1, "at least 1"),
        ([1, 2, 3], 1, 0, "at least 1"),
        (np.zeros((2, 2), dtype=int), 1, 1, "one row"),
    ],
)
def test_what_cannot_be_cut_gets_a_sentence(ids, context_length, stride, sentence):
    with pytest.raises(ValueError, match=sentence):
        sliding_windows(ids, context_length, stride)


@given(st.integers(10, 100), st.integers(1, 8), st.integers(0, 5))
def test_an_epoch_holds_every_window_once_but_the_rest(count, batch_size, seed):
    windows = sliding_windows(np.arange(count), 4, 3)
    assume(batch_size <= len(windows))
    batches = list(shuffled_batches(windows, batch_size, seed=seed))
    assert len(batches) == len(windows) // batch_size
    firsts = []
    for inputs, targets in batches:
        assert inputs.shape == targets.shape == (batch_size, 4)
        assert (inputs + 1 == targets).all()
        firsts += inputs[:, 0].tolist()
    assert len(set(firsts)) == len(firsts)
    assert set(firsts) <= set(windows.starts.tolist())


def test_order_follows_from_seed_and_epoch():
    windows = sliding_windows(np.arange(200), 4, 2)

    def order(**choice):
        return [row[0] for inputs, _ in shuffled_batches(windows, 8, **choice) for row in inputs]

    assert order(seed=1) == order(seed=1)
    assert order(seed=1) != order(seed=2)
    assert order(seed=1) != order(seed=1, epoch=1)


def test_a_batch_that_cannot_be_filled_is_refused():
    windows = sliding_windows(np.arange(9), 4, 4)
    with pytest.raises(ValueError, match="batch of 3 windows cannot be filled from 2 windows"):
        next(shuffled_batches(windows, 3, seed=0))
