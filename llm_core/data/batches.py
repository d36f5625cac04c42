"""Batches of windows as tensors: drawn at random to train on, or side by side to evaluate."""

from collections.abc import Iterator

import torch
from torch import Tensor


def random_windows(
    ids: Tensor,
    context_length: int,
    batch_size: int,
    *,
    generator: torch.Generator,
    stride: int = 1,
) -> tuple[Tensor, Tensor]:
    """Draw `batch_size` windows at random places of ids (N,), which are multiples of `stride`.

    Returns inputs and targets, both (batch_size, context_length); the targets are the inputs
    one token further on. Each draw is independent. Raises ValueError if the ids do not hold one
    window and its last target.
    """
    starts_possible = len(ids) - context_length
    if starts_possible < 1:
        raise ValueError(
            f"The text has {len(ids)} tokens; a window of {context_length} needs one more."
        )
    windows = (starts_possible + stride - 1) // stride
    starts = torch.randint(windows, (batch_size, 1), generator=generator) * stride
    places = (starts + torch.arange(context_length + 1)).to(ids.device)
    tokens = ids[places]
    return tokens[:, :-1], tokens[:, 1:]


def consecutive_windows(
    ids: Tensor, context_length: int, batch_size: int, *, most: int | None = None
) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield inputs and targets that cover ids (N,) once from start to end, without overlap.

    Each batch is (up to batch_size, context_length); the last, shorter window comes alone, so
    that every token but the first is a target exactly once. `most` takes that many full windows,
    evenly spread, instead of all of them.
    """
    full = (len(ids) - 1) // context_length
    inputs = ids[: full * context_length].view(full, context_length)
    targets = ids[1 : full * context_length + 1].view(full, context_length)
    if most is not None and full > most:
        chosen = torch.linspace(0, full - 1, most, device=ids.device).round().long()
        inputs, targets = inputs[chosen], targets[chosen]
    for start in range(0, len(inputs), batch_size):
        yield inputs[start : start + batch_size], targets[start : start + batch_size]
    rest = ids[full * context_length :]
    if len(rest) > 1 and (most is None or full < most):
        yield rest[None, :-1], rest[None, 1:]
