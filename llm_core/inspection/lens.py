"""Read a model's mind half-way, find what lies near a vector, and switch heads off."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from llm_core.inspection.trace import trace_model
from llm_core.layers.trace import Edit
from llm_core.models.gpt import GPT


@dataclass(frozen=True)
class LensLayer:
    """What the model would predict if it stopped here.

    name: "embedding", or that of the block just passed; ids and probabilities (T, k): the
    likeliest next tokens after each place; length (T,): of the vectors in the stream; of_targets
    (T,): the probability of the token that was asked for at each place, if any was.
    """

    name: str
    ids: Tensor
    probabilities: Tensor
    length: Tensor
    of_targets: Tensor | None = None


def logit_lens(
    model: GPT,
    ids: Tensor,
    *,
    k: int = 5,
    places: Sequence[int] | None = None,
    targets: Sequence[int] | None = None,
) -> list[LensLayer]:
    """Read the stream of ids (T,) before the blocks and after each with the model's own output.

    The last layer's predictions are the model's. `places` are those to read it at, all T unless
    they are given; `targets` a token for each of them, whose probability is told too. Follows
    "interpreting GPT: the logit lens" (nostalgebraist, 2020).
    """
    names = ["embedding", *(f"blocks.{i}.after_feedforward" for i in range(model.config.n_layers))]
    _, trace = trace_model(model, ids[None], only=tuple(names), last_only=True)
    layers = []
    for name in names:
        stream = trace[name][0] if places is None else trace[name][0, list(places)]
        shares = scores_of(model, stream).softmax(dim=-1)
        probabilities, best = shares.topk(min(k, shares.shape[-1]))
        short = name.removesuffix(".after_feedforward")
        asked = None
        if targets is not None:
            asked = shares.gather(-1, torch.tensor([*targets])[:, None])[:, 0]
        layers.append(LensLayer(short, best, probabilities, stream.norm(dim=-1), asked))
    return layers


@torch.no_grad()
def scores_of(model: GPT, stream: Tensor) -> Tensor:
    """Turn vectors of the residual stream (..., C) into scores for the next token (..., V)."""
    if model.final_norm is not None:
        stream = model.final_norm(stream)
    return model.scores(stream)


@dataclass(frozen=True)
class Neighbour:
    """A row of a table, and the cosine of the angle between it and what was asked for."""

    id: int
    similarity: float


@torch.no_grad()
def nearest_neighbours(
    table: Tensor, vector: Tensor, *, k: int = 10, without: Collection[int] = ()
) -> list[Neighbour]:
    """Return the k rows of table (V, C) that point most nearly where vector (C,) points.

    `without` leaves rows out, such as that of the token itself. Raises ValueError for a vector
    of length 0, which points nowhere.
    """
    if not vector.any():
        raise ValueError("A vector of zeros points nowhere: it has no neighbours.")
    similarities = F.cosine_similarity(table.float(), vector.float()[None], dim=-1)
    if without:
        similarities[list(without)] = -2.0  # below every cosine
    best = similarities.topk(min(k, len(table) - len(set(without))))
    pairs = zip(best.indices.tolist(), best.values.tolist(), strict=True)
    return [Neighbour(index, similarity) for index, similarity in pairs]


def silence_heads(
    heads: Iterable[tuple[int, int]], *, place: str = "blocks.{layer}.attention.heads"
) -> dict[str, Edit]:
    """Return `edits` for a trace that let heads, as (layer, head), contribute nothing.

    `Trace(edits=silence_heads({(0, 3)}))` ablates head 3 of the first block. `place` names other
    heads: "decoder.blocks.{layer}.cross_attention.heads" are those of an encoder-decoder.
    A model without such a head raises ValueError when `trace_model` runs it.
    """
    by_layer: dict[int, list[int]] = defaultdict(list)
    for layer, head in heads:
        by_layer[layer].append(head)
    return {place.format(layer=layer): _silencer(chosen) for layer, chosen in by_layer.items()}


def _silencer(chosen: list[int]) -> Edit:
    def silence(gathered: Tensor) -> Tensor:  # (B, H, T, D)
        n_heads = gathered.shape[1]
        if not all(0 <= head < n_heads for head in chosen):
            raise ValueError(f"Heads are numbered 0 to {n_heads - 1}: there is none of {chosen}.")
        kept = torch.ones(n_heads, device=gathered.device, dtype=gathered.dtype)
        kept[chosen] = 0
        return gathered * kept[:, None, None]

    return silence
