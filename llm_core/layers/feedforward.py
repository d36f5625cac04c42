"""The feed-forward network: what a transformer does with each token on its own."""

from collections.abc import Callable
from functools import partial

import torch.nn.functional as F
from torch import Tensor, nn

from llm_core.layers.trace import Trace, note


def relu_squared(x: Tensor) -> Tensor:
    """max(0, x)²: most numbers become exactly 0 ("Primer", 2021)."""
    return F.relu(x).square()


def swiglu(x: Tensor) -> Tensor:
    """SiLU(first half of x) · second half of x: one half opens and shuts the other.

    x: (..., 2 d_ff); returns (..., d_ff). Follows "GLU Variants Improve Transformer" (2020).
    """
    gate, up = x.chunk(2, dim=-1)
    return F.silu(gate) * up


# "gelu" is the exact curve; "gelu_tanh" the approximation that GPT-2 was trained with.
ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "gelu": F.gelu,
    "gelu_tanh": partial(F.gelu, approximate="tanh"),
    "relu": F.relu,
    "relu_squared": relu_squared,
    "swiglu": swiglu,
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
        # A gate needs as many numbers again: one matrix holds both.
        widened = 2 * d_ff if activation == "swiglu" else d_ff
        self.widen = nn.Linear(d_model, widened, bias=bias)
        self.narrow = nn.Linear(d_ff, d_model, bias=bias)

    def forward(self, x: Tensor, *, trace: Trace | None = None) -> Tensor:
        """Map x (..., C) to (..., C), each position by itself.

        `trace` gets "activations" (..., d_ff) and "output" (..., C).
        """
        hidden = note(trace, "activations", self.activation(self.widen(x)))
        return note(trace, "output", self.narrow(hidden))
