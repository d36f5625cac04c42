"""Positions as distances: what is added to attention scores for how far apart two tokens are."""

import math

import torch
from torch import Tensor, nn


def distances(query_places: Tensor, key_places: Tensor) -> Tensor:
    """Return key place minus query place, (T, S), for places (T,) and (S,): negative is before."""
    return key_places[None, :] - query_places[:, None]


class AlibiBias(nn.Module):
    """ALiBi: the score falls in a straight line with the distance, in each head at its own slope.

    Nothing is learned. With H heads, a power of two, the slopes are 2^(-8/H), 2^(-16/H), ...;
    else those of the next lower power, filled up with every second one of the power above.
    Follows "Train Short, Test Long" (2021).
    """

    def __init__(self, *, n_heads: int) -> None:
        super().__init__()
        lower = 2 ** int(math.log2(n_heads))
        slopes = [2 ** (-8 * (i + 1) / lower) for i in range(lower)]
        slopes += [2 ** (-8 * (i + 1) / (2 * lower)) for i in range(0, 2 * (n_heads - lower), 2)]
        self.slopes = tuple(slopes)

    def forward(self, query_places: Tensor, key_places: Tensor) -> Tensor:
        """Return the bias (H, T, S) for queries at places (T,) and keys at places (S,)."""
        slopes = torch.tensor(self.slopes, device=query_places.device)
        return -slopes[:, None, None] * distances(query_places, key_places).abs()


class T5RelativeBias(nn.Module):
    """One learned number a head for each range of distances; all layers of a stack share them.

    Near distances have a number each, far ones share it in ranges that grow with the logarithm,
    and all from `max_distance` on share one. Follows T5 ("Exploring the Limits of Transfer
    Learning", 2019).
    """

    def __init__(
        self,
        *,
        n_heads: int,
        buckets: int = 32,
        max_distance: int = 128,
        bidirectional: bool = False,
    ) -> None:
        """If `bidirectional`, half of the buckets are for keys after the query."""
        super().__init__()
        self.buckets, self.max_distance = buckets, max_distance
        self.bidirectional = bidirectional
        self.weight = nn.Parameter(torch.empty(buckets, n_heads))
        nn.init.normal_(self.weight, std=0.02)

    def bucket(self, distance: Tensor) -> Tensor:
        """Return the number of the bucket of each distance (key place minus query place)."""
        buckets = self.buckets
        if self.bidirectional:
            buckets //= 2
            after = (distance > 0) * buckets
            far = distance.abs()
        else:
            after = torch.zeros_like(distance)
            far = (-distance).clamp(min=0)
        exact = buckets // 2
        growth = (far.clamp(min=1) / exact).log() / math.log(self.max_distance / exact)
        ranged = (exact + (growth * (buckets - exact)).long()).clamp(max=buckets - 1)
        return after + torch.where(far < exact, far, ranged)

    def forward(self, query_places: Tensor, key_places: Tensor) -> Tensor:
        """Return the bias (H, T, S) for queries at places (T,) and keys at places (S,)."""
        buckets = self.bucket(distances(query_places, key_places))
        return self.weight[buckets].permute(2, 0, 1)


class ShawRelativePositions(nn.Module):
    """A learned vector for each distance, read by the query, and another one, carried by the value.

    The score of query i and key j becomes qᵢ·(kⱼ + a) / √D, and what i gathers from j is vⱼ + b,
    where a and b belong to the distance j - i, clipped at `max_distance`. Heads share them.
    Follows "Self-Attention with Relative Position Representations" (2018).
    """

    def __init__(self, *, d_head: int, max_distance: int = 16) -> None:
        super().__init__()
        self.max_distance = max_distance
        self.key_table = nn.Parameter(torch.empty(2 * max_distance + 1, d_head))
        self.value_table = nn.Parameter(torch.empty(2 * max_distance + 1, d_head))
        for table in (self.key_table, self.value_table):
            nn.init.normal_(table, std=0.02)

    def forward(self, q: Tensor, query_places: Tensor, key_places: Tensor) -> Tensor:
        """Return q·a / √D, (B, H, T, S), to add to the scores; q: (B, H, T, D)."""
        by_row = q @ self.key_table.T / math.sqrt(q.shape[-1])
        rows = self._rows(query_places, key_places)
        return by_row.gather(-1, rows.expand(*q.shape[:-2], *rows.shape))

    def gathered(self, weights: Tensor, query_places: Tensor, key_places: Tensor) -> Tensor:
        """Return what the values' vectors b add to each output, (B, H, T, D).

        weights: (B, H, T, S). Weights of one distance are summed first, so that no tensor of
        shape (T, S, D) is needed.
        """
        rows = self._rows(query_places, key_places).expand_as(weights)
        by_row = weights.new_zeros(*weights.shape[:-1], len(self.value_table))
        return by_row.scatter_add(-1, rows, weights) @ self.value_table

    def _rows(self, query_places: Tensor, key_places: Tensor) -> Tensor:
        limit = self.max_distance
        return distances(query_places, key_places).clamp(-limit, limit) + limit
