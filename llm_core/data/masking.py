"""Hide some tokens of a text, to be guessed from what stands before and after them."""

import torch
from torch import Tensor

IGNORED = -100  # a target that does not count
_MASKED, _RANDOM = 0.8, 0.1  # of the hidden tokens; the rest stays as it is


def mask_tokens(
    ids: Tensor, *, mask_id: int, vocab_size: int, generator: torch.Generator, share: float = 0.15
) -> tuple[Tensor, Tensor]:
    """Return what the model reads, and what it is to guess, both (B, T), for ids (B, T).

    A `share` of the tokens is to be guessed; the other targets are -100. Of the tokens to be
    guessed, eight in ten become `mask_id`, one in ten a random token below `vocab_size`, and one
    in ten stays: so the model has to mind tokens that are not masked, too ("BERT", 2018).
    Raises ValueError if `share` is not between 0 and 1.
    """
    if not 0 < share < 1:
        raise ValueError(f"The share of hidden tokens must lie between 0 and 1, not {share}.")
    hidden = torch.rand(ids.shape, generator=generator) < share
    fate = torch.rand(ids.shape, generator=generator)
    random = torch.randint(vocab_size, ids.shape, generator=generator)
    shown = torch.where(hidden & (fate < _MASKED), mask_id, ids)
    shown = torch.where(hidden & (fate >= 1 - _RANDOM), random, shown)
    return shown, ids.masked_fill(~hidden, IGNORED)
