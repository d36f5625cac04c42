"""Attention in many heads: every token gathers what it needs from those it may look at."""

from typing import Any

import torch.nn.functional as F
from torch import Tensor, nn

from llm_core.layers.cache import LayerCache
from llm_core.layers.dot_product import (
    attention_scores,
    attention_weights,
    fused_attention,
    scaled_dot_product_attention,
)
from llm_core.layers.masks import Span, causal_mask
from llm_core.layers.norms import RMSNorm
from llm_core.layers.positions import RotaryPositions, ShawRelativePositions
from llm_core.layers.trace import Trace, note

__all__ = ["MultiHeadAttention", "causal_mask", "scaled_dot_product_attention"]


class MultiHeadAttention(nn.Module):
    """Attention in `n_heads` heads, each of which looks in its own way.

    Self-attention, or cross-attention if `forward` gets a context. Fewer `n_kv_heads` share keys
    and values between groups of query heads ("GQA", 2023).
    """

    def __init__(
        self,
        *,
        d_model: int,
        n_heads: int,
        n_kv_heads: int | None = None,
        bias: bool = True,
        dropout: float = 0.0,
        causal: bool = True,
        window: int | None = None,
        position: nn.Module | None = None,
        qk_norm: bool = False,
        norm_eps: float = 1e-5,
    ) -> None:
        """Take a relative `position` (RotaryPositions, AlibiBias, ...) or none.

        If `causal`, no token sees a later one; with a `window`, only so many tokens, itself
        included. `qk_norm` brings queries and keys to one length before they meet, so that no
        score can run away ("Query-Key Normalization", 2020). Raises ValueError unless the width
        splits evenly into heads, and the heads into groups.
        """
        super().__init__()
        n_kv_heads = n_heads if n_kv_heads is None else n_kv_heads
        if d_model % n_heads:
            raise ValueError(f"A width of {d_model} cannot be split evenly into {n_heads} heads.")
        if n_heads % n_kv_heads:
            raise ValueError(f"{n_heads} query heads cannot share {n_kv_heads} key-value heads.")
        self.d_head, self.group = d_model // n_heads, n_heads // n_kv_heads
        self.dropout, self.causal, self.window = dropout, causal, window
        # One matrix product for q, k and v of all heads is quicker than three.
        self.sizes = (d_model, n_kv_heads * self.d_head, n_kv_heads * self.d_head)
        self.query_key_value = nn.Linear(d_model, sum(self.sizes), bias=bias)
        self.output = nn.Linear(d_model, d_model, bias=bias)
        self.query_norm = RMSNorm(self.d_head, eps=norm_eps) if qk_norm else None
        self.key_norm = RMSNorm(self.d_head, eps=norm_eps) if qk_norm else None
        self.position = position

    def forward(
        self,
        x: Tensor,
        *,
        context: Tensor | None = None,
        mask: Tensor | None = None,
        bias: Tensor | None = None,
        cache: LayerCache | None = None,
        trace: Trace | None = None,
    ) -> Tensor:
        """Return what each token of x (B, T, C) gathered, (B, T, C).

        It looks at x itself, or at `context` (B, S, C) in cross-attention. `mask` and `bias`
        broadcast to (B, H, T, S): mask True = may look, on top of the causal rule; bias is added
        to the scores. With a `cache`, x continues the tokens in there, and S counts those too.
        `trace` gets "q", "k", "v", "scores", "weights", "heads" and "output". Unless weights are
        asked for, torch's fused kernel computes, which never writes them down.
        """
        q, k, v, span = self._prepare(x, context, cache)
        q, k, v = note(trace, "q", q), note(trace, "k", k), note(trace, "v", v)
        bias = self._with_position(q, span, bias)
        window = self._reach(cache)
        wanted = trace is not None and (trace.wants("scores") or trace.wants("weights"))
        if wanted or isinstance(self.position, ShawRelativePositions):
            allowed = self._allowed(span, window, mask)
            gathered = self._explicit(q, k, v, span=span, mask=allowed, bias=bias, trace=trace)
        else:
            causal = mask is None and bias is None and self._only_causal(span, window)
            gathered = fused_attention(
                q,
                k,
                v,
                mask=None if causal else self._allowed(span, window, mask),
                bias=bias,
                causal=causal,
                dropout=self.dropout if self.training else 0.0,
            )
        gathered = note(trace, "heads", gathered)
        return note(trace, "output", self.output(gathered.transpose(1, 2).flatten(2)))

    def forward_with_weights(self, x: Tensor, **options: Any) -> tuple[Tensor, Tensor]:
        """Return the output (B, T, C) and the weights of every head (B, H, T, S).

        `options` are those of `forward`.
        """
        trace = Trace(only=("weights",))
        return self(x, trace=trace, **options), trace["weights"]

    def heads(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Project x (B, T, C) to queries (B, H, T, D), keys and values (B, Hkv, T, D)."""
        q, k, v = map(self._split, self.query_key_value(x).split(self.sizes, dim=-1))
        if self.query_norm is not None and self.key_norm is not None:
            q, k = self.query_norm(q), self.key_norm(k)
        return q, k, v

    def _prepare(
        self, x: Tensor, context: Tensor | None, cache: LayerCache | None
    ) -> tuple[Tensor, Tensor, Tensor, Span | None]:
        """Return queries, keys and values ready to meet, and their places if these compare."""
        if context is not None:
            return *self._cross_heads(x, context, cache), None
        q, k, v = self.heads(x)
        start = 0 if cache is None else cache.length
        if isinstance(self.position, RotaryPositions):
            q, k = self.position(q, start=start), self.position(k, start=start)
        if cache is not None:
            k, v = cache.extend(k, v)
        return q, k, v, Span(start, q.shape[-2], k.shape[-2], x.device)

    def _cross_heads(
        self, x: Tensor, context: Tensor, cache: LayerCache | None
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Take queries from x, keys and values from the context: once, if there is a cache."""
        weight, bias, width = self.query_key_value.weight, self.query_key_value.bias, self.sizes[0]
        q = self._split(F.linear(x, weight[:width], None if bias is None else bias[:width]))
        q = q if self.query_norm is None else self.query_norm(q)
        if cache is not None and cache.context is not None:
            return q, *cache.context
        both = F.linear(context, weight[width:], None if bias is None else bias[width:])
        k, v = map(self._split, both.chunk(2, dim=-1))
        k = k if self.key_norm is None else self.key_norm(k)
        if cache is not None:
            cache.context = (k, v)
        return q, k, v

    def _split(self, x: Tensor) -> Tensor:
        """(B, T, heads · D) to (B, heads, T, D), without a copy."""
        return x.view(*x.shape[:-1], -1, self.d_head).transpose(-3, -2)

    def _with_position(self, q: Tensor, span: Span | None, bias: Tensor | None) -> Tensor | None:
        """Add to `bias` what the position says about the scores."""
        if span is None or self.position is None or isinstance(self.position, RotaryPositions):
            return bias
        of_query = (q,) if isinstance(self.position, ShawRelativePositions) else ()
        own: Tensor = self.position(*of_query, *span.places())
        return own if bias is None else own + bias

    def _reach(self, cache: LayerCache | None) -> int | None:
        """Return how many tokens each may see at most: the window's, or the sliding cache's."""
        if cache is None or cache.window is None:
            return self.window
        return cache.window if self.window is None else min(self.window, cache.window)

    def _only_causal(self, span: Span | None, window: int | None) -> bool:
        """Whether the plain triangle says who may look at whom, so that the kernel knows it."""
        if span is None or not self.causal or span.n_queries < span.n_keys:
            return False
        return window is None or span.n_keys <= window

    def _allowed(self, span: Span | None, window: int | None, mask: Tensor | None) -> Tensor | None:
        """Join the rule of places with `mask`, (..., T, S); None if all may look at all."""
        if span is None:
            return mask
        rule = span.mask(causal=self.causal, window=window)
        if mask is None:
            return rule
        mask = mask[..., -span.n_keys :]  # a sliding cache has let the first keys go
        return mask if rule is None else rule & mask

    def _explicit(
        self,
        q: Tensor,
        k: Tensor,
        v: Tensor,
        *,
        span: Span | None,
        mask: Tensor | None,
        bias: Tensor | None,
        trace: Trace | None,
    ) -> Tensor:
        """Compute as `scaled_dot_product_attention` does, with a look at every stage."""
        if self.group > 1:
            k, v = (part.repeat_interleave(self.group, dim=1) for part in (k, v))
        scores = note(trace, "scores", attention_scores(q, k, bias=bias))
        weights = note(trace, "weights", attention_weights(scores, mask=mask))
        if self.training and self.dropout:
            weights = F.dropout(weights, self.dropout)
        if span is not None and isinstance(self.position, ShawRelativePositions):
            return weights @ v + self.position.gathered(weights, *span.places())
        return weights @ v
