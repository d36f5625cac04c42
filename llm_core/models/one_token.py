"""One more token through a GPT, written out flat: the same kernels, without the modules' overhead.

A small model's matrices take microseconds, and calling its modules one inside the other takes
longer than they do. So what `GPT.forward` computes for a single token that continues a cache stands
here a second time, in one loop. Models and layers of a shape that it does not know are read by
`GPT.forward`; the tests hold the two together.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from llm_core.layers.attention import MultiHeadAttention
from llm_core.layers.blocks import TransformerBlock
from llm_core.layers.cache import KeyValueCache
from llm_core.layers.dot_product import fused_attention
from llm_core.layers.embeddings import TokenEmbedding
from llm_core.layers.feedforward import FeedForward
from llm_core.layers.norms import LayerNorm
from llm_core.layers.positions import LearnedPositions, RotaryPositions
from llm_core.models.gpt import GPT

Map = Callable[[Tensor], Tensor]

_SMALL = 2**18  # numbers in a matrix


class _Block(NamedTuple):
    """A block's parts as plain functions, and the shape of its heads."""

    attention_norm: Map
    query_key_value: Map
    heads: tuple[int, int, int]  # of queries, of keys, of values
    joined: tuple[int, int]  # of queries, of keys and values
    d_head: int
    query_norm: Map | None
    key_norm: Map | None
    rotary: RotaryPositions | None
    output: Map
    feedforward_norm: Map
    feedforward: Map


class OneTokenPass:
    """Scores the next token after one more id of each text, as `GPT.forward` with a cache does."""

    def __init__(self, model: GPT) -> None:
        """Take the model's parts as they are now; see `one_token_pass` for which models."""
        self._embed = _lookup(model.token_embedding)
        positions = model.positions
        self._places = _place(positions) if isinstance(positions, LearnedPositions) else None
        self._blocks = [_block(block) for block in model.blocks]
        self._final_norm = _map(model.final_norm)
        table = model.output_weight()
        self._scores = _product(table) if table.numel() <= _SMALL else model.scores

    def __call__(self, ids: Tensor, cache: KeyValueCache) -> Tensor:
        """Read ids (B, 1) into the cache; return the scores (B, V) of what may follow them.

        Without gradients or dropout, and for texts without padding. Raises ValueError past the
        last place, or if the cache is full.
        """
        start = cache.length
        x = self._embed(ids.view(-1))  # (B, C): a product of two matrices is the quickest there is
        if self._places is not None:
            x = self._places(x, start)
        batch, width = x.shape
        for block, layer in zip(self._blocks, cache.layers, strict=True):
            # With a single token, heads split off without a transposition: (B, H, 1, D).
            all_heads = block.query_key_value(block.attention_norm(x))
            heads = all_heads.view(batch, -1, 1, block.d_head)
            if block.query_norm is None and block.rotary is None:
                q, new = heads.split_with_sizes(block.joined, 1)
                k, v = layer.extend_joined(new).split_with_sizes(block.heads[1:], 1)
            else:
                q, k, v = heads.split_with_sizes(block.heads, 1)
                if block.query_norm is not None and block.key_norm is not None:
                    q, k = block.query_norm(q), block.key_norm(k)
                if block.rotary is not None:
                    q, k = block.rotary(q, start=start), block.rotary(k, start=start)
                k, v = layer.extend(k, v)
            gathered = fused_attention(q, k, v)
            x = x + block.output(gathered.reshape(batch, width))
            x = x + block.feedforward(block.feedforward_norm(x))
        return self._scores(self._final_norm(x))


def one_token_pass(model: object) -> OneTokenPass | None:
    """Return the flat pass of a model, or None for one whose shape it does not know.

    It knows decoders with norms before their sublayers, no window, and learned, rotary or no
    positions. Whatever somebody has put into a place of a linear layer or a norm is called as it
    is; a block, an attention or a model of another class is not taken apart.
    """
    if not isinstance(model, GPT) or type(model).forward is not GPT.forward or _hooked(model):
        return None
    config = model.config
    plain = (
        config.norm_placement == "pre"
        and config.window is None
        and not config.embedding_norm
        and config.position in ("learned", "rope", "none")
    )
    known = all(
        type(block) is TransformerBlock
        and type(block.attention) is MultiHeadAttention
        and type(block.feedforward) is FeedForward
        for block in model.blocks
    )
    return OneTokenPass(model) if plain and known else None


def _hooked(model: GPT) -> bool:
    """Does anybody listen to, or change, what a module reads or gives?"""
    return any(
        module._forward_hooks or module._forward_pre_hooks or "forward" in vars(module)
        for module in model.modules()
    )


def _block(block: nn.Module) -> _Block:
    assert isinstance(block, TransformerBlock)
    attention, feedforward = block.attention, block.feedforward
    queries, keys, values = (size // attention.d_head for size in attention.sizes)
    return _Block(
        attention_norm=_map(block.attention_norm),
        query_key_value=_map(attention.query_key_value),
        heads=(queries, keys, values),
        joined=(queries, keys + values),
        d_head=attention.d_head,
        query_norm=attention.query_norm,
        key_norm=attention.key_norm,
        rotary=attention.position if isinstance(attention.position, RotaryPositions) else None,
        output=_map(attention.output),
        feedforward_norm=_map(block.feedforward_norm),
        feedforward=_feedforward(feedforward),
    )


def _lookup(embedding: nn.Module) -> Map:
    """Return rows of a token table; the module itself if it is another."""
    if type(embedding) is TokenEmbedding and embedding.scale == 1.0:
        table = embedding.weight
        return lambda ids: torch.embedding(table, ids)
    return embedding


def _place(positions: LearnedPositions) -> Callable[[Tensor, int], Tensor]:
    """Return what adds the vector of one place to x (B, C)."""
    rows = positions.weight.detach().unbind()

    def placed(x: Tensor, start: int) -> Tensor:
        if start < len(rows):
            return x + rows[start]
        past: Tensor = positions(x[:, None], start=start)  # says what is wrong
        return past[:, 0]

    return placed


def _feedforward(feedforward: FeedForward) -> Map:
    """Return what a feed-forward network computes as a plain function."""
    widen, activation, narrow = feedforward.widen, feedforward.activation, feedforward.narrow
    if activation is not F.gelu or not (_copied(widen) and _copied(narrow)):
        wide, thin = _map(widen), _map(narrow)
        return lambda x: thin(activation(wide(x)))
    # torch's exact gelu takes ten microseconds to begin. x·Φ(x) = √½ (u + u·erf u) with u = √½ x,
    # and both √½ can be part of the matrices.
    into, out_of = (_turned(math.sqrt(0.5) * part.weight) for part in (widen, narrow))

    def narrowed(x: Tensor) -> Tensor:
        u = torch.mm(x, into)
        return torch.mm(torch.addcmul(u, u, torch.erf(u)), out_of)

    return narrowed


def _copied(module: nn.Module) -> bool:
    """Is it a linear map without a bias, so small that a second copy costs next to nothing?"""
    return type(module) is nn.Linear and module.bias is None and module.weight.numel() <= _SMALL


def _product(weight: Tensor) -> Map:
    """Return a linear map by a copy of its weights."""
    turned = _turned(weight)
    return lambda x: torch.mm(x, turned)


def _turned(weight: Tensor) -> Tensor:
    """Return a copy that lies in the order in which a single row meets it."""
    return weight.detach().t().contiguous()


def _map(module: nn.Module | None) -> Map:
    """Return what the module computes as a plain function; the module itself if it is another."""
    assert module is not None  # of pre-norm models, which have all of these
    if type(module) is nn.Linear:
        weight, bias = module.weight, module.bias
        return _product(weight) if _copied(module) else lambda x: F.linear(x, weight, bias)
    if type(module) is LayerNorm:
        scale, shift, shape, eps = module.weight, module.bias, module.weight.shape, module.eps
        return lambda x: torch.layer_norm(x, shape, scale, shift, eps)
    return module
