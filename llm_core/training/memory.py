"""How much memory a run will take, computed before anything is built. Imports no torch."""

from llm_core.training.config import RunConfig

PROCESS_BYTES = 330_000_000  # Python with torch and its kernels, before any model
_FLOAT = 4


def estimate_memory(config: RunConfig, *, parameters: int, vocab_size: int) -> int:
    """Bytes that a worker takes at its peak, to within a third or so: tests measure it.

    Each parameter has its gradient and two running means. The backward pass needs what the
    forward pass made for every token of a batch: per layer some 14 vectors of the model's width,
    3 of the feed-forward network's, and a row of attention per head; and the scores of all tokens
    of the vocabulary, thrice.
    """
    shape = config.transformer(vocab_size)
    tokens = config.batch_size * shape.context_length
    per_layer = 14 * shape.d_model + 3 * shape.d_ff + shape.n_heads * shape.context_length
    activations = tokens * (shape.n_layers * per_layer + 3 * vocab_size)
    evaluated = 32 * shape.context_length * vocab_size * 2  # 32 windows at once, without gradients
    return PROCESS_BYTES + _FLOAT * (4 * parameters + max(activations, evaluated))
