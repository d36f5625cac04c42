"""GPT: a decoder-only transformer that guesses the next token, in GPT-2's shape or Llama's."""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from llm_core.layers.cache import KeyValueCache
from llm_core.layers.trace import Trace, note
from llm_core.models.config import TransformerConfig
from llm_core.models.initialisation import initialise
from llm_core.models.stack import Stack


class Output(NamedTuple):
    """What a forward pass gives: logits (B, T, V) and, if there were targets, the mean loss."""

    logits: Tensor
    loss: Tensor | None


class GPT(Stack):
    """Token embeddings, blocks that look back only, a last norm, a score per token.

    Follows "Language Models are Unsupervised Multitask Learners" (GPT-2, 2019). The config says
    what is different: RoPE, RMSNorm, SwiGLU and no bias make it "Llama" (2023).
    """

    def __init__(self, config: TransformerConfig, *, generator: torch.Generator | None = None):
        """Build the model with fresh weights, drawn from `generator` or torch's global one.

        Raises ValueError if the config is an encoder's.
        """
        if config.kind != "decoder":
            raise ValueError(f"This is the shape of an {config.kind}: a GPT is a decoder.")
        super().__init__(config, causal=True)
        if not config.tie_embeddings:
            self.unembedding = nn.Linear(config.d_model, config.vocab_size, bias=False)
        initialise(self, config, generator)

    def forward(
        self,
        ids: Tensor,
        targets: Tensor | None = None,
        cache: KeyValueCache | None = None,
        trace: Trace | None = None,
        *,
        mask: Tensor | None = None,
        last_only: bool = False,
    ) -> Output:
        """Score every next token after each of ids (B, T); targets (B, T) add the mean loss.

        The loss is the cross-entropy in nats per token; a target of -100 does not count. With a
        `cache` (see `new_cache`), ids continue the text that was read into it. `mask` (B, T) is
        True for tokens and False for padding, on the left where texts of several lengths go on
        together. `last_only` scores only what follows the last id: logits (B, 1, V). Raises
        ValueError if the text exceeds the context length of learned positions, or the cache.
        """
        x = self.read(self.token_embedding(ids), real=mask, cache=cache, trace=trace)
        if last_only:
            x = x[:, -1:]
        logits = note(trace, "logits", self.scores(x))
        if targets is None:
            return Output(logits, None)
        return Output(logits, F.cross_entropy(logits.flatten(0, 1), targets.flatten()))

    def scores(self, x: Tensor) -> Tensor:
        """Turn last vectors x (..., C), normalised, into a score for each next token (..., V)."""
        return F.linear(x, self.output_weight())

    def output_weight(self) -> Tensor:
        """Return the matrix (V, C) that turns the last vectors into scores."""
        if self.config.tie_embeddings:
            return self.token_embedding.weight
        return self.unembedding.weight
