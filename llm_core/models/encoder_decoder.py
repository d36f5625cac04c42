"""EncoderDecoder: one transformer reads a text, another writes the answer while looking at it."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from llm_core.layers.cache import KeyValueCache
from llm_core.layers.trace import Trace, note, part
from llm_core.models.config import TransformerConfig
from llm_core.models.gpt import Output
from llm_core.models.initialisation import initialise
from llm_core.models.stack import Stack, make_token_embedding


class EncoderDecoder(nn.Module):
    """An encoder that sees all of the source, and a decoder that also looks at what that made.

    Both share one token table. The config's parts make it the original Transformer ("Attention
    Is All You Need", 2017: sinusoids, post-norm) or T5 (2019: relative bias, RMSNorm, pre-norm).
    """

    def __init__(self, config: TransformerConfig, *, generator: torch.Generator | None = None):
        """Build the model with fresh weights, drawn from `generator` or torch's global one.

        Raises ValueError if the config is not an encoder-decoder's.
        """
        if config.kind != "encoder-decoder":
            raise ValueError(f"This is the shape of a model of kind {config.kind}, not of two.")
        super().__init__()
        self.config = config
        self.token_embedding = make_token_embedding(config)
        self.encoder = Stack(config, causal=False, tokens=False)
        self.decoder = Stack(config, causal=True, cross_attention=True, tokens=False)
        if not config.tie_embeddings:
            self.unembedding = nn.Linear(config.d_model, config.vocab_size, bias=False)
        initialise(self, config, generator)

    def forward(
        self,
        source: Tensor,
        ids: Tensor,
        targets: Tensor | None = None,
        trace: Trace | None = None,
        *,
        source_mask: Tensor | None = None,
        mask: Tensor | None = None,
    ) -> Output:
        """Score every next token after each of ids (B, T), given the source (B, S).

        targets (B, T) add the mean loss in nats per token; -100 does not count. The masks, of
        the shapes of source and ids, are True for tokens and False for padding.
        """
        memory = self.encode(source, mask=source_mask, trace=trace)
        logits = self.decode(ids, memory, memory_mask=source_mask, mask=mask, trace=trace)
        if targets is None:
            return Output(logits, None)
        return Output(logits, F.cross_entropy(logits.flatten(0, 1), targets.flatten()))

    def encode(
        self, source: Tensor, *, mask: Tensor | None = None, trace: Trace | None = None
    ) -> Tensor:
        """Return what the encoder makes of source (B, S): its memory, (B, S, C)."""
        tokens = self.token_embedding(source)
        return self.encoder.read(tokens, real=mask, trace=part(trace, "encoder"))

    def decode(
        self,
        ids: Tensor,
        memory: Tensor,
        *,
        memory_mask: Tensor | None = None,
        mask: Tensor | None = None,
        cache: KeyValueCache | None = None,
        trace: Trace | None = None,
    ) -> Tensor:
        """Score the token after each of ids (B, T), while looking at memory (B, S, C).

        With a `cache` (see `new_cache`), ids continue what was read into it, and the memory is
        projected to keys and values only once. Returns logits (B, T, V).
        """
        x = self.decoder.read(
            self.token_embedding(ids),
            real=mask,
            context=memory,
            context_real=memory_mask,
            cache=cache,
            trace=part(trace, "decoder"),
        )
        return note(trace, "logits", F.linear(x, self.output_weight()))

    def new_cache(
        self, batch: int = 1, *, capacity: int | None = None, sliding: bool = False
    ) -> KeyValueCache:
        """Return an empty cache for the decoder; see `Stack.new_cache`."""
        return self.decoder.new_cache(batch, capacity=capacity, sliding=sliding)

    def output_weight(self) -> Tensor:
        """Return the matrix (V, C) that turns the last vectors into scores."""
        return (
            self.token_embedding.weight if self.config.tie_embeddings else self.unembedding.weight
        )
