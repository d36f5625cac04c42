"""The shape of a transformer in numbers. Imports no torch: pages read it before any model runs."""

from dataclasses import dataclass
from typing import Any

from llm_core.models.presets import PRESETS as PRESETS  # lets pages import both from here

KINDS = ("decoder", "encoder", "encoder-decoder")  # built by GPT, Encoder and EncoderDecoder
POSITIONS = ("learned", "sinusoidal", "rope", "alibi", "t5", "shaw", "none")
NORMS = ("layernorm", "rmsnorm")
PLACEMENTS = ("pre", "post")
ACTIVATIONS = ("gelu", "gelu_tanh", "relu", "relu_squared", "swiglu")
_CHOICES = {
    "kind": KINDS,
    "position": POSITIONS,
    "norm": NORMS,
    "norm_placement": PLACEMENTS,
    "activation": ACTIVATIONS,
}
_SIZES = ("vocab_size", "context_length", "d_model", "n_layers", "n_heads", "n_kv_heads", "d_ff")
_DISTANCES = {"t5": 128, "shaw": 16}  # as their papers have it


@dataclass(frozen=True, kw_only=True)
class TransformerConfig:
    """Everything that fixes a model's shape; raises ValueError for a shape that cannot be built.

    Sizes. vocab_size: tokens it knows; context_length: tokens it sees at once; d_model: numbers
    per token; n_layers: blocks (of the decoder and of the encoder, each); n_heads: attention
    heads a block; n_kv_heads: heads of keys and values, shared by groups of query heads (default
    n_heads); d_ff: width inside the feed-forward network (default 4 d_model; with "swiglu" its
    gate has that width too).

    Parts. kind: which model it is; position, norm, norm_placement, activation: by the names
    above; norm_eps: keeps a norm from dividing by 0; bias: whether linear layers and LayerNorms
    add one; tie_embeddings: whether the output reuses the token embedding; dropout: share of
    numbers dropped in training; embedding_norm: a norm right after the embeddings;
    scale_embeddings: multiply token embeddings by √d_model (default: with sinusoids only, whose
    numbers are near 1, so that the tokens are not drowned); qk_norm: normalise queries and keys
    (RMSNorm a head); zero_init_projections: start what writes into the residual stream at 0;
    window: each token looks at that many tokens at most, itself included (default: no limit).

    Of single position types. rope_base: the slowest pair of RoPE turns once in about 2π · base
    tokens; rope_scaling: divides places, so that a model reads texts that many times longer than
    it was trained on; max_distance: where "t5" (128) and "shaw" (16) stop telling distances
    apart; relative_buckets: how many distances "t5" tells apart.

    Of an encoder. n_token_types: kinds of segments, 0 for none; mlm_head: whether it can guess
    masked tokens; pooler: whether BERT's layer sits on the first token.
    """

    vocab_size: int
    context_length: int
    d_model: int
    n_layers: int
    n_heads: int
    n_kv_heads: int = 0
    d_ff: int = 0
    dropout: float = 0.0
    kind: str = "decoder"
    position: str = "learned"
    norm: str = "layernorm"
    norm_placement: str = "pre"
    norm_eps: float = 1e-5
    activation: str = "gelu"
    bias: bool = True
    tie_embeddings: bool = True
    embedding_norm: bool = False
    scale_embeddings: bool | None = None
    qk_norm: bool = False
    zero_init_projections: bool = False
    window: int | None = None
    rope_base: float = 10_000.0
    rope_scaling: float = 1.0
    max_distance: int = 0
    relative_buckets: int = 32
    n_token_types: int = 0
    mlm_head: bool = False
    pooler: bool = False

    def __post_init__(self) -> None:
        self._default("n_kv_heads", 0, self.n_heads)
        self._default("d_ff", 0, 4 * self.d_model)
        self._default("scale_embeddings", None, self.position == "sinusoidal")
        self._default("max_distance", 0, _DISTANCES.get(self.position, 0))
        for name in _SIZES:
            self._whole_number(name, 1)
        for name in ("n_token_types", "max_distance"):
            self._whole_number(name, 0)
        for name, choices in _CHOICES.items():
            if getattr(self, name) not in choices:
                raise ValueError(
                    f"There is no {name} {getattr(self, name)!r}: choose of {', '.join(choices)}."
                )
        self._check_heads()
        self._check_numbers()
        self._check_positions()
        if self.kind != "encoder" and (self.n_token_types or self.mlm_head or self.pooler):
            raise ValueError("Token types, a masked-token head and a pooler are an encoder's.")

    @property
    def d_head(self) -> int:
        """Numbers per token and head."""
        return self.d_model // self.n_heads

    def _default(self, name: str, stands_for_default: Any, value: Any) -> None:
        if getattr(self, name) is stands_for_default or getattr(self, name) == stands_for_default:
            object.__setattr__(self, name, value)

    def _whole_number(self, name: str, least: int) -> None:
        value = getattr(self, name)
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            raise ValueError(f"{name} must be a whole number of at least {least}, not {value!r}.")

    def _check_heads(self) -> None:
        if self.d_model % self.n_heads:
            raise ValueError(
                f"A width of {self.d_model} cannot be split evenly into {self.n_heads} heads."
            )
        if self.n_heads % self.n_kv_heads:
            raise ValueError(
                f"{self.n_heads} query heads cannot share {self.n_kv_heads} key-value heads evenly."
            )

    def _check_numbers(self) -> None:
        if not 0 <= self.dropout < 1:
            raise ValueError(f"dropout must be at least 0 and below 1, not {self.dropout!r}.")
        for name in ("norm_eps", "rope_base", "rope_scaling"):
            if not 0 < getattr(self, name) < float("inf"):
                raise ValueError(f"{name} must be above 0, not {getattr(self, name)!r}.")
        if self.window is not None:
            self._whole_number("window", 1)

    def _check_positions(self) -> None:
        if self.position == "rope" and self.d_head % 2:
            raise ValueError(
                f"RoPE turns pairs of numbers: a head of {self.d_head} numbers leaves one over."
            )
        if self.position == "t5":
            self._whole_number("relative_buckets", 4)
            if self.max_distance <= self.relative_buckets // 2:
                raise ValueError("max_distance must be above half of relative_buckets.")
        if self.position == "shaw":
            self._whole_number("max_distance", 1)


def preset(name: str, *, vocab_size: int, **changes: Any) -> TransformerConfig:
    """Return a named shape with a vocabulary; ValueError for a name that is not in PRESETS."""
    if name not in PRESETS:
        raise ValueError(f"There is no preset {name!r}: choose of {', '.join(PRESETS)}.")
    return TransformerConfig(**(PRESETS[name] | changes), vocab_size=vocab_size)
