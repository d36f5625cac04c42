"""How big a model is and what it costs, computed from its config alone: no torch, no model built.

Bytes are counted in `memory`; `anatomy` counts part by part.
"""

from llm_core.models.config import TransformerConfig

# A training step multiplies three times what a forward pass does: once to guess, and in the
# backward pass once for the gradient of each matrix's input and once for its weights'.
TRAINING_FACTOR = 3


def count_parameters(config: TransformerConfig) -> int:
    """Number of trainable numbers in the model of a config, a tied output counted once."""
    return sum(parameters_by_part(config).values())


def parameters_by_part(config: TransformerConfig) -> dict[str, int]:
    """Split the number of parameters by what they are for.

    "embeddings" (of tokens and token types), "positions", "attention", "feedforward", "norms",
    and "heads": what stands on top, if it is not the token table again.
    """
    stacks = 2 if config.kind == "encoder-decoder" else 1
    blocks = stacks * config.n_layers
    cross = config.n_layers if stacks == 2 else 0  # in each block of the decoder
    norms = 2 * blocks + cross
    norms += stacks * ((config.norm_placement == "pre") + config.embedding_norm)
    norms += int(config.mlm_head)
    query_key_norms = 2 * config.d_head * (blocks + cross) if config.qk_norm else 0
    return {
        "embeddings": (config.vocab_size + config.n_token_types) * config.d_model,
        "positions": stacks * position_parameters(config),
        "attention": (blocks + cross) * attention_parameters(config),
        "feedforward": blocks * feedforward_parameters(config),
        "norms": norms * norm_parameters(config) + query_key_norms,
        "heads": head_parameters(config),
    }


def attention_parameters(config: TransformerConfig) -> int:
    """Parameters of one attention: of queries, keys, values and output, without `qk_norm`."""
    c, (kv, _) = config.d_model, _widths(config)
    return (c + int(config.bias)) * (2 * c + 2 * kv)


def feedforward_parameters(config: TransformerConfig) -> int:
    """Parameters of one feed-forward network."""
    c, (_, widened) = config.d_model, _widths(config)
    return c * (widened + config.d_ff) + int(config.bias) * (widened + c)


def norm_parameters(config: TransformerConfig) -> int:
    """Parameters of one norm."""
    shifts = config.bias and config.norm == "layernorm"
    return config.d_model * (2 if shifts else 1)


def _widths(config: TransformerConfig) -> tuple[int, int]:
    """Return the width of all keys of a token, and what the feed-forward network widens it to."""
    gate = 2 if config.activation == "swiglu" else 1
    return config.n_kv_heads * config.d_head, gate * config.d_ff


def position_parameters(config: TransformerConfig) -> int:
    """Parameters of the positions of one stack, in all of its blocks."""
    if config.position == "learned":
        return config.context_length * config.d_model
    if config.position == "t5":
        return config.relative_buckets * config.n_heads
    if config.position == "shaw":
        return config.n_layers * 2 * (2 * config.max_distance + 1) * config.d_head
    return 0


def head_parameters(config: TransformerConfig) -> int:
    """Parameters of what stands on top, without its norm; none if it is the token table again."""
    c, bias = config.d_model, int(config.bias)
    guesses = config.kind != "encoder" or config.mlm_head
    total = config.vocab_size * c if guesses and not config.tie_embeddings else 0
    if config.pooler:
        total += c * c + bias * c
    if config.mlm_head:
        total += c * c + bias * c + bias * config.vocab_size
    return total


def forward_flops(
    config: TransformerConfig,
    *,
    length: int,
    batch: int = 1,
    keys: int | None = None,
    source_length: int = 0,
) -> dict[str, int]:
    """Floating-point operations of all matrix products of a forward pass, by part.

    A product of an (m, k) and a (k, n) matrix counts 2 m k n, as in torch's FlopCounterMode; the
    rest (norms, softmax, activations) is a trifle beside it. "projections" make queries, keys,
    values and outputs, "attention" compares and mixes them, all of the square although a decoder
    hides half of it; then "feedforward" and "output". `keys` counts those in a cache too: with
    length=1, that is the cost of one more token. `source_length` is an encoder-decoder's.
    """
    layers, t = config.n_layers, length
    s = length if keys is None else keys
    projections, attention = self_attention_flops(config, t, s)
    feedforward = feedforward_flops(config, t)
    if config.kind == "encoder-decoder":
        of_encoder = self_attention_flops(config, source_length, source_length)
        across = cross_attention_flops(config, t, source_length)
        projections += of_encoder[0] + across[0]
        attention += of_encoder[1] + across[1]
        feedforward += feedforward_flops(config, source_length)
    parts = {
        "projections": layers * projections,
        "attention": layers * attention,
        "feedforward": layers * feedforward,
        "output": output_flops(config, t),
    }
    return {name: batch * flops for name, flops in parts.items()}


def flops_per_token(config: TransformerConfig, *, length: int, training: bool = False) -> float:
    """Floating-point operations a token of a text of that length, in use or in training.

    An encoder-decoder reads a source as long as what it writes.
    """
    total = sum(forward_flops(config, length=length, source_length=length).values())
    return total * (TRAINING_FACTOR if training else 1) / length


def self_attention_flops(config: TransformerConfig, t: int, s: int) -> tuple[int, int]:
    """FLOPs of one layer's projections, and of t queries that meet s keys."""
    c = config.d_model
    kv, _ = _widths(config)
    projections = 2 * t * c * (2 * c + 2 * kv)
    attention = 4 * t * s * c  # scores, and the mix of values
    if config.position == "shaw":  # each query and each output meets the table of distances
        attention += 4 * t * c * (2 * config.max_distance + 1)
    return projections, attention


def cross_attention_flops(config: TransformerConfig, t: int, s: int) -> tuple[int, int]:
    """The same of a layer in which t queries meet s keys of the encoder's output."""
    c = config.d_model
    kv, _ = _widths(config)
    return 2 * c * (2 * t * c + 2 * s * kv), 4 * t * s * c


def feedforward_flops(config: TransformerConfig, t: int) -> int:
    """FLOPs of one layer's feed-forward network for t tokens."""
    _, widened = _widths(config)
    return 2 * t * config.d_model * (widened + config.d_ff)


def output_flops(config: TransformerConfig, t: int) -> int:
    """FLOPs of what stands on top, for t tokens: the scores, or an encoder's heads."""
    c = config.d_model
    if config.kind != "encoder":
        return 2 * t * c * config.vocab_size
    guess = 2 * t * c * (c + config.vocab_size) if config.mlm_head else 0
    return guess + (2 * c * c if config.pooler else 0)
