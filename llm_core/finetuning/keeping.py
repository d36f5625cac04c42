"""Keep a fine-tuning as a run among the others: to look at, to inspect, to take away.

Such a run gets one checkpoint, the language model as it was when the training ended; a classifier's
head lies beside it. Of a head for a shipped model nothing but the head is kept. None of them can be
trained on by the training loop, which knows only next tokens.
"""

import copy
import dataclasses
import hashlib
import os
import secrets
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from safetensors.torch import save
from torch import Tensor

from llm_core.finetuning.lora import merge_lora
from llm_core.finetuning.settings import FinetuneSettings, Learned
from llm_core.models.gpt import GPT
from llm_core.models.initialisation import without_weights
from llm_core.tokenizers.bpe import BPETokenizer
from llm_core.training.checkpoint_index import write_files, write_synced
from llm_core.training.config import LONGEST_TUNED, RunConfig
from llm_core.training.events import AnswerEvent, EvalEvent, SampleEvent, StartEvent, StepEvent
from llm_core.training.heads import Head, write_head
from llm_core.training.recipes import Recipe
from llm_core.training.recorder import Recorder
from llm_core.training.run_rows import Run, RunState
from llm_core.training.runs import OWN_TEXT, RunStore
from llm_core.training.worker_process import start_of

_POINTS = 300  # of a training curve, at least


class _Encoder(Protocol):
    def encode(self, text: str) -> list[int]: ...


@dataclass(frozen=True, kw_only=True)
class Tuned:
    """What a fine-tuning has come to, or has so far.

    model: as it is trained, LoRA's changes and all. about: what it was taught and how, in a line.
    text: what it learns from. knows_nothing: the loss of guessing among labels; 0 where there are
    none. body: the shipped model that stays as it is, if only a head learns for that.
    """

    title: str
    about: str
    settings: FinetuneSettings
    model: GPT
    tokenizer: _Encoder
    text: str
    losses: Sequence[Learned]
    evaluations: Sequence[EvalEvent]
    answers: Sequence[AnswerEvent]
    samples: Sequence[SampleEvent] = ()
    head: Head | None = None
    knows_nothing: float = 0.0
    done: bool = True
    prompt: str = ""
    body: str = ""


def answered_lines(rows: Iterable[tuple[str, str, str]]) -> str:
    """Write questions, what the model said and what was right as an AnswerEvent's text."""
    return "\n".join("\t".join(" ".join(cell.split()) for cell in row) for row in rows)


def keep_tuned(store: RunStore, tuned: Tuned, *, owner: str) -> Run:
    """Make a fine-tuning that has ended a run of the owner's; ValueError if it took no step."""
    if not tuned.losses:
        raise ValueError("Not one step was taken: there is nothing to keep.")
    run = begin_tuned(store, tuned, owner=owner)
    teller = Teller(store, run)
    teller.tell(tuned)
    teller.end(tuned)
    return store.get(run.id) or run


def begin_tuned(store: RunStore, tuned: Tuned, *, owner: str, run_id: str = "") -> Run:
    """Record a fine-tuning that this process has begun as a run of the owner's."""
    run_id = run_id or secrets.token_urlsafe(16)
    folder = store.run_folder(run_id)
    folder.mkdir(parents=True)
    write_synced(folder / OWN_TEXT, tuned.text.encode())
    if isinstance(tuned.tokenizer, BPETokenizer):
        tuned.tokenizer.save(folder / "tokenizer.json")
    now = time.time()
    run = Run(
        id=run_id,
        owner=owner,
        title=_in_a_line(tuned.title, 80),
        config=_config(tuned, folder),
        state=RunState.RUNNING,
        reason="",
        created=now,
        launched=now,
        pid=os.getpid(),
        process_started=start_of(os.getpid()),
        facts=_facts(tuned),
    )
    store.insert(run)
    return run


class Teller:
    """Tells a run's record what has happened since it was last told."""

    def __init__(self, store: RunStore, run: Run) -> None:
        """Take a run that has just begun."""
        self._store, self._run = store, run
        self._recorder = Recorder(store, run)
        self._told: Counter[str] = Counter()
        self._tokens = 0

    def tell(self, tuned: Tuned) -> None:
        """Write what is new."""
        for each in tuned.losses[self._told["losses"] :]:
            self._tokens += each.tokens
            rate = tuned.settings.rate(each.step)
            self._recorder.add(
                StepEvent(
                    each.step, each.loss, rate, each.gradient_norm, self._tokens, each.seconds
                )
            )
        for name in ("evaluations", "answers", "samples"):
            for event in getattr(tuned, name)[self._told[name] :]:
                self._recorder.add(event)
        for name in ("losses", "evaluations", "answers", "samples"):
            self._told[name] = len(getattr(tuned, name))

    def end(self, tuned: Tuned) -> None:
        """Keep what has been learnt, and close the run; all must have been told."""
        folder = self._store.run_folder(self._run.id)
        if tuned.head is not None:
            write_head(folder, tuned.head)
        if not tuned.body:
            _write_checkpoint(folder, self._run.config, tuned)
        self._recorder.finish(RunState.DONE if tuned.done else RunState.STOPPED)

    def fail(self, reason: str) -> None:
        """Close the run without a model."""
        self._recorder.finish(RunState.FAILED, reason)


def _write_checkpoint(folder: Path, config: RunConfig, tuned: Tuned) -> None:
    """Write the model, of plain layers: what LoRA has changed is merged into them."""
    whole = copy.deepcopy(tuned.model)
    merge_lora(whole)
    content = {
        "config.json": config.to_json().encode(),
        "tokenizer.json": (folder / "tokenizer.json").read_bytes(),
        "weights.safetensors": save(_plain(whole)),
        "optimizer.safetensors": save({}),
    }
    state = {
        "text_sha256": hashlib.sha256(tuned.text.encode()).hexdigest(),
        "precision": "float32",
        "threads": 1,
        "validation_loss": tuned.evaluations[-1].loss if tuned.evaluations else None,
    }
    write_files(folder, tuned.losses[-1].step, content, state)


def _config(tuned: Tuned, folder: Path) -> RunConfig:
    """Say as a run's config what was trained: what the loop does not know is in `tuned`."""
    settings = tuned.settings
    shape = dataclasses.asdict(tuned.model.config)
    vocab_size = shape.pop("vocab_size")
    recipe = Recipe(
        name="fine-tuning",
        learning_rate=settings.peak,
        schedule="wsd",
        decay_share=1.0,
        final_fraction=0.0,
        warmup_steps=round(settings.steps / 10),
        weight_decay=0.01,
        beta2=0.999,
    )
    return RunConfig(
        text_path=str((folder / OWN_TEXT).resolve()),
        tokenizer=tuned.body or "file",
        tokenizer_path=None if tuned.body else str((folder / "tokenizer.json").resolve()),
        vocab_size=vocab_size,
        model=shape,
        recipe=recipe,
        steps=settings.steps,
        batch_size=settings.batch_size,
        log_interval=max(1, settings.steps // _POINTS),
        eval_interval=settings.score_interval,
        seed=settings.seed,
        device="cpu",
        sample_prompt=tuned.prompt,
        tuned=_in_a_line(tuned.about, LONGEST_TUNED),
        body=tuned.body,
    )


def _in_a_line(text: str, most: int) -> str:
    """Labels may be anybody's: leave out what cannot be printed, and what is too long."""
    line = "".join(each for each in " ".join(text.split()) if each.isprintable())
    return line if len(line) <= most else f"{line[: most - 1]}…"


def _facts(tuned: Tuned) -> StartEvent:
    with without_weights():  # as it will be, LoRA's changes merged
        parameters = sum(each.numel() for each in GPT(tuned.model.config).parameters())
    if tuned.head is not None:
        parameters += tuned.head.weight.numel()
    return StartEvent(
        step=0,
        vocab_size=tuned.model.config.vocab_size,
        parameters=parameters,
        train_tokens=len(tuned.tokenizer.encode(tuned.text)),
        validation_tokens=0,
        uniform_loss=tuned.knows_nothing,
        bigram_loss=0.0,
        device="cpu",
    )


def _plain(model: GPT) -> dict[str, Tensor]:
    return {name: tensor.detach().contiguous() for name, tensor in model.state_dict().items()}
