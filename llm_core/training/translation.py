"""Train a small encoder-decoder on a toy translation, in under a minute on one core.

`train_translator` is a generator: each event tells what has happened since the last, and whoever
stops asking for the next one stops the training.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import torch
from torch import Tensor

from llm_core.data.tasks import END, PAD, START, Pair, Task, find_task
from llm_core.generation.translate import translate_batch
from llm_core.models.config import TransformerConfig
from llm_core.models.encoder_decoder import EncoderDecoder
from llm_core.training.flat_adamw import FlatAdamW

_IGNORED = -100  # targets that are padding
_WARMUP = 50  # steps
_DECAY_SHARE = 0.5  # of all steps, in which the learning rate falls to nearly 0
_LOWEST = 0.02  # of the peak rate
_SCORED = 300  # unseen pairs of a score
_SCORE_SEED = 1_000_003  # the pairs of all scores are the same


@dataclass(frozen=True, kw_only=True)
class TranslatorSettings:
    """One training: the task, the model's size, and how it learns. One seed, one result."""

    task: str = "dates"
    steps: int = 600
    batch_size: int = 64
    learning_rate: float = 3e-3
    d_model: int = 48
    n_layers: int = 1
    n_heads: int = 2
    seed: int = 1337
    score_interval: int = 50

    def __post_init__(self) -> None:
        find_task(self.task)
        for name in ("steps", "batch_size", "score_interval"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, not {getattr(self, name)!r}.")
        if not self.learning_rate > 0:
            raise ValueError(f"The learning rate must be above 0, not {self.learning_rate!r}.")


@dataclass(frozen=True)
class Learned:
    """One step was taken; `loss` is its batch's, before the step, in nats a token."""

    step: int
    loss: float
    seconds: float


@dataclass(frozen=True)
class Scored:
    """How well the model does after `step` steps on pairs that it has never seen.

    forced: share of tokens right where all tokens before were the right ones; free: where they
    were its own; whole: share of answers without any mistake, in free running.
    """

    step: int
    forced: float
    free: float
    whole: float


@dataclass(frozen=True)
class Batch:
    """Pairs as tensors: source, mask (B, S); what the decoder reads, and is to write (B, T)."""

    source: Tensor
    mask: Tensor
    ids: Tensor
    targets: Tensor


@dataclass(frozen=True)
class Answer:
    """What a model made of a pair that it has never seen."""

    pair: Pair
    said: str

    @property
    def right(self) -> bool:
        """Is it the right answer, to the last sign?"""
        return self.said == self.pair.target


def translator_config(settings: TranslatorSettings) -> TransformerConfig:
    """Return the shape of the model that learns the task: encoder and decoder are of one size."""
    task = find_task(settings.task)
    return TransformerConfig(
        kind="encoder-decoder",
        vocab_size=len(task.tokens),
        context_length=16,
        d_model=settings.d_model,
        n_layers=settings.n_layers,
        n_heads=settings.n_heads,
        activation="relu",
    )


def build_translator(settings: TranslatorSettings) -> EncoderDecoder:
    """Return the model with the random weights that its training starts from."""
    generator = torch.Generator().manual_seed(settings.seed)
    return EncoderDecoder(translator_config(settings), generator=generator)


def make_batch(task: Task, pairs: Sequence[Pair]) -> Batch:
    """Turn pairs into tensors; the decoder reads each target one place later than it writes it."""
    pad, start = task.tokens.index(PAD), task.tokens.index(START)
    source = _padded([task.encode_source(pair.source) for pair in pairs], pad)
    right = _padded([task.encode_target(pair.target) for pair in pairs], pad)
    ids = torch.cat([torch.full((len(pairs), 1), start), right[:, :-1]], dim=1)
    return Batch(source, source != pad, ids, right.masked_fill(right == pad, _IGNORED))


def train_translator(
    settings: TranslatorSettings, *, model: EncoderDecoder | None = None
) -> Iterator[Learned | Scored]:
    """Train `model`, or a new one, and yield a `Learned` a step and a `Scored` an interval.

    The pairs are drawn anew for each step, so hardly any comes twice. The model is in training
    mode only while a step is taken: between two events it can be used.
    """
    task = find_task(settings.task)
    model = build_translator(settings) if model is None else model
    optimizer = FlatAdamW(model.parameters(), betas=(0.9, 0.98))
    pairs = task.pairs(settings.seed, unseen=False)
    unseen = task.examples(_SCORED, _SCORE_SEED, unseen=True)
    seconds = 0.0
    yield score(model, task, unseen, step=0)
    for step in range(1, settings.steps + 1):
        started = time.perf_counter()
        batch = make_batch(task, list(islice(pairs, settings.batch_size)))
        rate = settings.learning_rate * _rate_share(step, settings.steps)
        loss = _step(model, optimizer, batch, rate)
        seconds += time.perf_counter() - started
        yield Learned(step, loss, seconds)
        if step % settings.score_interval == 0 or step == settings.steps:
            yield score(model, task, unseen, step=step)


def score(model: EncoderDecoder, task: Task, pairs: Sequence[Pair], *, step: int = 0) -> Scored:
    """Measure `model` on `pairs`, under teacher forcing and in free running."""
    return measure(model, task, pairs, step=step)[0]


def measure(
    model: EncoderDecoder, task: Task, pairs: Sequence[Pair], *, step: int = 0
) -> tuple[Scored, list[Answer]]:
    """Return the scores of `model` on `pairs`, and its answers in free running."""
    batch = make_batch(task, pairs)
    with torch.inference_mode():
        logits = model.eval()(batch.source, batch.ids, source_mask=batch.mask).logits
    real = batch.targets != _IGNORED
    forced = (logits.argmax(-1) == batch.targets)[real].float().mean()
    written = _written(model, task, batch)
    free = (written == batch.targets)[real].float().mean()
    whole = ((written == batch.targets) | ~real).all(dim=1).float().mean()
    answers = [
        Answer(pair, task.decode(row)) for pair, row in zip(pairs, written.tolist(), strict=True)
    ]
    return Scored(step, float(forced), float(free), float(whole)), answers


def _written(model: EncoderDecoder, task: Task, batch: Batch) -> Tensor:
    """What the model writes by itself, (B, T): cut at the targets' length, or filled up to it."""
    tokens, length = task.tokens, batch.targets.shape[1]
    start, end = tokens.index(START), tokens.index(END)
    written = translate_batch(
        model.eval(), batch.source, batch.mask, start=start, end=end, most=length
    )
    return torch.nn.functional.pad(written, (0, length - written.shape[1]), value=end)


def _step(model: EncoderDecoder, optimizer: FlatAdamW, batch: Batch, rate: float) -> float:
    model.train()
    loss: Tensor = model(batch.source, batch.ids, batch.targets, source_mask=batch.mask).loss
    loss.backward()  # type: ignore[no-untyped-call]
    optimizer.step(rate, clip_norm=1.0)
    model.eval()
    return float(loss.detach())


def _rate_share(step: int, steps: int) -> float:
    """Up in the first steps, level, and down in the second half: the result comes to rest."""
    rise = min(step / _WARMUP, 1.0)
    fall = (steps - step) / (_DECAY_SHARE * steps)
    return rise * max(_LOWEST, min(fall, 1.0))


def _padded(rows: Sequence[Sequence[int]], pad: int) -> Tensor:
    length = max(map(len, rows))
    return torch.tensor([[*row, *[pad] * (length - len(row))] for row in rows])
