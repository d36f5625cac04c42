"""The real code of each part of the machine, with a call that builds it and counts."""

from collections.abc import Callable
from typing import Any

from llm_core.inspection.anatomy import Part
from llm_core.inspection.counting import output_flops
from llm_core.layers.attention import MultiHeadAttention
from llm_core.layers.blocks import TransformerBlock
from llm_core.layers.dot_product import scaled_dot_product_attention
from llm_core.layers.embeddings import TokenEmbedding
from llm_core.layers.feedforward import FeedForward
from llm_core.layers.norms import LayerNorm
from llm_core.layers.positions import LearnedPositions, SinusoidalPositions
from llm_core.models.config import TransformerConfig
from llm_core.models.encoder import Encoder
from llm_core.models.encoder_decoder import EncoderDecoder
from llm_core.models.gpt import GPT

Code = tuple[tuple[Callable[..., Any], ...], str]
_COUNT = "print(sum(p.numel() for p in {0}.parameters()))  # {1}"


def part_code(part: Part, config: TransformerConfig, preset_name: str, length: int) -> Code:
    """Return the functions that a part runs, and a call that prints what is on screen."""
    if part.name == "output":
        return _output(config, preset_name, length)
    ways = {
        "embedding": _embedding,
        "positions": _positions,
        "attention": _attention,
        "cross_attention": _cross_attention,
        "norm": _norm,
        "feedforward": _feedforward,
    }
    return ways[part.name](part, config)


def _embedding(part: Part, config: TransformerConfig) -> Code:
    tables = [f"TokenEmbedding({config.vocab_size}, {config.d_model})"]
    if config.n_token_types:
        tables.append(f"TokenEmbedding({config.n_token_types}, {config.d_model})")
    call = f"""from llm_core.layers.embeddings import TokenEmbedding

tables = [{", ".join(tables)}]
print(sum(table.weight.numel() for table in tables))  # {part.parameters}"""
    return (TokenEmbedding.forward,), call


def _positions(part: Part, config: TransformerConfig) -> Code:
    if config.position == "learned":
        name, arguments = "LearnedPositions", f"context_length={config.context_length}, "
        function: Callable[..., Any] = LearnedPositions.forward
    else:
        name, arguments, function = "SinusoidalPositions", "", SinusoidalPositions.forward
    call = f"""from llm_core.layers.positions import {name}

positions = {name}({arguments}d_model={config.d_model})
{_COUNT.format("positions", part.parameters)}"""
    return (function,), call


def _attention(part: Part, config: TransformerConfig) -> Code:
    causal = config.kind == "decoder" or part.stack == "decoder"
    shape = (1, config.n_heads, 8, 8)
    call = f"""import torch

from llm_core.layers.attention import MultiHeadAttention

attention = MultiHeadAttention(d_model={config.d_model}, n_heads={config.n_heads}, causal={causal})
{_COUNT.format("attention", part.parameters)}
output, weights = attention.forward_with_weights(torch.randn(1, 8, {config.d_model}))
print(tuple(weights.shape), int((weights[0, 0] > 0).sum()))  # {shape} {36 if causal else 64}"""
    return (MultiHeadAttention.forward, scaled_dot_product_attention), call


def _cross_attention(part: Part, config: TransformerConfig) -> Code:
    shape = (1, config.n_heads, 5, 8)
    call = f"""import torch

from llm_core.layers.attention import MultiHeadAttention

attention = MultiHeadAttention(d_model={config.d_model}, n_heads={config.n_heads}, causal=False)
{_COUNT.format("attention", part.parameters)}
answer, memory = torch.randn(1, 5, {config.d_model}), torch.randn(1, 8, {config.d_model})
output, weights = attention.forward_with_weights(answer, context=memory)
print(tuple(weights.shape))  # {shape}"""
    return (MultiHeadAttention.forward, MultiHeadAttention._cross_heads), call


def _norm(part: Part, config: TransformerConfig) -> Code:
    call = f"""import torch

from llm_core.layers.norms import LayerNorm

norm = LayerNorm({config.d_model})
{_COUNT.format("norm", part.parameters)}
x = norm(7 + 3 * torch.randn(1, {config.d_model}, generator=torch.Generator().manual_seed(0)))
x = x.detach()
print(round(abs(float(x.mean())), 3), round(float(x.std(correction=0)), 3))  # 0.0 1.0"""
    return (TransformerBlock._add, LayerNorm.forward), call


def _feedforward(part: Part, config: TransformerConfig) -> Code:
    call = f"""from llm_core.layers.feedforward import FeedForward

network = FeedForward(
    d_model={config.d_model}, d_ff={config.d_ff}, activation={config.activation!r}
)
{_COUNT.format("network", part.parameters)}"""
    return (FeedForward.forward,), call


def _output(config: TransformerConfig, preset_name: str, length: int) -> Code:
    functions: dict[str, Callable[..., Any]] = {
        "decoder": GPT.scores,
        "encoder": Encoder.forward,
        "encoder-decoder": EncoderDecoder.decode,
    }
    call = f"""from llm_core.inspection.counting import output_flops
from llm_core.models.config import preset

model = preset({preset_name!r}, vocab_size={config.vocab_size})
print(output_flops(model, {length}))  # {output_flops(config, length)}"""
    return (functions[config.kind],), call
