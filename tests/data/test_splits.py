"""The split is by position, complete, and of the size that nanoGPT takes."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from llm_core.data.splits import split_by_position


@given(st.integers(2, 100_000))
def test_the_parts_make_up_the_whole_and_have_nanogpts_sizes(count: int) -> None:
    ids = list(range(count))
    train, validation = split_by_position(ids)
    assert len(train) == int(count * 0.9)
    assert train + validation == ids


@pytest.mark.parametrize(
    "ids", ["abcdefghijk", tuple(range(11)), np.arange(11), torch.arange(11)], ids=type
)
def test_any_sliceable_keeps_its_kind(ids) -> None:
    train, validation = split_by_position(ids, 0.2)
    assert type(train) is type(validation) is type(ids)
    assert list(train) == list(ids)[:8]
    assert list(validation) == list(ids)[8:]


@pytest.mark.parametrize("fraction", [0, 1, -0.1, 1.5, float("nan")])
def test_a_share_outside_0_to_1_is_refused(fraction: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        split_by_position([1, 2, 3], fraction)


@pytest.mark.parametrize("ids", [[], [7]])
def test_no_part_comes_out_empty(ids: list[int]) -> None:
    with pytest.raises(ValueError, match="longer text"):
        split_by_position(ids)
