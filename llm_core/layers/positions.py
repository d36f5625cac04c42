"""Ways to tell a transformer where a token stands."""

import torch
from torch import Tensor, nn


class LearnedPositions(nn.Module):
    """A trainable vector for each place, added to the token embedding (as in GPT-2)."""

    def __init__(self, context_length: int, d_model: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(context_length, d_model))
        nn.init.normal_(self.weight, std=0.02)

    def forward(self, x: Tensor) -> Tensor:
        """Add the first T position vectors to `x` of shape (B, T, C).

        Raises ValueError if T exceeds the context length: there is no vector for such a place.
        """
        context_length, length = self.weight.shape[0], x.shape[-2]
        if length > context_length:
            raise ValueError(
                f"The text has {length} tokens, and the model has places for {context_length}."
            )
        return x + self.weight[:length]
