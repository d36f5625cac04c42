"""The block that a transformer repeats: attention, then feed-forward, each added to its input."""

import torch.nn.functional as F
from torch import Tensor, nn

from llm_core.layers.attention import MultiHeadAttention
from llm_core.layers.feedforward import FeedForward


class DecoderBlock(nn.Module):
    """GPT-2's pre-norm block: each sublayer reads a normalised copy and adds to the stream."""

    def __init__(
        self,
        *,
        d_model: int,
        n_heads: int,
        d_ff: int,
        activation: str = "gelu",
        dropout: float = 0.0,
        bias: bool = True,
    ) -> None:
        super().__init__()
        self.dropout = dropout
        self.attention_norm = nn.LayerNorm(d_model, bias=bias)
        self.attention = MultiHeadAttention(
            d_model=d_model, n_heads=n_heads, dropout=dropout, bias=bias
        )
        self.feedforward_norm = nn.LayerNorm(d_model, bias=bias)
        self.feedforward = FeedForward(d_model=d_model, d_ff=d_ff, activation=activation, bias=bias)

    def forward(self, x: Tensor) -> Tensor:
        """Map the residual stream x (B, T, C) to (B, T, C)."""
        x = x + self._drop(self.attention(self.attention_norm(x)))
        return x + self._drop(self.feedforward(self.feedforward_norm(x)))

    def _drop(self, x: Tensor) -> Tensor:
        return F.dropout(x, self.dropout) if self.training and self.dropout else x
