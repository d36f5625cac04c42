"""A model at one moment of its training: whom its heads look at, what it expects, where tokens lie.

The same measures at every kept snapshot, on the same prompt and the same axes, so that what changes
between two pictures is what was learnt.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from llm_core.inspection.projection import PrincipalAxes, principal_axes
from llm_core.inspection.trace import trace_model
from llm_core.models.gpt import GPT
from llm_core.tokenizers.protocol import Tokenizer

KINDS = (
    "vowels",
    "consonants",
    "capitals",
    "digits",
    "spaces and line ends",
    "signs",
    "begins a word",
    "inside a word",
)
_READ = 60_000  # characters of a text in which tokens are counted


@dataclass(frozen=True)
class Moment:
    """maps (L, H, T, T): the weights of all heads on the prompt; probabilities (V,): what comes."""

    maps: NDArray[np.float32]
    probabilities: NDArray[np.float32]


@dataclass(frozen=True)
class TableMap:
    """Tokens on a plane, at every snapshot on the same axes.

    ids, kinds (N,); places (S, N, 2); reach: how far any place lies from the middle; share: of what
    differs among the tokens at the end, that the two axes show.
    """

    ids: tuple[int, ...]
    kinds: tuple[int, ...]
    places: NDArray[np.float64]
    reach: float
    share: float


def look_inside(model: GPT, ids: Sequence[int]) -> Moment:
    """Let the model read a prompt of T token ids; raises ValueError for none, or for too many."""
    if not ids:
        raise ValueError("Write something first: an empty prompt has no attention.")
    if len(ids) > model.config.context_length:
        raise ValueError(
            f"The prompt has {len(ids)} tokens, and this model sees {model.config.context_length}."
        )
    names = ("*.attention.weights",)
    output, trace = trace_model(model, torch.tensor([list(ids)]), only=names, last_only=True)
    layers = range(model.config.n_layers)
    maps = np.stack([trace[f"blocks.{n}.attention.weights"][0].numpy() for n in layers])
    return Moment(maps, output.logits[0, -1].softmax(dim=-1).numpy())


def map_tables(
    tables: Sequence[NDArray[np.floating]], ids: Sequence[int], kinds: Sequence[int]
) -> TableMap:
    """Place the rows `ids` of token tables (V, C) of several moments on the axes of the last one.

    Raises ValueError for fewer than two tokens.
    """
    if len(ids) < 2:
        raise ValueError("One token alone makes no map.")
    rows = np.stack([table[list(ids)] for table in tables]).astype(np.float64)
    axes: PrincipalAxes = principal_axes(rows[-1], 2)
    places = axes.project(rows)
    reach = 1.08 * float(np.abs(places).max())
    return TableMap(tuple(ids), tuple(kinds), places, reach, float(axes.shares.sum()))


def frequent_tokens(tokenizer: Tokenizer, text: str, most: int) -> list[int]:
    """Return the tokens that the beginning of a text is most often cut into, at most so many."""
    counts = Counter(tokenizer.encode_array(text[:_READ]).tolist())
    return sorted(index for index, _ in counts.most_common(most))


def token_kind(text: str) -> int:
    """Return the place in KINDS of what a token stands for."""
    if text.isspace():
        return 4
    if len(text) == 1:
        if text.isdigit():
            return 3
        if text.isalpha():
            return 2 if text.isupper() else 0 if text in "aeiouäöüáéíóúàèìòùâêîôû" else 1
        return 5
    if not any(character.isalnum() for character in text):
        return 5
    return 6 if text[0].isspace() else 7
