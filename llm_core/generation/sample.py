"""Let a model write: guess a token, add it to the text, guess again."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from llm_core.models.gpt import GPT


@dataclass(frozen=True, kw_only=True)
class SamplingSettings:
    """How to choose tokens; raises ValueError for settings that cannot be.

    temperature: below 1 prefers likely tokens, above 1 evens them out, 0 takes the likeliest.
    """

    max_new_tokens: int = 200
    temperature: float = 1.0

    def __post_init__(self) -> None:
        if self.max_new_tokens < 1:
            raise ValueError("Ask for at least one new token.")
        if not 0 <= self.temperature < float("inf"):
            raise ValueError(f"The temperature must be 0 or more, not {self.temperature!r}.")


@dataclass(frozen=True)
class TokenStep:
    """One generated token and the probability it was drawn with."""

    id: int
    probability: float


def generate(
    model: GPT,
    ids: Tensor,
    settings: SamplingSettings,
    *,
    generator: torch.Generator | None = None,
) -> Iterator[TokenStep]:
    """Continue ids (T,), token by token; to stop, stop iterating.

    The model sees the last context_length tokens. `generator` is a CPU generator and makes the
    same text come again. Raises ValueError if there is no token to start from.
    """
    if len(ids) == 0:
        raise ValueError("The model needs at least one token to start from.")
    context_length = model.config.context_length
    ids = ids[-context_length:]
    for _ in range(settings.max_new_tokens):
        probabilities = _next_token_probabilities(model, ids, settings.temperature)
        chosen = int(torch.multinomial(probabilities, 1, generator=generator))
        yield TokenStep(chosen, float(probabilities[chosen]))
        ids = torch.cat([ids, ids.new_tensor([chosen])])[-context_length:]


@torch.inference_mode()
def _next_token_probabilities(model: GPT, ids: Tensor, temperature: float) -> Tensor:
    """Distribution over the vocabulary (V,) after ids (T,), on the CPU, all tokens counted."""
    training = model.training
    model.eval()
    logits: Tensor = model(ids[None]).logits[0, -1].float().cpu()
    model.train(training)
    if temperature == 0:
        likeliest = torch.zeros_like(logits)
        likeliest[logits.argmax()] = 1.0
        return likeliest
    # The largest becomes 0, so that dividing by a tiny temperature cannot overflow to inf - inf.
    probabilities: Tensor = ((logits - logits.max()) / temperature).softmax(dim=-1)
    return probabilities
