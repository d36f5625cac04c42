"""What a model needs in memory, computed from its config alone: no torch, no model built."""

from llm_core.inspection.counting import count_parameters
from llm_core.models.config import TransformerConfig

FLOAT32 = 4  # bytes a number

# How many numbers an optimizer remembers for each weight.
OPTIMIZER_NUMBERS = {"sgd": 0, "momentum": 1, "muon": 1, "adamw": 2}


def parameter_bytes(config: TransformerConfig, *, number: int = FLOAT32) -> int:
    """Bytes of the weights, `number` bytes each: 4 in float32, 2 in bfloat16."""
    return count_parameters(config) * number


def optimizer_bytes(config: TransformerConfig, *, optimizer: str = "adamw") -> int:
    """Bytes of what an optimizer remembers in float32; ValueError for an unknown one.

    AdamW keeps two averages for each weight. "muon" has one, as for the matrices that it is for.
    """
    if optimizer not in OPTIMIZER_NUMBERS:
        known = ", ".join(OPTIMIZER_NUMBERS)
        raise ValueError(f"There is no optimizer {optimizer!r}: choose of {known}.")
    return count_parameters(config) * OPTIMIZER_NUMBERS[optimizer] * FLOAT32


def kv_cache_bytes(
    config: TransformerConfig, *, length: int, batch: int = 1, number: int = FLOAT32
) -> int:
    """Bytes of the keys and values of `length` tokens in all layers of a decoder."""
    return 2 * config.n_layers * config.n_kv_heads * config.d_head * length * batch * number


def activation_bytes(
    config: TransformerConfig,
    *,
    length: int,
    batch: int,
    source_length: int = 0,
    fused: bool = True,
    number: int = FLOAT32,
) -> int:
    """Bytes that a forward pass keeps for the backward one: for GPT-2's parts all, else within 8%.

    Each matrix product keeps its input, each norm its input and scale, each activation its input
    or output, and attention its queries, keys, values and output. Without the fused kernel,
    `fused=False`, it keeps all weights too, which grow with the square of the length.
    `source_length` is an encoder-decoder's. Dropout is not counted.
    """
    causal = config.kind != "encoder"
    top = _top_numbers(config)
    numbers: float = length * (top + _output_numbers(config))
    numbers += config.n_layers * length * _block_numbers(config, length, batch, fused, causal)
    if config.kind == "encoder-decoder":
        block = _block_numbers(config, source_length, batch, fused, False)
        numbers += source_length * (top + config.n_layers * block)
        numbers += config.n_layers * _cross_numbers(config, length, source_length, fused)
    if config.embedding_norm:
        numbers += (length + source_length) * (_norm_numbers(config) - config.d_model)
    return round(numbers * batch * number)


def training_bytes(
    config: TransformerConfig, *, length: int, batch: int, optimizer: str = "adamw"
) -> int:
    """Bytes of a training step in float32: weights, gradients, optimizer and activations."""
    return (
        2 * parameter_bytes(config)
        + optimizer_bytes(config, optimizer=optimizer)
        + activation_bytes(config, length=length, batch=batch, source_length=length)
    )


def _norm_numbers(config: TransformerConfig) -> int:
    """Numbers a token of a norm and of the product that reads it."""
    if config.norm == "layernorm":
        return 2 * config.d_model + 2  # input, output; mean and spread
    return 3 * config.d_model + 1  # input, input / scale, output; scale


def _block_numbers(
    config: TransformerConfig, length: int, batch: int, fused: bool, causal: bool
) -> float:
    """Numbers a token of a block without cross-attention."""
    # torch's kernel can neither learn a bias, nor add to the values.
    if fused and config.position not in ("t5", "shaw"):
        attention = _fused_numbers(config, length, batch)
    else:
        masked = causal and not (fused and config.position == "t5")  # its bias then is the mask
        attention = _explicit_numbers(config, length, batch, masked)
    ff = config.d_ff
    hidden = {"relu": ff, "swiglu": 4 * ff}.get(config.activation, 2 * ff)
    return 2 * _norm_numbers(config) + attention + hidden


def _fused_numbers(config: TransformerConfig, length: int, batch: int) -> float:
    """Numbers a token: queries, keys and values at each stage, output, a sum of exponentials."""
    c, kv = config.d_model, config.n_kv_heads * config.d_head
    numbers: float = c + 2 * kv + c + config.n_heads
    if config.qk_norm:  # divided, and by what
        numbers += c + kv + config.n_heads + config.n_kv_heads
    if config.qk_norm or config.position == "rope":  # scaled, or turned
        numbers += c + kv
    if config.position == "rope":  # the kernel then lays its output out in another way
        numbers += c
    if config.position == "alibi":
        numbers += config.n_heads * length / batch
    return numbers


def _explicit_numbers(config: TransformerConfig, length: int, batch: int, masked: bool) -> float:
    """Numbers a token: the same, and all its weights: if `masked`, before and after the mask."""
    c, kv = config.d_model, config.n_kv_heads * config.d_head
    numbers: float = 4 * c + config.n_heads * length
    if masked:
        numbers += config.n_heads * length + length / (2 * batch)
    if config.qk_norm:
        numbers += c + 2 * kv + c + kv + config.n_heads + config.n_kv_heads
    if config.position == "shaw":  # weights by distance, and the distances
        numbers += 2 * config.n_heads * (2 * config.max_distance + 1) + c + 4 * length / batch
    if config.position == "t5":  # the distances, once for all layers
        numbers += 4 * length / batch / config.n_layers
    return numbers


def _cross_numbers(config: TransformerConfig, length: int, source_length: int, fused: bool) -> int:
    """Numbers a text of a block's cross-attention."""
    c, kv = config.d_model, config.n_kv_heads * config.d_head
    weights = config.n_heads * (1 if fused else source_length)
    query = 2 * c + weights + _norm_numbers(config)
    if config.qk_norm:
        query += 2 * c + config.n_heads
    memory = 2 * kv + (2 * kv + config.n_kv_heads if config.qk_norm else 0)
    return length * query + source_length * memory


def _top_numbers(config: TransformerConfig) -> int:
    """Numbers a token of the last norm, or of its place in a post-norm model, and of its id."""
    last = _norm_numbers(config) if config.norm_placement == "pre" else config.d_model
    return last + 2


def _output_numbers(config: TransformerConfig) -> int:
    """Numbers a token of the scores, from which the loss is made."""
    if config.kind != "encoder":
        return config.vocab_size
    if not config.mlm_head:
        return 0
    hidden = config.d_model if config.activation == "relu" else 2 * config.d_model
    return config.vocab_size + hidden + _norm_numbers(config) - config.d_model
