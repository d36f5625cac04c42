"""Hide some tokens of a text, to be guessed from what stands before and after them."""

import torch
from torch import Tensor

IGNORED = -100  # a target that does not count
_MASKED, _RANDOM = 0.8, 0.1  # of the hidden tokens; the rest stays as it is
_MOST = 0.5  # no token is hidden more often, or nothing would be left to guess it from


def hiding_chances(ids: Tensor, vocab_size: int, *, share: float = 0.15) -> Tensor:
    """Return how often each kind of token is to be hidden, (V,): about `share` of the text (N,).

    The chance falls with the square root of the frequency: a rare word is hidden more often than
    "the", which nearly any neighbour gives away, and from which there is little to learn.
    Raises ValueError if `share` is not between 0 and 1.
    """
    if not 0 < share < 1:
        raise ValueError(f"The share of hidden tokens must lie between 0 and 1, not {share}.")
    counts = torch.bincount(ids, minlength=vocab_size).clamp(min=1).float()
    chances = counts.rsqrt()
    usual = float((counts * chances).sum() / counts.sum())
    return (chances * share / usual).clamp(max=_MOST)


def mask_tokens(
    ids: Tensor, chances: Tensor, *, mask_id: int, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Return what the model reads, and what it is to guess, both (B, T), for ids (B, T).

    Each token is to be guessed with the chance of its kind, `chances` (V,); other targets are -100.
    Of the tokens to be guessed, eight in ten become `mask_id`, one in ten any of the V at random,
    and one in ten stays: so the model has to mind tokens that are not masked, too ("BERT", 2018).
    """
    hidden = torch.rand(ids.shape, generator=generator) < chances[ids]
    fate = torch.rand(ids.shape, generator=generator)
    random = torch.randint(len(chances), ids.shape, generator=generator)
    shown = torch.where(hidden & (fate < _MASKED), mask_id, ids)
    shown = torch.where(hidden & (fate >= 1 - _RANDOM), random, shown)
    return shown, ids.masked_fill(~hidden, IGNORED)
