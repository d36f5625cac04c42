"""Greedy translation with an encoder-decoder, sign by sign, and what each sign looked at."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from llm_core.layers.trace import Trace
from llm_core.models.encoder_decoder import EncoderDecoder


@dataclass(frozen=True)
class TranslationStep:
    """One token of a translation.

    id: what the decoder goes on with; choice: what it found most probable, the same unless it
    was overruled; probabilities (V,): of all tokens; attention (L, H, S): the cross-attention of
    this place, by layer and head, over the tokens of the source. Each of its rows sums to 1.
    """

    id: int
    choice: int
    probabilities: Tensor
    attention: Tensor


@torch.inference_mode()
def translate(
    model: EncoderDecoder,
    source: Sequence[int],
    *,
    start: int,
    end: int,
    most: int = 16,
    overruled: Mapping[int, int] | None = None,
) -> Iterator[TranslationStep]:
    """Yield the translation of source (S,), most probable token by token, `end` included.

    The source is read once; a cache keeps what the decoder has computed for the tokens so far.
    `overruled` puts other tokens in the place of the decoder's own, by place: what follows must
    live with them. It ends after `most` tokens at the latest.
    """
    memory = model.encode(torch.tensor([list(source)]))
    cache = model.new_cache(capacity=most + 1)
    token, overruled = start, overruled or {}
    for place in range(most):
        trace = Trace(only=("decoder.blocks.*.cross_attention.weights",))
        logits = model.decode(torch.tensor([[token]]), memory, cache=cache, trace=trace)[0, -1]
        choice = int(logits.argmax())
        token = overruled.get(place, choice)
        weights = torch.stack([trace[name][0, :, -1] for name in trace])
        yield TranslationStep(token, choice, logits.softmax(-1), weights)
        if token == end:
            return


@torch.inference_mode()
def translate_batch(
    model: EncoderDecoder, source: Tensor, mask: Tensor, *, start: int, end: int, most: int = 16
) -> Tensor:
    """Translate many sources (B, S) at once; `mask` (B, S) is False for padding.

    Returns ids (B, T), T up to `most`. What stands after a row's `end` means nothing.
    """
    memory = model.encode(source, mask=mask)
    cache = model.new_cache(batch=len(source), capacity=most + 1)
    last = torch.full((len(source), 1), start)
    done = torch.zeros(len(source), dtype=torch.bool)
    written = []
    for _ in range(most):
        logits = model.decode(last, memory, memory_mask=mask, cache=cache)
        last = logits[:, -1:].argmax(-1)
        written.append(last)
        done |= last[:, 0] == end
        if bool(done.all()):
            break
    return torch.cat(written, dim=1)


@torch.inference_mode()
def forced_choices(
    model: EncoderDecoder, source: Sequence[int], right: Sequence[int], *, start: int
) -> list[TranslationStep]:
    """Return what the decoder would write at each place if all before it were `right` (T,).

    That is what it is trained on: teacher forcing. One pass for all places; `id` of a step is the
    right token.
    """
    trace = Trace(only=("decoder.blocks.*.cross_attention.weights",))
    ids = torch.tensor([[start, *right[:-1]]])
    logits = model(torch.tensor([list(source)]), ids, trace=trace).logits[0]
    weights = torch.stack([trace[name][0] for name in trace])
    return [
        TranslationStep(token, int(row.argmax()), row.softmax(-1), weights[:, :, place])
        for place, (token, row) in enumerate(zip(right, logits, strict=True))
    ]
