"""What every model of the course is made of: positions, a stack of blocks, a last norm."""

import math

import torch.nn.functional as F
from torch import Tensor, nn

from llm_core.layers.blocks import TransformerBlock
from llm_core.layers.cache import KeyValueCache
from llm_core.layers.embeddings import TokenEmbedding
from llm_core.layers.masks import Span, key_mask
from llm_core.layers.norms import make_norm
from llm_core.layers.positions import (
    AlibiBias,
    LearnedPositions,
    RotaryPositions,
    ShawRelativePositions,
    SinusoidalPositions,
    T5RelativeBias,
)
from llm_core.layers.trace import Trace, note, part
from llm_core.models.config import TransformerConfig


class Stack(nn.Module):
    """Blocks over one residual stream: a `GPT` or `Encoder` is one, an `EncoderDecoder` has two."""

    def __init__(
        self,
        config: TransformerConfig,
        *,
        causal: bool,
        cross_attention: bool = False,
        tokens: bool = True,
    ) -> None:
        """Build the parts that `config` names; the token table only if `tokens`."""
        super().__init__()
        self.config = config
        if tokens:
            self.token_embedding = make_token_embedding(config)
        self.positions = make_positions(config, bidirectional=not causal)
        self.embedding_norm = _norm(config) if config.embedding_norm else None
        self.blocks = nn.ModuleList(
            _block(config, self.positions, causal=causal, cross_attention=cross_attention)
            for _ in range(config.n_layers)
        )
        # After post-norm blocks the stream is normalised already.
        self.final_norm = _norm(config) if config.norm_placement == "pre" else None

    def read(
        self,
        tokens: Tensor,
        *,
        real: Tensor | None = None,
        context: Tensor | None = None,
        context_real: Tensor | None = None,
        cache: KeyValueCache | None = None,
        trace: Trace | None = None,
    ) -> Tensor:
        """Take token vectors (B, T, C) through the blocks and the last norm, (B, T, C).

        `real` (B, T) is True for tokens and False for padding, which nobody looks at and which
        takes up no place. `context` (B, S, C) and `context_real` (B, S) are the encoder's.
        Raises ValueError for a text that is too long for learned positions or for the cache.
        """
        length = tokens.shape[-2]
        start, n_keys = 0, length
        if cache is not None:
            start, n_keys = cache.length, cache.layers[0].visible(length)
            real = cache.note_real(real, length)
        x = self._embed(tokens, start, real, trace)
        bias = None
        if isinstance(self.positions, AlibiBias | T5RelativeBias):  # the same in all blocks
            bias = self.positions(*Span(start, length, n_keys, x.device).places()).type_as(x)
        for index, block in enumerate(self.blocks):
            x = block(
                x,
                mask=None if real is None else key_mask(real[:, -n_keys:]),
                bias=bias,
                context=context,
                context_mask=None if context_real is None else key_mask(context_real),
                cache=None if cache is None else cache.layers[index],
                trace=part(trace, f"blocks.{index}"),
            )
        return x if self.final_norm is None else note(trace, "final_norm", self.final_norm(x))

    def new_cache(
        self, batch: int = 1, *, capacity: int | None = None, sliding: bool = False
    ) -> KeyValueCache:
        """Return an empty cache for `capacity` tokens (default: the context length).

        With `sliding`, the oldest tokens are let go when it is full, and each new one sees the
        last `capacity`. A model with a window needs no more memory than that.
        """
        config = self.config
        capacity = config.context_length if capacity is None else capacity
        if config.window is not None and config.window <= capacity:
            capacity, sliding = config.window, True
        some_weight = next(self.blocks.parameters())
        return KeyValueCache(
            n_layers=config.n_layers,
            batch=batch,
            n_kv_heads=config.n_kv_heads,
            capacity=capacity,
            d_head=config.d_head,
            sliding=sliding,
            dtype=some_weight.dtype,
            device=some_weight.device,
        )

    def _embed(self, x: Tensor, start: int, real: Tensor | None, trace: Trace | None) -> Tensor:
        """Add absolute positions, and normalise and drop out what the first block reads."""
        x = note(trace, "embedding.tokens", x)
        if isinstance(self.positions, LearnedPositions | SinusoidalPositions):
            places = None
            if real is not None:
                places = (real.cumsum(dim=-1) - 1).clamp(min=0)[:, -x.shape[-2] :]
            x = self.positions(x, start=start, places=places)
        x = note(trace, "embedding.sum", x)
        if self.embedding_norm is not None:
            x = self.embedding_norm(x)
        if self.training and self.config.dropout:
            x = F.dropout(x, self.config.dropout)
        return note(trace, "embedding", x)


def make_token_embedding(config: TransformerConfig) -> TokenEmbedding:
    """Return the token table of a config."""
    scale = math.sqrt(config.d_model) if config.scale_embeddings else 1.0
    return TokenEmbedding(config.vocab_size, config.d_model, scale=scale)


def make_positions(config: TransformerConfig, *, bidirectional: bool) -> nn.Module | None:
    """Return the positions that all blocks share; None where there are none, or one a block."""
    match config.position:
        case "learned":
            return LearnedPositions(context_length=config.context_length, d_model=config.d_model)
        case "sinusoidal":
            return SinusoidalPositions(d_model=config.d_model)
        case "rope":
            return RotaryPositions(
                d_head=config.d_head, base=config.rope_base, scaling=config.rope_scaling
            )
        case "alibi":
            return AlibiBias(n_heads=config.n_heads)
        case "t5":
            return T5RelativeBias(
                n_heads=config.n_heads,
                buckets=config.relative_buckets,
                max_distance=config.max_distance,
                bidirectional=bidirectional,
            )
    return None


def _norm(config: TransformerConfig) -> nn.Module:
    return make_norm(config.norm, config.d_model, eps=config.norm_eps, bias=config.bias)


def _block(
    config: TransformerConfig, shared: nn.Module | None, *, causal: bool, cross_attention: bool
) -> TransformerBlock:
    """Build one block; RoPE is shared by all (it has no weights), Shaw's tables are its own."""
    position: nn.Module | None = shared if isinstance(shared, RotaryPositions) else None
    if config.position == "shaw":
        position = ShawRelativePositions(d_head=config.d_head, max_distance=config.max_distance)
    return TransformerBlock(
        d_model=config.d_model,
        n_heads=config.n_heads,
        n_kv_heads=config.n_kv_heads,
        d_ff=config.d_ff,
        activation=config.activation,
        norm=config.norm,
        norm_placement=config.norm_placement,
        norm_eps=config.norm_eps,
        dropout=config.dropout,
        bias=config.bias,
        causal=causal,
        window=config.window,
        position=position,
        qk_norm=config.qk_norm,
        cross_attention=cross_attention,
    )
