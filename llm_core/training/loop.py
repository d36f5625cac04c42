"""The training loop: read a batch, measure the surprise, nudge every weight to lower it.

`train` is a generator. Each event tells what has happened since the last; whoever stops asking
for the next one stops the run, and what was learnt until then is kept.
"""

import time
from collections.abc import Generator, Iterator
from pathlib import Path

import torch
from torch import Tensor

from llm_core.data.batches import consecutive_windows, random_windows
from llm_core.generation.sample import SamplingSettings, generate
from llm_core.models.gpt import GPT
from llm_core.training.checkpoint_index import latest_checkpoint
from llm_core.training.checkpoints import load_checkpoint, save_checkpoint
from llm_core.training.config import RunConfig
from llm_core.training.events import (
    CheckpointEvent,
    EvalEvent,
    Event,
    SampleEvent,
    StartEvent,
    StepEvent,
)
from llm_core.training.metrics import bigram_loss, uniform_loss
from llm_core.training.schedules import cosine_with_warmup
from llm_core.training.state import TrainingState, prepare


class TrainingDivergedError(RuntimeError):
    """The loss is no longer a number; the weights of the last checkpoint are still good."""


def train(
    config: RunConfig, *, resume: Path | None = None, out: Path | None = None
) -> Generator[Event, None, None]:
    """Run `config` and yield what happens; checkpoints go below `out` if it is given.

    `resume` goes on from the newest checkpoint in that folder, and saves there. Closing the
    generator early saves a last checkpoint. Raises ValueError for a text or checkpoint that
    cannot be used, and TrainingDivergedError when the loss stops being a number.
    """
    if resume is None:
        state = prepare(config)
    else:
        out = out or resume
        state = load_checkpoint(latest_checkpoint(resume))
    yield _start_event(state)
    try:
        if state.step == 0:
            yield from _look(state, final=False)
        yield from _steps(state, out)
    except GeneratorExit:
        if out is not None:
            save_checkpoint(state, out)
        raise


def evaluate(model: GPT, ids: Tensor, *, most: int | None = None) -> tuple[float, int]:
    """Return the mean loss in nats per token over ids (N,), and how many tokens were predicted.

    Windows lie side by side and cover the ids once; `most` takes that many, evenly spread.
    """
    training, total, count = model.training, 0.0, 0
    model.eval()
    with torch.inference_mode():
        for inputs, targets in consecutive_windows(ids, model.config.context_length, 32, most=most):
            loss = model(inputs, targets).loss
            total += float(loss) * targets.numel()
            count += targets.numel()
    model.train(training)
    return total / count, count


def _steps(state: TrainingState, out: Path | None) -> Iterator[Event]:
    config, tokens, seconds = state.config, 0, 0.0
    while state.step < config.steps:
        started = time.perf_counter()
        loss, gradient_norm, rate = _step(state)
        seconds += time.perf_counter() - started
        tokens += config.batch_size * state.model.config.context_length
        yield StepEvent(state.step, loss, rate, gradient_norm, tokens, seconds)
        final = state.step == config.steps
        yield from _look(state, final=final)
        if out is not None and (final or _due(state.step, config.checkpoint_interval)):
            yield CheckpointEvent(state.step, save_checkpoint(state, out))


def _step(state: TrainingState) -> tuple[float, float, float]:
    """Take one step; return its loss, gradient norm and learning rate.

    Every random choice follows from seed and step alone, so that a resumed run makes the same.
    """
    config, recipe, model = state.config, state.config.recipe, state.model
    step = state.step + 1
    generator = torch.Generator().manual_seed(_step_seed(config.seed, step))
    if model.config.dropout:
        torch.manual_seed(_step_seed(config.seed, step))
    context_length = model.config.context_length
    inputs, targets = random_windows(
        state.train_ids,
        context_length,
        config.batch_size,
        generator=generator,
        stride=config.stride,
    )
    rate = cosine_with_warmup(
        step,
        steps=config.steps,
        peak=recipe.learning_rate,
        warmup_steps=recipe.warmup_steps,
        final_fraction=recipe.final_fraction,
    )
    for group in state.optimizer.param_groups:
        group["lr"] = rate
    loss = model(inputs, targets).loss
    loss.backward()
    gradient_norm = torch.nn.utils.clip_grad_norm_(model.parameters(), recipe.clip_norm)
    if not torch.isfinite(gradient_norm):
        raise TrainingDivergedError(
            f"At step {step} the loss stopped being a number: the learning rate is too high."
        )
    state.optimizer.step()
    state.optimizer.zero_grad(set_to_none=True)
    state.step = step
    return float(loss.detach()), float(gradient_norm), rate


def _look(state: TrainingState, *, final: bool) -> Iterator[Event]:
    """Evaluate and sample where it is due: at step 0, at each interval, and at the end."""
    config, step = state.config, state.step
    if final or _due(step, config.eval_interval):
        most = config.final_eval_windows if final else config.eval_windows
        loss, tokens = evaluate(state.model, state.validation_ids, most=most)
        yield EvalEvent(step, loss, tokens)
    if config.sample_interval and (final or _due(step, config.sample_interval)):
        yield _sample(state)


def _sample(state: TrainingState) -> SampleEvent:
    config, tokenizer = state.config, state.tokenizer
    prompt = config.sample_prompt or _first_word(
        tokenizer.decode(state.validation_ids[:16].tolist())
    )
    ids = torch.tensor(tokenizer.encode(prompt), device=state.device)
    settings = SamplingSettings(
        max_new_tokens=config.sample_tokens, temperature=config.sample_temperature
    )
    generator = torch.Generator().manual_seed(config.seed)
    written = [token.id for token in generate(state.model, ids, settings, generator=generator)]
    return SampleEvent(state.step, prompt, tokenizer.decode(written))


def _first_word(text: str) -> str:
    return text.split()[0] if text.split() else text


def _due(step: int, interval: int) -> bool:
    return interval > 0 and step % interval == 0


def _step_seed(seed: int, step: int) -> int:
    return (seed * 1_000_003 + step) % 2**63


def _start_event(state: TrainingState) -> StartEvent:
    vocab_size = state.tokenizer.vocab_size
    return StartEvent(
        step=state.step,
        vocab_size=vocab_size,
        parameters=sum(parameter.numel() for parameter in state.model.parameters()),
        train_tokens=len(state.train_ids),
        validation_tokens=len(state.validation_ids),
        uniform_loss=uniform_loss(vocab_size),
        bigram_loss=bigram_loss(
            state.train_ids.cpu().numpy(), state.validation_ids.cpu().numpy(), vocab_size
        ),
        device=str(state.device),
    )
