"""Keep a fine-tuning as a run among the others: to look at, to inspect, to take away.

Such a run has one checkpoint, the language model as it was when the training ended; a classifier's
head lies beside it. It cannot be trained on by the training loop, which knows only next tokens.
"""

import dataclasses
import hashlib
import secrets
import tempfile
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from safetensors.torch import save
from torch import Tensor

from llm_core.finetuning.settings import FinetuneSettings, Learned
from llm_core.models.gpt import GPT
from llm_core.tokenizers.bpe import BPETokenizer
from llm_core.training.checkpoint_index import write_files, write_synced
from llm_core.training.config import LONGEST_TUNED, RunConfig
from llm_core.training.curves import Curves
from llm_core.training.events import AnswerEvent, EvalEvent, SampleEvent, StartEvent, StepEvent
from llm_core.training.heads import Head, write_head
from llm_core.training.points import Point, PointLog
from llm_core.training.recipes import Recipe
from llm_core.training.run_rows import Run, RunState
from llm_core.training.runs import OWN_TEXT, RunStore

_POINTS = 100  # of a training curve


@dataclass(frozen=True, kw_only=True)
class Tuned:
    """What a fine-tuning has come to.

    model: of plain layers, what LoRA has changed merged. about: what it was taught and how, in a
    line. text: what it learnt from. knows_nothing: the loss of guessing among labels; 0 where there
    are none. done: were all steps taken?
    """

    title: str
    about: str
    settings: FinetuneSettings
    model: GPT
    tokenizer: BPETokenizer
    text: str
    losses: Sequence[Learned]
    evaluations: Sequence[EvalEvent]
    answers: Sequence[AnswerEvent]
    samples: Sequence[SampleEvent] = ()
    head: Head | None = None
    knows_nothing: float = 0.0
    done: bool = True
    prompt: str = ""


def answered_lines(rows: Iterable[tuple[str, str, str]]) -> str:
    """Write questions, what the model said and what was right as an AnswerEvent's text."""
    return "\n".join("\t".join(" ".join(cell.split()) for cell in row) for row in rows)


def keep_tuned(store: RunStore, tuned: Tuned, *, owner: str) -> Run:
    """Make a fine-tuning a run of the owner's; ValueError if it has not taken a step."""
    if not tuned.losses:
        raise ValueError("Not one step was taken: there is nothing to keep.")
    run_id = secrets.token_urlsafe(16)
    config = _write(tuned, store.run_folder(run_id))
    now = time.time()
    run = Run(
        id=run_id,
        owner=owner,
        title=_in_a_line(tuned.title, 80),
        config=config,
        state=RunState.DONE if tuned.done else RunState.STOPPED,
        reason="",
        created=now,
        launched=now,
        step=tuned.losses[-1].step,
        facts=_facts(tuned),
    )
    store.insert(run)
    curves = Curves(
        points=_points(tuned),
        evaluations=list(tuned.evaluations),
        samples=list(tuned.samples),
        answers=list(tuned.answers),
    )
    store.add_curves(run_id, curves)
    return run


def _write(tuned: Tuned, folder: Path) -> RunConfig:
    """Put all files of the run into its folder; return its config."""
    folder.mkdir(parents=True)
    write_synced(folder / OWN_TEXT, tuned.text.encode())
    with tempfile.TemporaryDirectory() as name:
        tuned.tokenizer.save(Path(name) / "tokenizer.json")
        tokenizer = (Path(name) / "tokenizer.json").read_bytes()
    write_synced(folder / "tokenizer.json", tokenizer)
    if tuned.head is not None:
        write_head(folder, tuned.head)
    config = _config(tuned, folder)
    content = {
        "config.json": config.to_json().encode(),
        "tokenizer.json": tokenizer,
        "weights.safetensors": save(_plain(tuned.model)),
        "optimizer.safetensors": save({}),
    }
    state = {
        "text_sha256": hashlib.sha256(tuned.text.encode()).hexdigest(),
        "precision": "float32",
        "threads": 1,
        "validation_loss": tuned.evaluations[-1].loss if tuned.evaluations else None,
    }
    write_files(folder, tuned.losses[-1].step, content, state)
    return config


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
        tokenizer="file",
        tokenizer_path=str((folder / "tokenizer.json").resolve()),
        vocab_size=vocab_size,
        model=shape,
        recipe=recipe,
        steps=settings.steps,
        batch_size=settings.batch_size,
        eval_interval=settings.score_interval,
        seed=settings.seed,
        device="cpu",
        sample_prompt=tuned.prompt,
        tuned=_in_a_line(tuned.about, LONGEST_TUNED),
    )


def _in_a_line(text: str, most: int) -> str:
    """Labels may be anybody's: leave out what cannot be printed, and what is too long."""
    line = "".join(each for each in " ".join(text.split()) if each.isprintable())
    return line if len(line) <= most else f"{line[: most - 1]}…"


def _facts(tuned: Tuned) -> StartEvent:
    parameters = sum(each.numel() for each in tuned.model.parameters())
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


def _points(tuned: Tuned) -> list[Point]:
    """Thin the losses to a curve, as the training loop's are."""
    settings = tuned.settings
    log = PointLog(max(1, settings.steps // _POINTS), tuned.losses[-1].step)
    tokens, points = 0, []
    for each in tuned.losses:
        tokens += each.tokens
        seconds = max(each.seconds, 1e-9)
        rate = settings.rate(each.step)
        event = StepEvent(each.step, each.loss, rate, each.gradient_norm, tokens, seconds)
        if (point := log.add(event)) is not None:
            points.append(point)
    return points


def _plain(model: GPT) -> dict[str, Tensor]:
    return {name: tensor.detach().contiguous() for name, tensor in model.state_dict().items()}
