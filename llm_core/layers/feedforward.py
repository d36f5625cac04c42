"""The feed-forward network: what a transformer does with each token on its own."""

from collections.abc import Callable
from functools import partial

import torch.nn.functional as F
from torch import Tensor, nn

# "gelu" is the exact curve; "gelu_tanh" the approximation that GPT-2 was trained with.
ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "gelu": F.gelu,
    "gelu_tanh": partial(F.gelu, approximate="tanh"),
    "relu": F.relu,
}


class FeedForward(nn.Module):
    """Widen each token's vector from C to d_ff, bend it, and narrow it to C again."""

    def __init__(
        self, *, d_model: int, d_ff: int, activation: str = "gelu", bias: bool = True
    ) -> None:
        """Raise ValueError for an unknown activation."""
        super().__init__()
        if activation not in ACTIVATIONS:
            raise ValueError(f"Unknown activation {activation!r}: choose of {list(ACTIVATIONS)}.")
        self.activation = ACTIVATIONS[activation]
        self.widen = nn.Linear(d_model, d_ff, bias=bias)
        self.narrow = nn.Linear(d_ff, d_model, bias=bias)

    def forward(self, x: Tensor) -> Tensor:
        """Map x (..., C) to (..., C), each position by itself."""
        y: Tensor = self.narrow(self.activation(self.widen(x)))
        return y
