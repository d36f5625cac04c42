"""Scaled dot-product attention as a free function: twice, in the open and in torch's kernel."""

import math

import torch.nn.functional as F
from torch import Tensor


def scaled_dot_product_attention(
    q: Tensor, k: Tensor, v: Tensor, *, mask: Tensor | None = None, bias: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """Mix the values `v` by how well each query matches each key: softmax(q kᵀ / √D) v.

    q: (..., T, D), k and v: (..., S, D). `mask` broadcasts to (..., T, S), True = may look.
    `bias` broadcasts to (..., T, S) and is added to the scores. Returns the output (..., T, D)
    and the weights (..., T, S), whose rows sum to 1; the row of a query that may look nowhere is
    0, and so is its output. Follows "Attention Is All You Need" (2017).
    """
    weights = attention_weights(attention_scores(q, k, bias=bias), mask=mask)
    return weights @ v, weights


def attention_scores(q: Tensor, k: Tensor, *, bias: Tensor | None = None) -> Tensor:
    """Return how well each query matches each key, (..., T, S): q kᵀ / √D, plus `bias`.

    Without the division, scores grow with D, and softmax would give all to one key.
    """
    scores = q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1])
    return scores if bias is None else scores + bias


def attention_weights(scores: Tensor, *, mask: Tensor | None = None) -> Tensor:
    """Turn scores (..., T, S) into shares that sum to 1 a row, and are 0 where `mask` is False."""
    if mask is None:
        return scores.softmax(dim=-1)
    weights = scores.masked_fill(~mask, float("-inf")).softmax(dim=-1)
    return weights.masked_fill(~mask, 0.0)  # a row that may look nowhere came out as NaN


def fused_attention(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    *,
    mask: Tensor | None = None,
    bias: Tensor | None = None,
    causal: bool = False,
    dropout: float = 0.0,
) -> Tensor:
    """Compute the same output with torch's fused kernel, which never writes the weights down.

    `causal` hides later keys without a mask, and needs T = S. k and v may have fewer heads than q
    if those divide evenly.
    """
    if bias is not None:
        mask = bias if mask is None else bias.masked_fill(~mask, float("-inf"))
        # The kernel takes a mask of as many axes as the queries, and else falls back to slow code.
        mask = mask.type_as(q)[(None,) * (q.ndim - mask.ndim)]
    grouped = q.shape[-3] != k.shape[-3]
    return F.scaled_dot_product_attention(
        q, k, v, attn_mask=mask, dropout_p=dropout, is_causal=causal, enable_gqa=grouped
    )
