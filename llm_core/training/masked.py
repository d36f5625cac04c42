"""Train an encoder to guess hidden tokens: masked language modelling, as BERT learnt."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from torch import Tensor

from llm_core.data.batches import random_windows
from llm_core.data.masking import IGNORED, hiding_chances, mask_tokens
from llm_core.models.config import TransformerConfig
from llm_core.models.encoder import Encoder
from llm_core.training.optimizers import build_optimizers
from llm_core.training.recipes import RECIPES, Recipe
from llm_core.training.schedules import learning_rate_share

_SCORE_SEED = 7


@dataclass(frozen=True, kw_only=True)
class MaskedSettings:
    """One training: how long, how much is hidden, and by which recipe. One seed, one result."""

    steps: int
    batch_size: int = 8
    share: float = 0.15
    recipe: Recipe = field(default_factory=lambda: RECIPES["modern"])
    seed: int = 1337
    score_interval: int = 250
    score_windows: int = 200


@dataclass(frozen=True)
class MaskedStep:
    """One step was taken; `loss` is its batch's, in nats a hidden token."""

    step: int
    loss: float
    seconds: float


@dataclass(frozen=True)
class MaskedScore:
    """Loss in nats, and share right, over hidden tokens of text that is not trained on."""

    step: int
    loss: float
    right: float


def train_masked(
    config: TransformerConfig, settings: MaskedSettings, train_ids: Tensor, validation_ids: Tensor
) -> Iterator[tuple[Encoder, MaskedStep | MaskedScore]]:
    """Train a new encoder of shape `config`, and yield it with what has just happened.

    The last id of its vocabulary is the mask, which no text holds. Ids (N,) of both parts are
    below that.
    """
    generator = torch.Generator().manual_seed(settings.seed)
    model = Encoder(config, generator=generator)
    optimizers = build_optimizers(model, settings.recipe)
    chances = hiding_chances(train_ids, config.vocab_size - 1, share=settings.share)
    seconds = 0.0
    for step in range(1, settings.steps + 1):
        started = time.perf_counter()
        share = learning_rate_share(settings.recipe, step, steps=settings.steps)
        windows, _ = random_windows(
            train_ids, config.context_length, settings.batch_size, generator=generator
        )
        loss = _loss(model.train(), windows, chances, generator)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(model.parameters(), settings.recipe.clip_norm)
        for optimizer in optimizers:
            for group in optimizer.param_groups:
                group["lr"] = group["peak"] * share
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
        seconds += time.perf_counter() - started
        yield model, MaskedStep(step, float(loss.detach()), seconds)
        if step % settings.score_interval == 0 or step == settings.steps:
            yield model, score_masked(model, settings, validation_ids, step=step)


@torch.inference_mode()
def score_masked(
    model: Encoder, settings: MaskedSettings, ids: Tensor, *, step: int = 0
) -> MaskedScore:
    """Measure `model` on tokens that are hidden in ids (N,): always the same ones."""
    generator = torch.Generator().manual_seed(_SCORE_SEED)
    model.eval()
    chances = hiding_chances(ids, model.config.vocab_size - 1, share=settings.share)
    loss, right, count = 0.0, 0, 0
    for _ in range(0, settings.score_windows, settings.batch_size):
        windows, _ = random_windows(
            ids, model.config.context_length, settings.batch_size, generator=generator
        )
        shown, targets = _masked(model, windows, chances, generator)
        output = model(shown, targets)
        hidden = targets != IGNORED
        loss += float(output.loss) * int(hidden.sum())
        right += int((output.logits.argmax(-1) == targets)[hidden].sum())
        count += int(hidden.sum())
    return MaskedScore(step, loss / count, right / count)


def _loss(model: Encoder, windows: Tensor, chances: Tensor, generator: torch.Generator) -> Tensor:
    """The mean loss of the hidden tokens; the others are not scored at all, which saves time."""
    shown, targets = _masked(model, windows, chances, generator)
    hidden = targets != IGNORED
    vectors = model.read(model.token_embedding(shown))[hidden]
    logits = model.masked_token_head(vectors, model.output_weight())
    return F.cross_entropy(logits, targets[hidden])


def _masked(
    model: Encoder, windows: Tensor, chances: Tensor, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    mask_id = model.config.vocab_size - 1
    return mask_tokens(windows, chances, mask_id=mask_id, generator=generator)
