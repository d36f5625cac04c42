"""The shape of a transformer in numbers. Imports no torch: pages read it before any model runs."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class TransformerConfig:
    """Everything that fixes a model's shape; raises ValueError for a shape that cannot be built.

    vocab_size: tokens it knows; context_length: tokens it sees at once; d_model: numbers per
    token; n_layers: blocks; n_heads: attention heads a block; d_ff: width inside the feed-forward
    network (default 4 d_model); dropout: share of numbers dropped in training; bias: whether
    linear layers and norms add one; tie_embeddings: whether the output reuses the token embedding.
    """

    vocab_size: int
    context_length: int
    d_model: int
    n_layers: int
    n_heads: int
    d_ff: int = 0
    dropout: float = 0.0
    activation: str = "gelu"
    bias: bool = True
    tie_embeddings: bool = True

    def __post_init__(self) -> None:
        if self.d_ff == 0:
            object.__setattr__(self, "d_ff", 4 * self.d_model)
        sizes = ("vocab_size", "context_length", "d_model", "n_layers", "n_heads", "d_ff")
        for name in sizes:
            value = getattr(self, name)
            if not isinstance(value, int) or value < 1:
                raise ValueError(f"{name} must be a whole number of at least 1, not {value!r}.")
        if self.d_model % self.n_heads:
            raise ValueError(
                f"A width of {self.d_model} cannot be split evenly into {self.n_heads} heads."
            )
        if not 0 <= self.dropout < 1:
            raise ValueError(f"dropout must be at least 0 and below 1, not {self.dropout!r}.")

    @property
    def d_head(self) -> int:
        """Numbers per token and head."""
        return self.d_model // self.n_heads


_GPT2: dict[str, Any] = {"context_length": 1024, "activation": "gelu_tanh"}

# Shapes without a vocabulary: the tokenizer decides that. The small ones are for the sandbox.
PRESETS: dict[str, dict[str, Any]] = {
    "pico": {"n_layers": 2, "n_heads": 4, "d_model": 64, "context_length": 64, "bias": False},
    "nano": {"n_layers": 4, "n_heads": 4, "d_model": 128, "context_length": 64, "bias": False},
    "micro": {"n_layers": 6, "n_heads": 6, "d_model": 192, "context_length": 128, "bias": False},
    "gpt2": _GPT2 | {"n_layers": 12, "n_heads": 12, "d_model": 768},
    "gpt2-medium": _GPT2 | {"n_layers": 24, "n_heads": 16, "d_model": 1024},
    "gpt2-large": _GPT2 | {"n_layers": 36, "n_heads": 20, "d_model": 1280},
    "gpt2-xl": _GPT2 | {"n_layers": 48, "n_heads": 25, "d_model": 1600},
}


def preset(name: str, *, vocab_size: int, **changes: Any) -> TransformerConfig:
    """Return a named shape with a vocabulary; ValueError for a name that is not in PRESETS."""
    if name not in PRESETS:
        raise ValueError(f"There is no preset {name!r}: choose of {', '.join(PRESETS)}.")
    return TransformerConfig(**(PRESETS[name] | changes), vocab_size=vocab_size)
