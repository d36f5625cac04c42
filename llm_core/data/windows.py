"""Sliding windows: cut a long row of token ids into questions with their answers.

NumPy only, so a page can show windows without waiting for torch.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

Ids = NDArray[np.integer]


@dataclass(frozen=True)
class Windows:
    """What `sliding_windows` cut: inputs and targets, both (N, T), views of the ids."""

    inputs: Ids
    targets: Ids
    n_tokens: int
    stride: int

    def __len__(self) -> int:
        return len(self.inputs)

    @property
    def context_length(self) -> int:
        """T, the number of tokens that a window reads."""
        return int(self.inputs.shape[1])

    @property
    def starts(self) -> NDArray[np.int64]:
        """Where each window begins, (N,)."""
        return np.arange(len(self), dtype=np.int64) * self.stride

    @cached_property
    def coverage(self) -> NDArray[np.int32]:
        """In how many windows each token is an input, (n_tokens,). 0: no model ever reads it.

        The very last token is never an input: it is only ever an answer.
        """
        places = np.arange(self.n_tokens)
        newest = np.minimum(places // self.stride, len(self) - 1)
        oldest = np.maximum(0, -((self.context_length - 1 - places) // self.stride))
        reads: NDArray[np.int32] = np.maximum(0, newest - oldest + 1).astype(np.int32)
        return reads

    @property
    def end(self) -> int:
        """First place that no window reads any more."""
        return (len(self) - 1) * self.stride + self.context_length

    @property
    def skipped(self) -> int:
        """Tokens between windows that no window reads: none while stride <= context length."""
        return (len(self) - 1) * max(0, self.stride - self.context_length)

    @property
    def left_over(self) -> int:
        """Tokens at the end, too few for one more window, that are not even an answer."""
        return self.n_tokens - self.end - 1


def sliding_windows(ids: Sequence[int] | Ids, context_length: int, stride: int) -> Windows:
    """Cut ids (n_tokens,) into windows of `context_length` tokens, each `stride` after the last.

    Inputs and targets are (N, T) views of the ids, memory-mapped ones too: nothing is copied. The
    targets are the inputs one token further on, and windows are full: they equal
    `ids[:-1].unfold(0, T, stride)` and `ids[1:].unfold(0, T, stride)` of torch. Raises
    ValueError if the ids do not hold one window and its last target.
    """
    if context_length < 1 or stride < 1:
        raise ValueError("Context length and stride must be at least 1.")
    row = ids if isinstance(ids, np.ndarray) else np.asarray(ids)
    if row.ndim != 1:
        raise ValueError(f"Token ids must be one row, not an array of shape {row.shape}.")
    if len(row) < context_length + 1:
        raise ValueError(
            f"The text has {len(row)} tokens, and a window of {context_length} needs "
            f"{context_length + 1}: its inputs and one token to predict after them. "
            "Take a longer text or a shorter context."
        )
    inputs = sliding_window_view(row[:-1], context_length)[::stride]
    targets = sliding_window_view(row[1:], context_length)[::stride]
    return Windows(inputs, targets, len(row), stride)


def shuffled_batches(
    windows: Windows, batch_size: int, *, seed: int, epoch: int = 0
) -> Iterator[tuple[Ids, Ids]]:
    """Yield one epoch: every window once, in random order, as inputs and targets (B, T).

    The order follows from seed and epoch alone. Windows that no longer fill a batch are dropped,
    as most training loops do. Raises ValueError if not even one batch can be filled.
    """
    if not 1 <= batch_size <= len(windows):
        raise ValueError(
            f"A batch of {batch_size} windows cannot be filled from {len(windows)} windows."
        )
    order = np.random.default_rng([seed, epoch]).permutation(len(windows))
    for start in range(0, len(order) - batch_size + 1, batch_size):
        chosen = order[start : start + batch_size]
        yield windows.inputs[chosen], windows.targets[chosen]
