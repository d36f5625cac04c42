"""The block that a transformer repeats: attention, then feed-forward, each added to its input."""

from collections.abc import Callable
from functools import partial
from typing import Any

import torch.nn.functional as F
from torch import Tensor, nn

from llm_core.layers.attention import MultiHeadAttention
from llm_core.layers.cache import LayerCache
from llm_core.layers.feedforward import FeedForward
from llm_core.layers.norms import make_norm
from llm_core.layers.trace import Trace, note, part


class TransformerBlock(nn.Module):
    """Sublayers around one residual stream: each reads it, and adds what it found.

    With the norm "pre", a sublayer reads a normalised copy, and nothing ever rescales the stream
    (GPT-2, Llama). With "post", each sum is normalised (the original Transformer, BERT). A block
    with cross-attention looks at the encoder's output between its two other sublayers.
    """

    def __init__(
        self,
        *,
        d_model: int,
        n_heads: int,
        d_ff: int,
        n_kv_heads: int | None = None,
        activation: str = "gelu",
        norm: str = "layernorm",
        norm_placement: str = "pre",
        norm_eps: float = 1e-5,
        dropout: float = 0.0,
        bias: bool = True,
        causal: bool = True,
        window: int | None = None,
        position: nn.Module | None = None,
        qk_norm: bool = False,
        cross_attention: bool = False,
    ) -> None:
        """Raise ValueError for an unknown norm, activation or placement, or uneven heads."""
        super().__init__()
        if norm_placement not in ("pre", "post"):
            raise ValueError(f"A norm stands pre or post its sublayer, not {norm_placement!r}.")
        self.post_norm = norm_placement == "post"
        self.dropout = dropout
        make = partial(make_norm, norm, d_model, eps=norm_eps, bias=bias)
        heads: dict[str, Any] = {"d_model": d_model, "n_heads": n_heads, "n_kv_heads": n_kv_heads}
        heads |= {"bias": bias, "dropout": dropout, "qk_norm": qk_norm, "norm_eps": norm_eps}
        self.attention_norm = make()
        self.attention = MultiHeadAttention(
            **heads, causal=causal, window=window, position=position
        )
        if cross_attention:
            self.cross_attention_norm = make()
            self.cross_attention = MultiHeadAttention(**heads, causal=False)
        self.feedforward_norm = make()
        self.feedforward = FeedForward(d_model=d_model, d_ff=d_ff, activation=activation, bias=bias)

    def forward(
        self,
        x: Tensor,
        *,
        mask: Tensor | None = None,
        bias: Tensor | None = None,
        context: Tensor | None = None,
        context_mask: Tensor | None = None,
        cache: LayerCache | None = None,
        trace: Trace | None = None,
    ) -> Tensor:
        """Map the residual stream x (B, T, C) to (B, T, C).

        mask, bias and cache are those of self-attention; `context` (B, S, C) is what
        cross-attention looks at, where `context_mask` allows it. `trace` gets "after_attention",
        "after_cross_attention", "after_feedforward" and what the sublayers note.
        """
        look = partial(self.attention, mask=mask, bias=bias, cache=cache)
        x = self._add(x, "attention", look, trace)
        if context is not None:
            look = partial(self.cross_attention, context=context, mask=context_mask, cache=cache)
            x = self._add(x, "cross_attention", look, trace)
        return self._add(x, "feedforward", self.feedforward, trace)

    def _add(
        self, x: Tensor, name: str, sublayer: Callable[..., Tensor], trace: Trace | None
    ) -> Tensor:
        """Add to the stream what a sublayer makes of it, and normalise before or after."""
        norm = getattr(self, f"{name}_norm")
        found = sublayer(x if self.post_norm else norm(x), trace=part(trace, name))
        if self.training and self.dropout:
            found = F.dropout(found, self.dropout)
        x = norm(x + found) if self.post_norm else x + found
        return note(trace, f"after_{name}", x)
