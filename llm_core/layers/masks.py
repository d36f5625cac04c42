"""Masks: who may look at whom. One rule everywhere: True = may look."""

from typing import NamedTuple

import torch
from torch import Tensor

from llm_core.layers.relative_positions import distances


def causal_mask(length: int, *, device: torch.device | None = None) -> Tensor:
    """Return the (T, T) mask of a decoder: True where token t may look, at itself and before."""
    return torch.ones(length, length, dtype=torch.bool, device=device).tril()


def place_mask(
    query_places: Tensor, key_places: Tensor, *, causal: bool = True, window: int | None = None
) -> Tensor:
    """Return the (T, S) mask for queries at places (T,) and keys at places (S,).

    If `causal`, a query sees no key after it. With a `window`, it sees keys fewer than that many
    places away: 1 is itself alone ("Longformer", 2020).
    """
    distance = distances(query_places, key_places)
    allowed = distance <= 0 if causal else torch.ones_like(distance, dtype=torch.bool)
    return allowed if window is None else allowed & (distance.abs() < window)


def key_mask(real: Tensor) -> Tensor:
    """Turn `real` (B, S), True where a key is a token and no padding, into (B, 1, 1, S)."""
    return real[:, None, None, :]


class Span(NamedTuple):
    """Where T queries and S keys of a self-attention stand: the queries are the last of the keys.

    `start` is the first query's place; there are more keys than queries if a cache holds some.
    """

    start: int
    n_queries: int
    n_keys: int
    device: torch.device

    def places(self) -> tuple[Tensor, Tensor]:
        """Return the places of the queries (T,) and of the keys (S,)."""
        end = self.start + self.n_queries
        keys = torch.arange(end - self.n_keys, end, device=self.device)
        return keys[-self.n_queries :], keys

    def mask(self, *, causal: bool, window: int | None) -> Tensor | None:
        """Return `place_mask` of these places, (T, S), or None where it would hide nothing."""
        hides = (causal and self.n_queries > 1) or (window is not None and self.n_keys > window)
        return place_mask(*self.places(), causal=causal, window=window) if hides else None
