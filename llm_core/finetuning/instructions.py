"""Instruction tuning: teach a model that continues texts to answer instead.

Every pair goes into one template. The model reads all of it, and learns from the answer alone:
it is not to learn to ask. After "Training language models to follow instructions with human
feedback" (Ouyang et al. 2022), its first stage.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal, Protocol

import torch
from torch import Tensor

from llm_core.data.batches import random_windows
from llm_core.data.tale_instructions import Instruction, kinds_of
from llm_core.finetuning.settings import (
    FinetuneSettings,
    Learned,
    choose_trained,
    make_optimizer,
    take_step,
)
from llm_core.generation.sample import SamplingSettings, generate_batch
from llm_core.models.gpt import GPT
from llm_core.training.loop import evaluate

IGNORED: Final = -100  # targets that do not count
_PAD = 0
_MOST_ANSWER = 24  # tokens that a model may write
_SCORE_BATCH = 60
_FORGETTING_WINDOWS = 8
LossOn = Literal["answer", "all"]


class Tokenizer(Protocol):
    """Turns texts into ids and back."""

    def encode(self, text: str) -> list[int]: ...
    def decode(self, ids: Sequence[int]) -> str: ...


@dataclass(frozen=True)
class InstructionScore:
    """How a model does after `step` steps on instructions that it has not learnt from.

    right: share of answers that are right to the last sign; by_kind: the same for each kind; loss:
    on the answers, in nats a token; said: its answers; pretraining_loss: as a language model of
    the text that it was pretrained on, if that was given.
    """

    step: int
    right: float
    loss: float
    by_kind: tuple[tuple[str, float], ...]
    said: tuple[str, ...]
    pretraining_loss: float | None = None


def prompt_of(instruction: str) -> str:
    """Put an instruction into the template, up to where the answer begins."""
    return f"Task: {instruction}\nAnswer:"


def encode_pair(
    pair: Instruction, tokenizer: Tokenizer, *, loss_on: LossOn = "answer"
) -> tuple[list[int], list[int]]:
    """Return ids (T,) of the filled template, and targets (T,), each the token after its id.

    A newline ends the answer, and is learnt with it. Targets inside the prompt are IGNORED, unless
    `loss_on` is "all".
    """
    prompt = tokenizer.encode(prompt_of(pair.instruction))
    answer = [*tokenizer.encode(f" {pair.answer}"), *tokenizer.encode("\n")]
    ids, targets = [*prompt, *answer[:-1]], [*prompt[1:], *answer]
    if loss_on == "answer":
        targets[: len(prompt) - 1] = [IGNORED] * (len(prompt) - 1)
    return ids, targets


def make_batch(rows: Sequence[tuple[list[int], list[int]]]) -> tuple[Tensor, Tensor]:
    """Pad pairs of ids and targets on the right; padding is no target."""
    longest = max(len(ids) for ids, _ in rows)
    ids = torch.tensor([[*ids, *[_PAD] * (longest - len(ids))] for ids, _ in rows])
    targets = torch.tensor([[*t, *[IGNORED] * (longest - len(t))] for _, t in rows])
    return ids, targets


def tune_on_instructions(
    model: GPT,
    tokenizer: Tokenizer,
    pairs: Sequence[Instruction],
    unseen: Sequence[Instruction],
    settings: FinetuneSettings,
    *,
    loss_on: LossOn = "answer",
    pretraining_ids: tuple[Tensor, Tensor] | None = None,
) -> Iterator[Learned | InstructionScore]:
    """Train `model` on pairs, and yield a `Learned` a step and an `InstructionScore` an interval.

    `pretraining_ids`: ids (N,) of the pretraining text to replay from, and (M,) to measure on what
    has been forgotten. Raises ValueError for "head", which a language model does not have, and for
    replay without a text.
    """
    if settings.trained == "head":
        raise ValueError("To follow instructions, more than a head must learn: there is no head.")
    if settings.replay and pretraining_ids is None:
        raise ValueError("Replay needs the text that the model was pretrained on.")
    generator = torch.Generator().manual_seed(settings.seed)
    rows = [encode_pair(pair, tokenizer, loss_on=loss_on) for pair in pairs]
    trained = choose_trained(model, settings, generator)
    optimizer = make_optimizer(trained, settings)
    replayed = round(settings.replay * settings.batch_size)
    validation = None if pretraining_ids is None else pretraining_ids[1]
    seconds = 0.0
    yield score_instructions(model, tokenizer, unseen, validation_ids=validation)
    for step in range(1, settings.steps + 1):
        started = time.perf_counter()
        size = settings.batch_size - replayed
        chosen = torch.randperm(len(rows), generator=generator)[:size].tolist()
        model.train()
        loss = model(*make_batch([rows[place] for place in chosen])).loss
        assert loss is not None
        total, tokens = loss, sum(len(rows[place][0]) for place in chosen)
        if replayed and pretraining_ids is not None:
            length = model.config.context_length // 2
            windows = random_windows(pretraining_ids[0], length, replayed, generator=generator)
            old = model(*windows).loss
            assert old is not None
            total = (1 - settings.replay) * loss + settings.replay * old
            tokens += windows[0].numel()
        norm = take_step(total, optimizer, trained, settings.rate(step))
        model.eval()
        seconds += time.perf_counter() - started
        yield Learned(step, float(loss.detach()), seconds, norm, tokens)
        if step % settings.score_interval == 0 or step == settings.steps:
            yield score_instructions(model, tokenizer, unseen, step, validation_ids=validation)


def score_instructions(
    model: GPT,
    tokenizer: Tokenizer,
    pairs: Sequence[Instruction],
    step: int = 0,
    *,
    validation_ids: Tensor | None = None,
) -> InstructionScore:
    """Let `model` answer, greedily, and compare; and measure its loss on the right answers."""
    said = answers(model, tokenizer, [pair.instruction for pair in pairs])
    right = [text == pair.answer for text, pair in zip(said, pairs, strict=True)]
    forgotten = None
    if validation_ids is not None:
        forgotten = evaluate(model, validation_ids, most=_FORGETTING_WINDOWS)[0]
    by_kind = tuple(
        (kind, sum(right[place] for place in places) / len(places))
        for kind, places in kinds_of(pairs)
    )
    loss = answer_loss(model, tokenizer, pairs)
    return InstructionScore(step, sum(right) / len(right), loss, by_kind, tuple(said), forgotten)


@torch.inference_mode()
def answer_loss(model: GPT, tokenizer: Tokenizer, pairs: Sequence[Instruction]) -> float:
    """Return the mean loss on the answers' tokens, in nats."""
    model.eval()
    total, count = 0.0, 0
    rows = [encode_pair(pair, tokenizer) for pair in pairs]
    for start in range(0, len(rows), _SCORE_BATCH):
        ids, targets = make_batch(rows[start : start + _SCORE_BATCH])
        loss = model(ids, targets).loss
        assert loss is not None
        real = int((targets != IGNORED).sum())
        total += float(loss) * real
        count += real
    return total / count


def answers(
    model: GPT, tokenizer: Tokenizer, instructions: Sequence[str], *, most: int = _MOST_ANSWER
) -> list[str]:
    """Let `model` answer each instruction, taking the likeliest token each time, up to a newline.

    Raises ValueError if an instruction is so long that no room is left for the answer.
    """
    prompts = [prompt_of(each) for each in instructions]
    return [text.strip() for text in continued(model, tokenizer, prompts, most=most)]


def continued(model: GPT, tokenizer: Tokenizer, prompts: Sequence[str], *, most: int) -> list[str]:
    """Continue prompts with the likeliest token each time, up to a newline or `most` tokens.

    Raises ValueError if a prompt is so long that no room is left for that.
    """
    model.eval()
    rows = [tokenizer.encode(each) for each in prompts]
    room = model.config.context_length - most
    if any(len(row) > room for row in rows):
        raise ValueError(
            f"This is too long for the tiny model, which reads {model.config.context_length} "
            f"tokens in all: please stay below {room} tokens with what you ask."
        )
    (end,) = tokenizer.encode("\n")
    settings = SamplingSettings(
        max_new_tokens=most, temperature=0.0, stop_tokens=(end,), alternatives=0
    )
    written: list[list[int]] = [[] for _ in rows]
    with torch.inference_mode():
        for steps in generate_batch(model, [torch.tensor(row) for row in rows], settings):
            for text, step in zip(written, steps, strict=True):
                if step is not None and step.id != end:
                    text.append(step.id)
    return [tokenizer.decode(text) for text in written]
