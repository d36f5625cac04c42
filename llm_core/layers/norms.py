"""Norms: bring each token's vector to one scale, so that deep stacks can be trained."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class LayerNorm(nn.Module):
    """Shift each token's vector to mean 0, divide by its spread, then scale and shift as learned.

    y = (x - mean) / √(variance + eps) · weight + bias. Follows "Layer Normalization" (2016);
    torch's kernel computes it in one pass.
    """

    bias: nn.Parameter | None

    def __init__(self, d_model: int, *, eps: float = 1e-5, bias: bool = True) -> None:
        super().__init__()
        self.eps = eps
        self.weight = nn.Parameter(torch.ones(d_model))
        self.register_parameter("bias", nn.Parameter(torch.zeros(d_model)) if bias else None)

    def forward(self, x: Tensor) -> Tensor:
        """Map x (..., C) to (..., C), each token by itself."""
        return F.layer_norm(x, self.weight.shape, self.weight, self.bias, self.eps)


class RMSNorm(nn.Module):
    """Divide each token's vector by its root mean square, then scale as learned: no mean, no bias.

    y = x / √(mean(x²) + eps) · weight. Follows "Root Mean Square Layer Normalization" (2019).
    """

    def __init__(self, d_model: int, *, eps: float = 1e-5) -> None:
        super().__init__()
        self.eps = eps
        self.weight = nn.Parameter(torch.ones(d_model))

    def forward(self, x: Tensor) -> Tensor:
        """Map x (..., C) to (..., C), each token by itself; squares are summed in float32."""
        wide = x.float()
        scale = torch.rsqrt(wide.square().mean(dim=-1, keepdim=True) + self.eps)
        # On a CPU this is quicker to train through than torch's own rms_norm.
        y: Tensor = (wide * scale).type_as(x) * self.weight
        return y


def make_norm(name: str, d_model: int, *, eps: float = 1e-5, bias: bool = True) -> nn.Module:
    """Return the norm called "layernorm" or "rmsnorm"; ValueError for another name."""
    if name == "layernorm":
        return LayerNorm(d_model, eps=eps, bias=bias)
    if name == "rmsnorm":
        return RMSNorm(d_model, eps=eps)
    raise ValueError(f"There is no norm {name!r}: choose of layernorm, rmsnorm.")
