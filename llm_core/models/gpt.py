"""GPT: a decoder-only transformer that guesses the next token, in GPT-2's shape."""

import math
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from llm_core.layers.blocks import DecoderBlock
from llm_core.layers.positions import LearnedPositions
from llm_core.models.config import TransformerConfig


class Output(NamedTuple):
    """What a forward pass gives: logits (B, T, V) and, if there were targets, the mean loss."""

    logits: Tensor
    loss: Tensor | None


class GPT(nn.Module):
    """Token and position embeddings, `n_layers` pre-norm blocks, a last norm, a score per token.

    Follows "Language Models are Unsupervised Multitask Learners" (GPT-2, 2019).
    """

    def __init__(self, config: TransformerConfig, *, generator: torch.Generator | None = None):
        """Build the model with fresh weights, drawn from `generator` or torch's global one."""
        super().__init__()
        self.config = config
        self.token_embedding = nn.Embedding(config.vocab_size, config.d_model)
        self.positions = LearnedPositions(config.context_length, config.d_model)
        self.blocks = nn.ModuleList(
            DecoderBlock(
                d_model=config.d_model,
                n_heads=config.n_heads,
                d_ff=config.d_ff,
                activation=config.activation,
                dropout=config.dropout,
                bias=config.bias,
            )
            for _ in range(config.n_layers)
        )
        self.final_norm = nn.LayerNorm(config.d_model, bias=config.bias)
        if not config.tie_embeddings:
            self.unembedding = nn.Linear(config.d_model, config.vocab_size, bias=False)
        self._initialise(generator)

    def forward(self, ids: Tensor, targets: Tensor | None = None) -> Output:
        """Score every next token after each of ids (B, T); targets (B, T) add the mean loss.

        The loss is the cross-entropy in nats per token. Raises ValueError if T exceeds the
        model's context length.
        """
        x = self.positions(self.token_embedding(ids))
        if self.training and self.config.dropout:
            x = F.dropout(x, self.config.dropout)
        for block in self.blocks:
            x = block(x)
        logits = F.linear(self.final_norm(x), self._output_weight())
        if targets is None:
            return Output(logits, None)
        return Output(logits, F.cross_entropy(logits.flatten(0, 1), targets.flatten()))

    def _output_weight(self) -> Tensor:
        if self.config.tie_embeddings:
            return self.token_embedding.weight
        return self.unembedding.weight

    @torch.no_grad()
    def _initialise(self, generator: torch.Generator | None) -> None:
        """Draw weights as GPT-2 does: N(0, 0.02), norms at 1, biases at 0.

        The two matrices a block that write into the residual stream start smaller by
        √(2 n_layers), so that the stream does not grow with the number of blocks.
        """
        for name, parameter in self.named_parameters():
            if parameter.ndim >= 2:
                writes = name.endswith(("attention.output.weight", "feedforward.narrow.weight"))
                std = 0.02 / math.sqrt(2 * self.config.n_layers) if writes else 0.02
                parameter.normal_(std=std, generator=generator)
            elif name.endswith("bias"):
                parameter.zero_()
