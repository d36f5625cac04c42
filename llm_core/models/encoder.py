"""Encoder: a transformer that reads a text from both sides, in BERT's shape."""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from llm_core.layers.embeddings import TokenEmbedding
from llm_core.layers.feedforward import ACTIVATIONS
from llm_core.layers.norms import make_norm
from llm_core.layers.trace import Trace, note
from llm_core.models.config import TransformerConfig
from llm_core.models.initialisation import initialise
from llm_core.models.stack import Stack


class EncoderOutput(NamedTuple):
    """What an encoder makes of a text.

    hidden (B, T, C): each token in its context; pooled (B, C): BERT's pooler on the first token,
    if there is one; logits (B, T, V): scores for each place, if there is a masked-token head;
    loss: its mean cross-entropy, if there were targets.
    """

    hidden: Tensor
    pooled: Tensor | None
    logits: Tensor | None
    loss: Tensor | None


class MaskedTokenHead(nn.Module):
    """Guess the token at each place: one more layer, then the token table, read backwards."""

    bias: nn.Parameter | None

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        # SwiGLU would halve the width, which must stay that of the token table.
        name = "gelu" if config.activation == "swiglu" else config.activation
        self.activation = ACTIVATIONS[name]
        self.dense = nn.Linear(config.d_model, config.d_model, bias=config.bias)
        self.norm = make_norm(config.norm, config.d_model, eps=config.norm_eps, bias=config.bias)
        self.register_parameter(
            "bias", nn.Parameter(torch.zeros(config.vocab_size)) if config.bias else None
        )

    def forward(self, hidden: Tensor, output_weight: Tensor) -> Tensor:
        """Score every token for every place: hidden (B, T, C) to logits (B, T, V)."""
        x = self.norm(self.activation(self.dense(hidden)))
        return F.linear(x, output_weight, self.bias)


class Encoder(Stack):
    """Token, segment and position embeddings, then blocks in which all tokens see all others.

    Follows "BERT" (2018).
    """

    def __init__(self, config: TransformerConfig, *, generator: torch.Generator | None = None):
        """Build the model with fresh weights, drawn from `generator` or torch's global one.

        Raises ValueError if the config is not an encoder's.
        """
        if config.kind != "encoder":
            raise ValueError(f"This is the shape of a model of kind {config.kind}, not an encoder.")
        super().__init__(config, causal=False)
        if config.n_token_types:
            self.type_embedding = TokenEmbedding(config.n_token_types, config.d_model)
        if config.mlm_head:
            self.masked_token_head = MaskedTokenHead(config)
            if not config.tie_embeddings:
                self.unembedding = nn.Linear(config.d_model, config.vocab_size, bias=False)
        if config.pooler:
            self.pooler = nn.Linear(config.d_model, config.d_model, bias=config.bias)
        initialise(self, config, generator)

    def forward(
        self,
        ids: Tensor,
        targets: Tensor | None = None,
        trace: Trace | None = None,
        *,
        mask: Tensor | None = None,
        token_types: Tensor | None = None,
    ) -> EncoderOutput:
        """Read ids (B, T), of which `mask` (B, T) says what is no padding (True = a token).

        token_types (B, T): the segment of each token, 0 if not given. `targets` (B, T): the true
        tokens where they were masked, and -100 elsewhere. Raises ValueError for targets without
        a masked-token head, and for a text that is too long for learned positions.
        """
        config = self.config
        if targets is not None and not config.mlm_head:
            raise ValueError("This encoder has no masked-token head: it cannot be asked to guess.")
        x = self.token_embedding(ids)
        if config.n_token_types:
            types = torch.zeros_like(ids) if token_types is None else token_types
            x = x + self.type_embedding(types)
        hidden = self.read(x, real=mask, trace=trace)
        pooled = logits = loss = None
        if config.pooler:
            pooled = note(trace, "pooled", self.pooler(hidden[:, 0]).tanh())
        if config.mlm_head:
            logits = note(trace, "logits", self.masked_token_head(hidden, self.output_weight()))
        if targets is not None and logits is not None:
            loss = F.cross_entropy(logits.flatten(0, 1), targets.flatten())
        return EncoderOutput(hidden, pooled, logits, loss)

    def output_weight(self) -> Tensor:
        """Return the matrix (V, C) that turns the last vectors into scores."""
        return (
            self.token_embedding.weight if self.config.tie_embeddings else self.unembedding.weight
        )


def mean_pooling(hidden: Tensor, mask: Tensor | None = None) -> Tensor:
    """Average the tokens of each text, hidden (B, T, C) to (B, C); padding does not count."""
    if mask is None:
        return hidden.mean(dim=1)
    share = mask.type_as(hidden) / mask.sum(dim=1, keepdim=True).clamp(min=1)
    return (hidden * share[:, :, None]).sum(dim=1)


def cls_pooling(hidden: Tensor) -> Tensor:
    """Take the first token, [CLS], for the whole text: hidden (B, T, C) to (B, C)."""
    return hidden[:, 0]


def sentence_vectors(model: Encoder, ids: Tensor, mask: Tensor | None = None) -> Tensor:
    """Return one vector of length 1 a text, (B, C): the mean of its tokens ("SBERT", 2019)."""
    return F.normalize(mean_pooling(model(ids, mask=mask).hidden, mask), dim=-1)
