"""Token embeddings: the table in which every token has a vector of its own."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class TokenEmbedding(nn.Module):
    """Look up the row of each id: the same as a one-hot vector times the table, without the zeros.

    The rows start at random, N(0, 0.02) as in GPT-2, and are learnt like every other weight.
    """

    def __init__(self, vocab_size: int, d_model: int, *, scale: float = 1.0) -> None:
        """`scale` multiplies what is read: √d_model in "Attention Is All You Need" (2017)."""
        super().__init__()
        self.scale = scale
        self.weight = nn.Parameter(torch.empty(vocab_size, d_model))
        nn.init.normal_(self.weight, std=0.02)

    def forward(self, ids: Tensor) -> Tensor:
        """Map ids (...) to vectors (..., C)."""
        x = F.embedding(ids, self.weight)
        return x if self.scale == 1.0 else x * self.scale
