"""What each head of a decoder looks at: its weights on a text, and measures of its habits."""

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor

from llm_core.inspection.lens import silence_heads
from llm_core.inspection.trace import trace_model
from llm_core.layers.masks import causal_mask
from llm_core.layers.trace import Edit
from llm_core.models.encoder import Encoder
from llm_core.models.gpt import GPT


def attention_maps(model: GPT, ids: Tensor) -> Tensor:
    """Return the weights (L, H, T, T) of all heads in all layers on ids (T,).

    Raises ValueError for an empty text.
    """
    if not len(ids):
        raise ValueError("Write something first: an empty text has no attention.")
    _, trace = trace_model(model, ids[None], only=("*.attention.weights",), last_only=True)
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
    pattern = ("*.attention.weights",)
    _, trace = trace_model(model, half.repeat(1, 2), only=pattern, last_only=True)
    scores = []
    for layer in range(model.config.n_layers):
        weights = trace[f"blocks.{layer}.attention.weights"]  # (B, H, 2n, 2n)
        found = weights.diagonal(offset=1 - length, dim1=-2, dim2=-1)[..., 1:]
        scores.append(found.mean(dim=(0, 2)))
    return torch.stack(scores)


def look_back_only(n_layers: int) -> dict[str, Edit]:
    """Return `edits` for a trace that put a causal mask on an encoder of that many layers."""

    def hide_later(scores: Tensor) -> Tensor:  # (B, H, T, T)
        return scores.masked_fill(~causal_mask(scores.shape[-1]), float("-inf"))

    return {f"blocks.{layer}.attention.scores": hide_later for layer in range(n_layers)}


def vectors_by_layer(
    model: Encoder, ids: Tensor, place: int, *, causal: bool = False
) -> tuple[Tensor, Tensor]:
    """Return the vectors (L + 1, C) of the token at `place` of ids (T,), and the maps (L, H, T, T).

    The first vector is that of the embedding, the others come after each block. With `causal`, no
    token sees what comes after it, for which the encoder was not trained. Raises ValueError for a
    place outside the text.
    """
    if not 0 <= place < len(ids):
        raise ValueError(f"The text has {len(ids)} tokens: there is none at place {place}.")
    layers = range(model.config.n_layers)
    edits = look_back_only(len(layers)) if causal else {}
    kept = ("embedding", "*.after_feedforward", "*.attention.weights")
    _, trace = trace_model(model, ids[None], only=kept, edits=edits)
    names = ["embedding", *(f"blocks.{layer}.after_feedforward" for layer in layers)]
    vectors = torch.stack([trace[name][0, place] for name in names])
    return vectors, torch.stack([trace[f"blocks.{n}.attention.weights"][0] for n in layers])


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
    output, _ = trace_model(model, ids[None], only=(), edits=edits, last_only=True)
    return output.logits[0, -1].float().softmax(dim=-1)  # type: ignore[no-any-return]
