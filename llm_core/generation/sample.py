"""Let a model write: guess a token, add it to the text, guess again."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from llm_core.generation.filters import filtered
from llm_core.generation.pieces import Decoder, TextStream
from llm_core.generation.reader import Model, Reader, reading
from llm_core.generation.settings import SamplingSettings

__all__ = [
    "Alternative",
    "SamplingSettings",
    "TokenStep",
    "draw",
    "draw_many",
    "generate",
    "generate_batch",
    "next_logits",
]

_HEAD = 512  # of the likeliest tokens: more are only sorted if the dart lands behind them
_BITS = 1 / torch.log(torch.tensor(2.0)).item()


@dataclass(frozen=True)
class Alternative:
    """A token that might have come: its probability by the model, and after the filters."""

    id: int
    model_probability: float
    probability: float


@dataclass(frozen=True)
class TokenStep:
    """One generated token, and what else was possible.

    probability: what it was drawn with, after the filters. model_probability: what the model
    itself gave it. entropy: of the model's own distribution, in bits. alternatives: the likeliest
    by the model, the likeliest first. text: what may be shown now (see `pieces`), if there was a
    tokenizer. seconds: what choosing it took, the model's reading included. forgotten: how many
    of the oldest tokens the model no longer saw. end: why it is the last one, if it is: "length",
    "stop token" or "stop string".
    """

    id: int
    probability: float
    model_probability: float
    entropy: float
    alternatives: tuple[Alternative, ...] = ()
    text: str = ""
    seconds: float = 0.0
    forgotten: int = 0
    end: str = ""


def generate(
    model: Model,
    ids: Tensor,
    settings: SamplingSettings,
    *,
    generator: torch.Generator | None = None,
    tokenizer: Decoder | None = None,
    cached: bool = True,
) -> Iterator[TokenStep]:
    """Continue ids (T,), token by token; to stop, stop iterating.

    A text longer than the model's context loses its oldest tokens, and `TokenStep.forgotten` says
    how many. `generator` is a CPU generator and makes the same text come again; `tokenizer` gives
    steps their text. Without `cached`, the whole text is read anew for each token: the same tokens,
    slowly. Raises ValueError if there is no token to start from, if one is unknown to the model, or
    if there are stop strings and no tokenizer.
    """
    rows = generate_batch(
        model, [ids], settings, generators=[generator], tokenizer=tokenizer, cached=cached
    )
    for (step,) in rows:
        assert step is not None
        yield step


def generate_batch(
    model: Model,
    prompts: Sequence[Tensor],
    settings: SamplingSettings | Sequence[SamplingSettings],
    *,
    generators: Sequence[torch.Generator | None] | None = None,
    tokenizer: Decoder | None = None,
    cached: bool = True,
) -> Iterator[tuple[TokenStep | None, ...]]:
    """Continue several prompts at once, each as `generate` would alone.

    Yields one step a prompt at a time, or None for those that have ended. Settings and generators
    may differ from prompt to prompt; share no generator between them, or they no longer come out as
    they would alone.
    """
    each = [settings] * len(prompts) if isinstance(settings, SamplingSettings) else list(settings)
    generators = [None] * len(prompts) if generators is None else generators
    texts = [prompt.tolist() for prompt in prompts]
    reader = Reader(model, texts, most=max(s.max_new_tokens for s in each), cached=cached)
    writers = [
        _Writer(text, own, generator, tokenizer)
        for text, own, generator in zip(texts, each, generators, strict=True)
    ]
    growing = len(writers)
    while growing:
        started = time.perf_counter()
        steps: list[TokenStep | None] = [None] * len(writers)
        with reading(model):  # not around the yield: others compute meanwhile
            for row, scores in reader.read().items():
                step = writers[row].write(scores, started, reader.forgotten[row])
                steps[row] = step
                reader.append(row, step.id)
                if step.end:
                    reader.end(row)
                    growing -= 1
        yield tuple(steps)


def next_logits(model: Model, ids: Tensor) -> Tensor:
    """Return the scores (V,) of every token that may follow ids (T,); the end counts if too long.

    Raises ValueError if there is no token, or one that the model does not know.
    """
    with reading(model):
        return Reader(model, [ids.tolist()], most=1, cached=False).read()[0]


def draw(probabilities: Tensor, dart: float) -> int:
    """Return the token that a dart hits: `dart`, from 0 to 1, is a place on a bar of length 1.

    All tokens lie on it end to end, the likeliest first, each as long as its probability (V,).
    """
    shares = probabilities.numpy(force=True)
    possible = np.flatnonzero(shares > 0)
    if len(possible) > _HEAD:  # it would take long to sort them all, and most darts hit the first
        least = np.partition(shares, -_HEAD)[-_HEAD]
        head = possible[shares[possible] >= least]
        found = _hit(shares, head, dart, shares.sum(dtype=np.float64))
        if found is not None:
            return found
    found = _hit(shares, possible, dart)
    if found is None:  # the dart landed on the very end, or on nothing at all
        return int(draw_many(probabilities, torch.tensor([dart], dtype=torch.float64))[0])
    return found


def _hit(
    shares: NDArray[np.floating], ids: NDArray[np.intp], dart: float, whole: float | None = None
) -> int | None:
    """Which of the tokens `ids`, laid end to end, the likeliest first, a dart hits, if any.

    whole: the length of the bar that it is thrown at; None if these are all that lie on it.
    """
    lengths = shares[ids]
    order = np.argsort(-lengths, kind="stable")
    ends = lengths[order].cumsum(dtype=np.float64)
    if whole is None:
        whole = ends[-1] if len(ends) else 0.0
    found = int(ends.searchsorted(dart * whole, side="right"))
    return int(ids[order[found]]) if found < len(order) else None


def draw_many(probabilities: Tensor, darts: Tensor) -> Tensor:
    """Return the token that each of several darts (n,) hits; see `draw`."""
    ordered, ids = probabilities.sort(descending=True, stable=True)
    ends = ordered.double().cumsum(dim=0)
    places = torch.searchsorted(ends, darts * ends[-1], right=True)
    last = (ordered > 0).sum() - 1  # rounding must not hit what is impossible
    return ids[places.clamp(max=last)]


class _Writer:
    """One text as it grows."""

    def __init__(
        self,
        prompt: list[int],
        settings: SamplingSettings,
        generator: torch.Generator | None,
        tokenizer: Decoder | None,
    ) -> None:
        if settings.stop_strings and tokenizer is None:
            raise ValueError("To stop at a text, it takes a tokenizer that writes the tokens out.")
        self._history, self._settings, self._generator = list(prompt), settings, generator
        self._written = 0
        self._stream = (
            None if tokenizer is None else TextStream(tokenizer, prompt, settings.stop_strings)
        )

    def write(self, logits: Tensor, started: float, forgotten: int) -> TokenStep:
        """Choose the next token by its logits (V,)."""
        settings = self._settings
        by_model = logits.softmax(dim=-1)
        changed = filtered(logits, settings, history=self._history, place=self._written)
        probabilities = by_model if changed is logits else changed.softmax(dim=-1)
        if settings.temperature == 0:
            chosen = int(probabilities.argmax())
        else:
            dart = torch.rand((), generator=self._generator, dtype=torch.float64)
            chosen = draw(probabilities, dart.item())
        self._history.append(chosen)
        self._written += 1
        end, text = self._ending(chosen)
        return TokenStep(
            chosen,
            probabilities[chosen].item(),
            by_model[chosen].item(),
            torch.special.entr(by_model).sum().item() * _BITS,
            _alternatives(by_model, probabilities, settings.alternatives),
            text,
            time.perf_counter() - started,
            forgotten,
            end,
        )

    def _ending(self, chosen: int) -> tuple[str, str]:
        """Return why the text ends with this token, if it does, and what may be shown now."""
        end, text = "", ""
        stops = chosen in self._settings.stop_tokens
        if self._stream is not None and not stops:  # a stop token is a sign, and no text
            text = self._stream.push(chosen)
            end = "stop string" if self._stream.stopped else ""
        if stops:
            end = "stop token"
        elif not end and self._written == self._settings.max_new_tokens:
            end = "length"
        if self._stream is not None and end:
            text += self._stream.finish()
            end = "stop string" if self._stream.stopped else end
        return end, text


def _alternatives(by_model: Tensor, after: Tensor, count: int) -> tuple[Alternative, ...]:
    """The `count` likeliest tokens by the model."""
    if not count:
        return ()
    values, indices = by_model.topk(min(count, len(by_model)))
    shares = after.numpy()
    return tuple(
        Alternative(index, value, float(shares[index]))
        for index, value in zip(indices.tolist(), values.tolist(), strict=True)
    )
