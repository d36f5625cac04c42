"""Texts that grow side by side, read by a model: each token once, where a cache can help.

When a text is longer than the model's context, its oldest tokens are let go: a quarter of the
context at once, for what is left must be read anew. (To slide keys and values by one token instead
is quicker, and spoils many models: they have learnt to look at the first token of a text.)
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol

import torch
from torch import Tensor

from llm_core.layers.cache import KeyValueCache
from llm_core.models.config import TransformerConfig
from llm_core.models.gpt import Output
from llm_core.models.one_token import one_token_pass


class Model(Protocol):
    """What generation asks of a model; a `GPT` is one."""

    training: bool
    config: TransformerConfig

    def __call__(
        self,
        ids: Tensor,
        *,
        cache: KeyValueCache | None = None,
        mask: Tensor | None = None,
        last_only: bool = False,
    ) -> Output:
        """Score the next tokens after ids (B, T)."""

    def new_cache(self, batch: int = 1, *, capacity: int | None = None) -> KeyValueCache:
        """Return an empty cache."""

    def train(self, mode: bool = True) -> object:
        """Switch dropout on or off."""


def check_prompt(model: Model, prompt: Sequence[int]) -> None:
    """Raise ValueError for a prompt without tokens, or with ids that the model does not know."""
    if not prompt:
        raise ValueError("The model needs at least one token to start from.")
    vocab_size = model.config.vocab_size
    for index in (min(prompt), max(prompt)):
        if not 0 <= index < vocab_size:
            raise ValueError(f"Token id {index} is outside this model's 0 to {vocab_size - 1}.")


@contextmanager
def reading(model: Model) -> Iterator[None]:
    """Within, the model computes without dropout, and keeps nothing for training."""
    training = model.training
    if training:
        model.train(False)
    try:
        with torch.inference_mode():
            yield
    finally:
        if training:
            model.train(True)


def device_of(model: Model) -> torch.device:
    """Return where the model's weights lie."""
    assert isinstance(model, torch.nn.Module)
    return next(model.parameters()).device


class Reader:
    """Scores what comes next in each of several texts.

    Without `cached`, all texts are read anew for each token: slow, and the same.
    """

    def __init__(
        self, model: Model, prompts: Sequence[Sequence[int]], *, most: int, cached: bool = True
    ) -> None:
        """Take prompts that will grow by at most `most` tokens; raise ValueError for bad ones."""
        for prompt in prompts:
            check_prompt(model, prompt)
        self._model, self._cached, self._most = model, cached, most
        self._context_length = model.config.context_length
        self._windows = [list(prompt[-self._context_length :]) for prompt in prompts]
        self._rows = list(range(len(prompts)))  # the texts that still grow
        self._in_cache: list[int] = []  # the texts that the cache holds, row by row
        self._cache: KeyValueCache | None = None
        self._one_token = one_token_pass(model) if cached else None
        self._device = device_of(model)
        # How many of its oldest tokens each text has lost.
        self.forgotten = [max(0, len(prompt) - self._context_length) for prompt in prompts]

    def end(self, row: int) -> None:
        """Read no more of a text."""
        self._rows.remove(row)

    def append(self, row: int, index: int) -> None:
        """Let a text grow by one token."""
        window = self._windows[row]
        window.append(index)
        if len(window) > self._context_length:
            lost = max(1, self._context_length // 4)
            del window[:lost]
            self.forgotten[row] += lost
            self._cache = None

    def read(self) -> dict[int, Tensor]:
        """Return the logits (V,) of the next token of each text that still grows, on the CPU.

        To be called within `reading`.
        """
        scores = self._scores().float().cpu().unbind()
        return {row: scores[place] for place, row in enumerate(self._in_cache) if row in self._rows}

    def _scores(self) -> Tensor:
        """Return logits (rows, V), those of texts that have ended meanwhile included."""
        cache = self._cache
        if cache is None or cache.length >= self._context_length or not self._cached:
            return self._read_all()
        # A text that has ended is read on as if it stood still: nobody looks at it.
        last = self._tensor([[self._windows[row][-1]] for row in self._in_cache])
        if self._one_token is not None and cache.real is None:
            return self._one_token(last, cache)
        return self._model(last, cache=cache, last_only=True).logits[:, -1]

    def _read_all(self) -> Tensor:
        """Read all texts that still grow, from their windows' first tokens."""
        self._in_cache = list(self._rows)
        windows = [self._windows[row] for row in self._rows]
        width = max(map(len, windows))
        ids = self._tensor([[0] * (width - len(window)) + window for window in windows])
        mask = None
        if any(len(window) < width for window in windows):  # padded on the left
            lengths = self._tensor([[len(window)] for window in windows])
            mask = torch.arange(width, 0, -1, device=ids.device) <= lengths
        if self._cached:
            capacity = min(self._context_length, width + self._most)
            self._cache = self._model.new_cache(len(windows), capacity=capacity)
        return self._model(ids, cache=self._cache, mask=mask, last_only=True).logits[:, -1]

    def _tensor(self, rows: list[list[int]]) -> Tensor:
        return torch.tensor(rows, device=self._device)
