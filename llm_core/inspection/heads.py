"""What each head of a decoder looks at: its weights on a text, and measures of its habits."""

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor

from llm_core.inspection.lens import silence_heads
from llm_core.inspection.trace import trace_model
from llm_core.models.gpt import GPT


def attention_maps(model: GPT, ids: Tensor) -> Tensor:
    """Return the weights (L, H, T, T) of all heads in all layers on ids (T,).

    Raises ValueError for an empty text.
    """
    if not len(ids):
        raise ValueError("Write something first: an empty text has no attention.")
    _, trace = trace_model(model, ids[None], only=("*.attention.weights",))
    layers = range(model.config.n_layers)
    return torch.stack([trace[f"blocks.{layer}.attention.weights"][0] for layer in layers])


@dataclass(frozen=True)
class HeadHabits:
    """Average weights of all heads, each (L, H), between 0 and 1.

    first: on the text's first token. previous: on the token right before. Both over all tokens
    that have one before them. itself: on the token itself, over the same.
    """

    first: Tensor
    previous: Tensor
    itself: Tensor


def head_habits(maps: Tensor) -> HeadHabits:
    """Measure the habits of heads from their weights (L, H, T, T).

    Raises ValueError for a text of one token, which has nothing to choose from.
    """
    if maps.shape[-1] < 2:
        raise ValueError("With a single token, there is nothing to choose from: write some more.")
    rows = maps[..., 1:, :]
    return HeadHabits(
        first=rows[..., 0].mean(dim=-1),
        previous=maps.diagonal(offset=-1, dim1=-2, dim2=-1).mean(dim=-1),
        itself=rows.diagonal(offset=1, dim1=-2, dim2=-1).mean(dim=-1),
    )


def induction_scores(model: GPT, *, length: int = 24, repeats: int = 4, seed: int = 0) -> Tensor:
    """Measure how much each head looks for "what came after this token last time", (L, H).

    Rows of `length` random tokens are repeated once; the score is the average weight, in the
    second half, on the token after the same token's first occurrence. As no token is likelier than
    another, only a head that finds the repetition can score high. Follows "In-context Learning
    and Induction Heads" (2022). Raises ValueError if two halves do not fit the model.
    """
    if not 2 <= length <= model.config.context_length // 2:
        raise ValueError(
            f"A repeated row must have 2 to {model.config.context_length // 2} tokens, to fit "
            "the model's context twice."
        )
    draw = torch.Generator().manual_seed(seed)
    half = torch.randint(model.config.vocab_size, (repeats, length), generator=draw)
    _, trace = trace_model(model, half.repeat(1, 2), only=("*.attention.weights",))
    scores = []
    for layer in range(model.config.n_layers):
        weights = trace[f"blocks.{layer}.attention.weights"]  # (B, H, 2n, 2n)
        found = weights.diagonal(offset=1 - length, dim1=-2, dim2=-1)[..., 1:]
        scores.append(found.mean(dim=(0, 2)))
    return torch.stack(scores)


@torch.no_grad()
def next_token_probabilities(
    model: GPT, ids: Tensor, *, without: Iterable[tuple[int, int]] = ()
) -> Tensor:
    """Return the probability (V,) of each token after ids (T,), some heads switched off.

    `without` holds heads as (layer, head), both counted from 0. Raises ValueError if the model has
    no such head, or for an empty text.
    """
    if not len(ids):
        raise ValueError("Write something first: there is nothing to continue.")
    edits = silence_heads(without)
    output, _ = trace_model(model, ids[None], only=(), edits=edits)
    return output.logits[0, -1].float().softmax(dim=-1)  # type: ignore[no-any-return]
