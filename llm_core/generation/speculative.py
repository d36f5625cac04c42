"""Speculative decoding: a small model drafts, a large one checks several tokens in one pass.

What comes out is distributed exactly as if the large model had written alone: a drafted token is
accepted with probability min(1, p/q), and a rejected one is replaced by a draw from max(0, p - q).
Follows "Fast Inference from Transformers via Speculative Decoding" (2022).
"""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from llm_core.generation.filters import filtered
from llm_core.generation.reader import Model, check_prompt, device_of, reading
from llm_core.generation.sample import draw
from llm_core.generation.settings import SamplingSettings


@dataclass(frozen=True)
class DraftRound:
    """One pass of the large model.

    drafted: what the small one proposed; accepted: how many of those, from the first on, stayed;
    ids: the tokens that the text grew by, which are those and one of the large model's own (unless
    the text has reached its end).
    """

    drafted: tuple[int, ...]
    accepted: int
    ids: tuple[int, ...]


def speculate(
    model: Model,
    draft: Model,
    ids: Tensor,
    settings: SamplingSettings,
    *,
    draft_length: int = 4,
    generator: torch.Generator | None = None,
) -> Iterator[DraftRound]:
    """Continue ids (T,) as `model` would, with drafts of `draft_length` tokens by `draft`.

    Stop strings are not looked for. Raises ValueError for models of different vocabularies, an
    empty draft, or a text that would not fit into both contexts.
    """
    history = ids.tolist()
    check_prompt(model, history)
    if model.config.vocab_size != draft.config.vocab_size:
        raise ValueError("A model can only draft for one that has the same vocabulary.")
    if draft_length < 1:
        raise ValueError("A draft must hold at least one token.")
    capacity = len(history) + settings.max_new_tokens + draft_length + 1
    least = min(model.config.context_length, draft.config.context_length)
    if capacity > least:
        raise ValueError(f"This would need {capacity} tokens of context, and there are {least}.")
    large, small = (_Memory(each, capacity) for each in (model, draft))
    start = len(history)
    while len(history) - start < settings.max_new_tokens:
        room = settings.max_new_tokens - (len(history) - start)
        found = _round(large, small, history, start, settings, draft_length, generator)
        new = _until_stop(found.ids[:room], settings)
        history += new
        yield DraftRound(found.drafted, min(found.accepted, len(new)), tuple(new))
        if new[-1] in settings.stop_tokens:
            return


class _Memory:
    """A model with a cache that follows a text, also backwards."""

    def __init__(self, model: Model, capacity: int) -> None:
        self._model = model
        self._cache = model.new_cache(1, capacity=capacity)
        self._read: list[int] = []

    def scores(self, text: list[int], count: int) -> Tensor:
        """Return the logits (count, V) after each of the last `count` tokens of the text."""
        same = 0
        for old, new in zip(self._read, text[: len(text) - count], strict=False):
            if old != new:
                break
            same += 1
        self._cache.truncate(same)
        self._read = list(text)
        with reading(self._model):
            ids = torch.tensor([text[same:]], device=device_of(self._model))
            return self._model(ids, cache=self._cache).logits[0, -count:].float().cpu()


def _round(
    large: _Memory,
    small: _Memory,
    history: list[int],
    start: int,
    settings: SamplingSettings,
    draft_length: int,
    generator: torch.Generator | None,
) -> DraftRound:
    """Draft, check, and correct."""

    def distribution(logits: Tensor, text: list[int]) -> Tensor:
        place = len(text) - start
        return filtered(logits, settings, history=text, place=place).softmax(dim=-1)

    def dart() -> float:
        return float(torch.rand((), generator=generator, dtype=torch.float64))

    text, by_small = list(history), []
    for _ in range(draft_length):
        by_small.append(distribution(small.scores(text, 1)[0], text))
        text.append(draw(by_small[-1], dart()))
    drafted = text[len(history) :]
    scores = large.scores(text, draft_length + 1)
    for place, token in enumerate(drafted):
        p = distribution(scores[place], history + drafted[:place])
        q = by_small[place]
        if dart() * float(q[token]) >= float(p[token]):
            correction = draw((p - q).clamp(min=0), dart())
            return DraftRound(tuple(drafted), place, (*drafted[:place], correction))
    extra = draw(distribution(scores[-1], text), dart())
    return DraftRound(tuple(drafted), draft_length, (*drafted, extra))


def _until_stop(ids: tuple[int, ...], settings: SamplingSettings) -> list[int]:
    """The tokens up to the first stop token, itself included."""
    for place, index in enumerate(ids):
        if index in settings.stop_tokens:
            return list(ids[: place + 1])
    return list(ids)
