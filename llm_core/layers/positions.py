"""Ways to tell a transformer where a token stands.

Learned and sinusoidal positions are absolute: vectors added to the token embeddings. RoPE turns
queries and keys; those of `relative_positions` change the attention scores.
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from llm_core.layers.relative_positions import AlibiBias, ShawRelativePositions, T5RelativeBias

__all__ = [
    "AlibiBias",
    "LearnedPositions",
    "RotaryPositions",
    "ShawRelativePositions",
    "SinusoidalPositions",
    "T5RelativeBias",
]


class LearnedPositions(nn.Module):
    """A trainable vector for each place, added to the token embedding (as in GPT-2)."""

    def __init__(self, *, context_length: int, d_model: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(context_length, d_model))
        nn.init.normal_(self.weight, std=0.02)

    def forward(self, x: Tensor, *, start: int = 0, places: Tensor | None = None) -> Tensor:
        """Add to x (B, T, C) the vectors of places start ... start + T - 1, or of `places` (B, T).

        Raises ValueError past the context length: there is no vector for such a place.
        """
        context_length, length = self.weight.shape[0], start + x.shape[-2]
        if places is not None:
            length = int(places.max()) + 1
        if length > context_length:
            raise ValueError(
                f"The text has {length} tokens, and the model has places for {context_length}."
            )
        return x + (
            self.weight[start:length] if places is None else F.embedding(places, self.weight)
        )


class SinusoidalPositions(nn.Module):
    """Waves of geometrically growing length, added to the token embedding; nothing is learned.

    Number 2i of place p is sin(p / base^(2i / C)), and number 2i + 1 the cosine of the same.
    Follows "Attention Is All You Need" (2017).
    """

    def __init__(self, *, d_model: int, base: float = 10_000.0) -> None:
        super().__init__()
        self.d_model = d_model
        self.waves = _Waves(d_model, base)

    def table(self, length: int, *, device: torch.device | None = None) -> Tensor:
        """Return the vectors of the first `length` places, (length, C)."""
        cos, sin = self.waves.table(length, device or torch.device("cpu"))
        return torch.stack([sin, cos], dim=-1).flatten(-2)[:, : self.d_model]

    def forward(self, x: Tensor, *, start: int = 0, places: Tensor | None = None) -> Tensor:
        """Add to x (B, T, C) the vectors of places start ... start + T - 1, or of `places` (B, T).

        There is no last place.
        """
        if places is not None:
            table = self.table(int(places.max()) + 1, device=x.device)
            return x + F.embedding(places, table).type_as(x)
        return x + self.table(start + x.shape[-2], device=x.device)[start:].type_as(x)


class RotaryPositions(nn.Module):
    """RoPE: turn each pair of numbers of a query or key by an angle that grows with its place.

    The score of two turned vectors depends on the distance between their places only. Follows
    "RoFormer" (2021). A pair is (i, i + D/2), as in Llama's checkpoints of transformers, or
    (2i, 2i + 1) if `interleaved`, as in the paper and in GGUF files. `scaling` divides places
    ("position interpolation", 2023).
    """

    def __init__(
        self,
        *,
        d_head: int,
        base: float = 10_000.0,
        scaling: float = 1.0,
        interleaved: bool = False,
    ) -> None:
        """Raise ValueError if the head's size is odd."""
        super().__init__()
        if d_head % 2:
            raise ValueError(f"RoPE turns pairs: a head of {d_head} numbers leaves one over.")
        self.interleaved = interleaved
        self.waves = _Waves(d_head, base, scaling)

    def forward(self, x: Tensor, *, start: int = 0) -> Tensor:
        """Turn x (..., T, D), queries or keys, that stand at places start ... start + T - 1."""
        cos, sin = self.waves.table(start + x.shape[-2], x.device)
        cos, sin = cos[start:].type_as(x), sin[start:].type_as(x)
        if self.interleaved:
            first, second = x[..., 0::2], x[..., 1::2]
        else:
            first, second = x.chunk(2, dim=-1)
        turned = (first * cos - second * sin, second * cos + first * sin)
        if self.interleaved:
            return torch.stack(turned, dim=-1).flatten(-2)
        return torch.cat(turned, dim=-1)


class _Waves:
    """Cosines and sines of place · base^(-2i / size), kept from call to call.

    They are no buffers of a module, so that a model can be built without memory (on torch's meta
    device) and filled from a file.
    """

    def __init__(self, size: int, base: float, scaling: float = 1.0) -> None:
        self.size, self.base, self.scaling = size, base, scaling
        self._kept: dict[torch.device, tuple[Tensor, Tensor]] = {}

    def table(self, length: int, device: torch.device) -> tuple[Tensor, Tensor]:
        """Return cosines and sines of the first `length` places, each (length, ⌈size / 2⌉)."""
        kept = self._kept.get(device)
        if kept is None or len(kept[0]) < length:
            kept = self._kept[device] = self._compute(length, device)
        return kept[0][:length], kept[1][:length]

    def _compute(self, length: int, device: torch.device) -> tuple[Tensor, Tensor]:
        rounded = 1 << math.ceil(math.log2(max(length, 64)))  # seldom anew while a text grows
        # A table made while evaluating must serve training too, which inference tensors cannot.
        with torch.inference_mode(False), torch.no_grad():
            places = torch.arange(rounded, dtype=torch.float64) / self.scaling
            exponents = torch.arange(0, self.size, 2, dtype=torch.float64) / self.size
            angles = places[:, None] / self.base**exponents
            return angles.cos().float().to(device), angles.sin().float().to(device)
