"""Attention: every token gathers what it needs from the tokens that it may look at."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def causal_mask(length: int, *, device: torch.device | None = None) -> Tensor:
    """Return the (T, T) mask of a decoder: True where token t may look, at itself and before."""
    return torch.ones(length, length, dtype=torch.bool, device=device).tril()


def scaled_dot_product_attention(
    q: Tensor, k: Tensor, v: Tensor, *, mask: Tensor | None = None, bias: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """Mix the values `v` by how well each query matches each key: softmax(q kᵀ / √D) v.

    q: (..., T, D), k and v: (..., S, D). `mask` broadcasts to (..., T, S), True = may look.
    `bias` broadcasts to (..., T, S) and is added to the scores. Returns the output (..., T, D)
    and the weights (..., T, S), whose rows sum to 1. Follows "Attention Is All You Need" (2017).
    """
    scores = q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1])
    if bias is not None:
        scores = scores + bias
    if mask is not None:
        scores = scores.masked_fill(~mask, float("-inf"))
    weights = scores.softmax(dim=-1)
    return weights @ v, weights


class MultiHeadAttention(nn.Module):
    """Causal self-attention in `n_heads` heads, each of which looks in its own way."""

    def __init__(
        self, *, d_model: int, n_heads: int, dropout: float = 0.0, bias: bool = True
    ) -> None:
        """Raise ValueError unless the width `d_model` splits evenly into heads."""
        super().__init__()
        if d_model % n_heads:
            raise ValueError(f"A width of {d_model} cannot be split evenly into {n_heads} heads.")
        self.n_heads = n_heads
        self.dropout = dropout
        # One matrix product for q, k and v of all heads is quicker than three.
        self.query_key_value = nn.Linear(d_model, 3 * d_model, bias=bias)
        self.output = nn.Linear(d_model, d_model, bias=bias)

    def heads(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Project x (B, T, C) to queries, keys and values, each (B, H, T, D)."""
        q, k, v = (
            part.unflatten(-1, (self.n_heads, -1)).transpose(-3, -2)
            for part in self.query_key_value(x).chunk(3, dim=-1)
        )
        return q, k, v

    def forward(self, x: Tensor) -> Tensor:
        """Return what each token of x (B, T, C) gathered, (B, T, C).

        Uses torch's fused kernel, which never writes the (T, T) weights down.
        """
        q, k, v = self.heads(x)
        dropout = self.dropout if self.training else 0.0
        mixed = F.scaled_dot_product_attention(q, k, v, dropout_p=dropout, is_causal=True)
        return self._join(mixed)

    def forward_with_weights(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return the output (B, T, C) and the weights of every head (B, H, T, T); no dropout."""
        q, k, v = self.heads(x)
        mixed, weights = scaled_dot_product_attention(
            q, k, v, mask=causal_mask(x.shape[1], device=x.device)
        )
        return self._join(mixed), weights

    def _join(self, heads: Tensor) -> Tensor:
        joined: Tensor = self.output(heads.transpose(1, 2).flatten(2))
        return joined
