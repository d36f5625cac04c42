"""How big a model is, computed from its config alone: no torch, no model built."""

from llm_core.models.config import TransformerConfig


def count_parameters(config: TransformerConfig) -> int:
    """Number of trainable numbers in GPT(config), the tied output counted once."""
    c, ff, bias = config.d_model, config.d_ff, int(config.bias)
    attention = 4 * c * c + bias * 4 * c  # queries, keys, values, output
    feedforward = 2 * c * ff + bias * (ff + c)
    norm = c + bias * c
    block = attention + feedforward + 2 * norm
    embeddings = (config.vocab_size + config.context_length) * c
    untied = 0 if config.tie_embeddings else config.vocab_size * c
    return embeddings + config.n_layers * block + norm + untied
