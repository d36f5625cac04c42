"""The training loop: read a batch, measure the surprise, nudge every weight to lower it.

`train` is a generator. Each event tells what has happened since the last; whoever stops asking
for the next one stops the run, and what was learnt until then is kept.
"""

import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from llm_core.data.batches import consecutive_windows, random_windows
from llm_core.data.line_tasks import line_task
from llm_core.generation.sample import SamplingSettings, generate
from llm_core.models.gpt import GPT
from llm_core.training.answers import ask
from llm_core.training.checkpoint_index import drop_checkpoints_after
from llm_core.training.checkpoints import load_newest, save_checkpoint
from llm_core.training.config import RunConfig
from llm_core.training.divergence import (
    DivergenceWatch,
    TrainingDivergedError,
    is_cheap_to_copy,
)
from llm_core.training.events import (
    CheckpointEvent,
    EvalEvent,
    Event,
    LayerEvent,
    SampleEvent,
    StartEvent,
    StepEvent,
)
from llm_core.training.goals import EndEvent, reached
from llm_core.training.layer_norms import LayerWatch
from llm_core.training.metrics import bigram_loss, trigram_loss, uniform_loss
from llm_core.training.peak import measure_peak
from llm_core.training.precision import compute_in
from llm_core.training.schedules import planned_share
from llm_core.training.snapshot_index import drop_snapshots_after
from llm_core.training.snapshots import save_snapshot, snapshot_due
from llm_core.training.state import TrainingState, prepare

Steer = Callable[[int], RunConfig | None]

_LAYER_STEPS = 5  # at least so many lie between two measurements of the layers


def train(
    config: RunConfig,
    *,
    resume: Path | None = None,
    out: Path | None = None,
    steer: Steer | None = None,
    inside: bool = False,
) -> Generator[Event | EndEvent, None, None]:
    """Run `config` and yield what happens; checkpoints go below `out` if it is given.

    `resume` goes on from the newest checkpoint in that folder that is whole, and saves there; of
    `config` then only counts what may change on the way. So does `steer` decide over that while the
    run goes on: before every step it is asked, with the number of steps taken, for the config, or
    None to pause there. With `inside`, it also measures this machine's peak, tells at each log
    interval how far each layer moves, and keeps light snapshots below `out`; no loss changes by
    that. A run that ends by itself says why in an EndEvent; pausing it, or closing the generator
    early, saves a last checkpoint. Raises ValueError for a text or
    checkpoint that cannot be used, OSError if a checkpoint cannot be written, and
    TrainingDivergedError when the loss runs away; the newest checkpoint is then the last good one.
    """
    if resume is None:
        state = prepare(config)
    else:
        out = out or resume
        state = load_newest(resume)
        state.config = changed_on_the_way(state.config, config)
    if out is not None and inside:
        drop_snapshots_after(out, state.step)
    yield _start_event(state, inside=inside)
    watch = DivergenceWatch(state)
    try:
        if state.step == 0:
            yield from _begin(state, out, inside=inside)
        yield from _steps(state, out, watch, steer, inside=inside)
    except GeneratorExit:
        if out is not None and watch.calm:
            _keep(state, out, inside=inside)
        raise
    except TrainingDivergedError as error:
        if out is not None:
            _go_back(state, out, error.good_step)
        raise


def _begin(state: TrainingState, out: Path | None, *, inside: bool) -> Iterator[Event]:
    """What is looked at and kept before the first step."""
    if out is not None and inside:
        save_snapshot(state, out)
    yield from _look(state, final=False)
    if out is not None and state.config.checkpoint_interval and is_cheap_to_copy(state.model):
        yield CheckpointEvent(0, save_checkpoint(state, out))


def _keep(state: TrainingState, out: Path, *, inside: bool) -> Path:
    """Save a run that stops on the way, with a snapshot if it keeps such; return its checkpoint."""
    path = save_checkpoint(state, out)
    if inside:
        save_snapshot(state, out)
    return path


def _go_back(state: TrainingState, out: Path, good_step: int) -> None:
    """Leave nothing below `out` that a run which ran away saved after its last good step."""
    drop_checkpoints_after(out, good_step)
    drop_snapshots_after(out, good_step)
    if state.step == good_step:  # set back to it
        save_checkpoint(state, out)


def changed_on_the_way(config: RunConfig, wanted: RunConfig) -> RunConfig:
    """Return `config` with what of `wanted` a run can take up between two steps."""
    return replace(
        config,
        steps=wanted.steps,
        rate_changes=wanted.rate_changes,
        earlier_steps=wanted.earlier_steps,
        stop_minutes=wanted.stop_minutes,
        stop_loss=wanted.stop_loss,
        keep_checkpoints=wanted.keep_checkpoints,
    )


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


def _steps(
    state: TrainingState,
    out: Path | None,
    watch: DivergenceWatch,
    steer: Steer | None,
    *,
    inside: bool,
) -> Iterator[Event | EndEvent]:
    tokens, seconds = 0, 0.0
    layers = LayerWatch(state.model, state.model.config.n_layers) if inside else None
    while True:
        if steer is not None:
            wanted = steer(state.step)
            if wanted is None:
                if out is not None and watch.calm:
                    yield CheckpointEvent(state.step, _keep(state, out, inside=inside))
                return
            state.config = changed_on_the_way(state.config, wanted)
        config = state.config
        if reason := _end_of(state):
            yield EndEvent(state.step, reason)
            return
        started = time.perf_counter()
        loss, gradient_norm, rate, moved = _step(state, watch, layers)
        taken = time.perf_counter() - started
        seconds += taken
        state.seconds += taken
        tokens += config.windows_a_step * state.model.config.context_length
        watch.keep()
        yield StepEvent(state.step, loss, rate, gradient_norm, tokens, seconds)
        if moved is not None:
            yield moved
        yield from _look(state, final=_end_of(state) is not None)
        final = _end_of(state) is not None  # what was validated may have reached the goal
        due = final or _due(state.step, config.checkpoint_interval)
        if out is not None and due and watch.calm:
            yield CheckpointEvent(state.step, save_checkpoint(state, out))
        if out is not None and inside and watch.calm and (final or snapshot_due(state)):
            save_snapshot(state, out)


def _end_of(state: TrainingState) -> str | None:
    """Return why the run ends here, if it does."""
    return reached(
        state.config,
        step=state.step,
        seconds=state.seconds,
        validation_loss=state.validation_loss,
    )


def _step(
    state: TrainingState, watch: DivergenceWatch, layers: LayerWatch | None
) -> tuple[float, float, float, LayerEvent | None]:
    """Take one step; return its loss, gradient norm, (AdamW's) learning rate and, if `layers` is
    there and it is due, how far each layer moved.

    Every random choice follows from seed and step alone, so that a resumed run makes the same.
    """
    config, recipe, model = state.config, state.config.recipe, state.model
    step = state.step + 1
    generator = torch.Generator().manual_seed(_step_seed(config.seed, step))
    if model.config.dropout:
        torch.manual_seed(_step_seed(config.seed, step))
    losses = torch.zeros((), device=state.device)
    for _ in range(config.accumulation):
        inputs, targets = random_windows(
            state.train_ids,
            model.config.context_length,
            config.batch_size,
            generator=generator,
            stride=config.stride,
        )
        with compute_in(state.precision, state.device):
            loss = model(inputs, targets).loss / config.accumulation
        loss.backward()  # adds to the gradients of the batches before
        losses += loss.detach()
    norm = torch.nn.utils.clip_grad_norm_(model.parameters(), recipe.clip_norm)
    loss_now, gradient_norm = float(losses), float(norm)
    watch.check(step, loss_now, gradient_norm)
    share = planned_share(config, step)
    measured = layers if step == 1 or _due(step, max(config.log_interval, _LAYER_STEPS)) else None
    if measured is not None:
        measured.before()
    for optimizer in state.optimizers:
        for group in optimizer.param_groups:
            group["lr"] = group["peak"] * share
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
    state.step = step
    moved = measured.after(step) if measured is not None else None
    return loss_now, gradient_norm, recipe.learning_rate * share, moved


def _look(state: TrainingState, *, final: bool) -> Iterator[Event]:
    """Evaluate and sample where it is due: at step 0, at each interval, and at the end."""
    config, step = state.config, state.step
    if final or _due(step, config.eval_interval):
        most = config.final_eval_windows if final else config.eval_windows
        loss, tokens = evaluate(state.model, state.validation_ids, most=most)
        if step:  # what it knew before it learnt anything is no goal reached
            state.validation_loss = loss
        yield EvalEvent(step, loss, tokens)
        if task := line_task(config.corpus):
            yield ask(state.model, state.tokenizer, task, state.validation_ids, step)
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


def _start_event(state: TrainingState, *, inside: bool) -> StartEvent:
    vocab_size = state.tokenizer.vocab_size
    ids = state.train_ids.cpu().numpy(), state.validation_ids.cpu().numpy()
    return StartEvent(
        step=state.step,
        vocab_size=vocab_size,
        parameters=sum(parameter.numel() for parameter in state.model.parameters()),
        train_tokens=len(state.train_ids),
        validation_tokens=len(state.validation_ids),
        uniform_loss=uniform_loss(vocab_size),
        bigram_loss=bigram_loss(*ids, vocab_size),
        device=str(state.device),
        precision=state.precision,
        note=state.note,
        trigram_loss=trigram_loss(*ids, vocab_size),
        peak_flops=measure_peak(state.device, state.precision) if inside else 0.0,
    )
