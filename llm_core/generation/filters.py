"""From logits to the logits that are drawn from: pure functions over the whole vocabulary.

Logits are (..., V), and a token that may not be chosen gets -inf. `filtered` applies those that the
settings ask for in this order, which is the one of transformers' `generate`:

    repetition, presence, frequency penalty    lower what the text already holds
    banned, forced                             what must not, or must, come next
    temperature                                even out, or sharpen
    top-k, top-p, min-p, typical               cut off what is unlikely

What a filter cuts off is gone before the next one counts, and at least one token always stays.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple

import torch
from torch import Tensor

from llm_core.generation.settings import SamplingSettings

_NEVER = float("-inf")


class Stage(NamedTuple):
    """What the logits (..., V) are after one filter."""

    name: str
    logits: Tensor


def stages(
    logits: Tensor, settings: SamplingSettings, *, history: Sequence[int] = (), place: int = 0
) -> Iterator[Stage]:
    """Yield the logits (V,) after each filter that the settings ask for, in the stated order.

    history: ids of the text so far, prompt included. place: how many tokens were written already.
    Raises ValueError if all tokens are banned.
    """
    for name, change, strength in _changes(settings, history, place):
        logits = change(logits, strength)
        yield Stage(name, logits)


def filtered(
    logits: Tensor, settings: SamplingSettings, *, history: Sequence[int] = (), place: int = 0
) -> Tensor:
    """Return the logits after all filters; the arguments are those of `stages`."""
    for stage in stages(logits, settings, history=history, place=place):
        logits = stage.logits
    return logits


def penalise_repetition(logits: Tensor, penalty: float, *, history: Tensor) -> Tensor:
    """Divide the positive logits of tokens in `history` (n,) by `penalty`, multiply the others.

    Follows "CTRL" (2019); above 1 it makes them less likely.
    """
    seen = torch.bincount(history, minlength=logits.shape[-1]) > 0
    changed = torch.where(logits > 0, logits / penalty, logits * penalty)
    return torch.where(seen, changed, logits)


def penalise_presence(logits: Tensor, penalty: float, *, history: Tensor) -> Tensor:
    """Take `penalty` off the logit of each token that `history` (n,) holds, however often."""
    counts = torch.bincount(history, minlength=logits.shape[-1])
    return logits - penalty * (counts > 0).to(logits)


def penalise_frequency(logits: Tensor, penalty: float, *, history: Tensor) -> Tensor:
    """Take `penalty` off the logit of a token for each time that it stands in `history` (n,)."""
    counts = torch.bincount(history, minlength=logits.shape[-1])
    return logits - penalty * counts.to(logits)


def ban(logits: Tensor, ids: Sequence[int]) -> Tensor:
    """Make `ids` impossible; raise ValueError if nothing would be left."""
    banned = torch.tensor(sorted(set(ids)), dtype=torch.long, device=logits.device)
    result = logits.index_fill(-1, banned, _NEVER)
    if bool(result.isneginf().all(dim=-1).any()):
        raise ValueError("Every token is banned: nothing is left to choose from.")
    return result


def force(logits: Tensor, index: int) -> Tensor:
    """Make all tokens but one impossible, even if it was banned."""
    result = torch.full_like(logits, _NEVER)
    result[..., index] = 0.0
    return result


def heat(logits: Tensor, temperature: float) -> Tensor:
    """Divide by the temperature; 0 leaves the likeliest token only (of equals, the first)."""
    if temperature == 0:
        likeliest = logits.argmax(dim=-1, keepdim=True)
        return torch.full_like(logits, _NEVER).scatter(-1, likeliest, 0.0)
    # The largest becomes 0, so that dividing by a tiny temperature cannot overflow to inf - inf;
    # nor may the temperature be so tiny that float32 rounds it to 0.
    return (logits - logits.amax(dim=-1, keepdim=True)) / max(temperature, 1e-30)


def keep_top_k(logits: Tensor, k: int) -> Tensor:
    """Keep the k likeliest tokens, and those that are as likely as the last of them."""
    least = logits.topk(min(k, logits.shape[-1]), dim=-1).values[..., -1:]
    return torch.where(logits < least, _NEVER, logits)


def keep_top_p(logits: Tensor, p: float) -> Tensor:
    """Keep the smallest set of likeliest tokens that have the probability p together.

    "The Curious Case of Neural Text Degeneration" (2019) calls it nucleus sampling.
    """
    ordered, ids = logits.sort(dim=-1, descending=True, stable=True)
    before = _sum_before(ordered.softmax(dim=-1))
    return _put_back(logits, ids, before < p)


def keep_min_p(logits: Tensor, share: float) -> Tensor:
    """Keep tokens at least `share` times as likely as the likeliest ("Min-p Sampling", 2024)."""
    least = logits.amax(dim=-1, keepdim=True) + math.log(share)
    return logits.masked_fill(logits < least, _NEVER)


def keep_typical(logits: Tensor, p: float) -> Tensor:
    """Keep the tokens of the most usual surprise that have the probability p together.

    Surprise is -log p, and the most usual one its mean, the entropy. Follows "Locally Typical
    Sampling" (2022): the likeliest token may be cut off, if nobody would have said it.
    """
    logs = logits.log_softmax(dim=-1)
    probabilities = logs.exp()
    entropy = torch.special.entr(probabilities).sum(dim=-1, keepdim=True)
    order = (-logs - entropy).abs().argsort(dim=-1, stable=True)
    before = _sum_before(probabilities.gather(-1, order))
    return _put_back(logits, order, before < p)


def _changes(
    settings: SamplingSettings, history: Sequence[int], place: int
) -> Iterator[tuple[str, Callable[..., Tensor], Any]]:
    """Yield name, function and strength of each filter that is switched on, in order."""
    if settings.penalises:
        seen = torch.tensor(history, dtype=torch.long)
        if settings.repetition_penalty != 1:
            strength = settings.repetition_penalty
            yield "repetition penalty", partial(penalise_repetition, history=seen), strength
        if settings.presence_penalty:
            strength = settings.presence_penalty
            yield "presence penalty", partial(penalise_presence, history=seen), strength
        if settings.frequency_penalty:
            strength = settings.frequency_penalty
            yield "frequency penalty", partial(penalise_frequency, history=seen), strength
    if settings.banned:
        yield "banned", ban, settings.banned
    if place < len(settings.forced):
        yield "forced", force, settings.forced[place]
    if settings.temperature != 1:
        yield "temperature", heat, settings.temperature
    if settings.top_k:
        yield "top-k", keep_top_k, settings.top_k
    if settings.top_p < 1:
        yield "top-p", keep_top_p, settings.top_p
    if settings.min_p:
        yield "min-p", keep_min_p, settings.min_p
    if settings.typical_p < 1:
        yield "typical", keep_typical, settings.typical_p


def _sum_before(probabilities: Tensor) -> Tensor:
    """For each, the sum of all that stand before it."""
    summed: Tensor = probabilities.double().cumsum(dim=-1) - probabilities.double()
    return summed


def _put_back(logits: Tensor, order: Tensor, kept: Tensor) -> Tensor:
    """Turn what is `kept` in a sorted `order` into logits in the vocabulary's order."""
    mask = torch.zeros_like(kept).scatter(-1, order, kept)
    return logits.masked_fill(~mask, _NEVER)
