"""Fine-tunings as the training booth runs them: started, watched, stopped, kept."""

import csv
import io
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import torch

from llm_core.data.labelled_texts import Labelled, LabelledTexts
from llm_core.data.tale_instructions import Instruction
from llm_core.finetuning.classification import (
    LONGEST_READ,
    Classifier,
    Encoder,
    Scored,
    TextsRead,
    fine_tune,
    sort_text,
)
from llm_core.finetuning.experiment import instruction_parts, pretraining_text
from llm_core.finetuning.instructions import (
    InstructionScore,
    prompt_of,
    tune_on_instructions,
)
from llm_core.finetuning.keeping import Tuned, answered_lines
from llm_core.finetuning.recording import Recording
from llm_core.finetuning.settings import TRAINED, FinetuneSettings, Learned
from llm_core.models.gpt import GPT
from llm_core.pretrained.registry import load
from llm_core.pretrained.tiny import load_tiny
from llm_core.tokenizers.bpe import BPETokenizer
from llm_core.training.booth import Work
from llm_core.training.events import AnswerEvent, EvalEvent, SampleEvent
from llm_core.training.heads import Head

SMOLLM2 = "smollm2"
_AT_ONCE = 8  # texts of the large model: a second or so on a slow core
_SHOWN = 12  # texts or instructions of a score that are kept with a run
_LONGEST = 90  # characters of such a text


@dataclass
class ClassifierTraining(Work):
    """A GPT that learns to sort; `start` is the snapshot that it begins from, None the last.

    large: SmolLM2 instead of the tiny GPT. It is shared, and stays as it is: only a head learns.
    numbers: how many are trained. read: texts that a frozen body has read.
    """

    settings: FinetuneSettings
    texts: LabelledTexts
    start: int | None = None
    large: bool = False
    losses: list[Learned] = field(default_factory=list)
    scores: list[Scored] = field(default_factory=list)
    numbers: int = 0
    read: TextsRead | None = None
    recording: Recording | None = None
    _classifier: Classifier | None = None
    _tokenizer: Encoder | None = None

    def __post_init__(self) -> None:
        if self.large and self.settings.trained != "head":
            raise ValueError("Of SmolLM2 only a head learns here: the model is everybody's.")

    def events(self) -> Iterator[Learned | Scored | TextsRead]:
        """Load a model, of its own unless it is the large one, and train it."""
        model, self._tokenizer = load(SMOLLM2) if self.large else load_tiny(self.start)
        generator = torch.Generator().manual_seed(self.settings.seed)
        self._classifier = Classifier(model, len(self.texts.labels), generator=generator)
        options: dict[str, Any] = {"longest": LONGEST_READ, "read_at_once": _AT_ONCE}
        if not self.large:
            options = {"pretraining_ids": pretraining_text(self._tokenizer)[1]}
        for event in fine_tune(
            self._classifier, self._tokenizer, self.texts, self.settings, **options
        ):
            self.numbers = sum(p.numel() for p in self._classifier.parameters() if p.requires_grad)
            yield event

    def note(self, event: Learned | Scored | TextsRead) -> None:
        """Keep what has happened."""
        if isinstance(event, Scored):
            self.scores.append(event)
        elif isinstance(event, TextsRead):
            self.read = event
        else:
            self.losses.append(event)

    @cached_property
    def _table(self) -> str:
        return _as_table(self.texts.train, self.texts.labels)

    def judge(self, text: str) -> list[float]:
        """Return the probability of each label for a text; ValueError if there is none yet."""
        if self._classifier is None or self._tokenizer is None:
            raise ValueError("The training has not begun.")
        classifier = self._classifier
        longest = LONGEST_READ if self.large else None
        return sort_text(
            classifier.body, self._tokenizer, classifier.head.weight, text, longest=longest
        )

    def head(self) -> Head:
        """Return the head as it is now; ValueError if there is none yet."""
        if self._classifier is None:
            raise ValueError("The training has not begun.")
        return Head(self._classifier.head.weight, self.texts.labels)

    def result(self, title: str) -> Tuned:
        """Return what it has come to, to be kept as a run; ValueError if there is nothing yet."""
        if self._classifier is None or self._tokenizer is None:
            raise ValueError("The training has not begun.")
        labels, count = self.texts.labels, len(self.texts.test)
        learnt = _what_learnt(self.settings, self.start)
        if self.large:
            learnt = "only a head for SmolLM2 learnt"
        return Tuned(
            title=f"{'A head for SmolLM2' if self.large else 'Fine-tuned'}: {title}",
            about=f"Fine-tuned to tell “{title}” ({', '.join(labels)[:120]}) from "
            f"{len(self.texts.train)} texts; {learnt}.",
            settings=self.settings,
            model=self._classifier.body,
            tokenizer=self._tokenizer,
            text=self._table,
            losses=self.losses,
            evaluations=[EvalEvent(each.step, each.loss, count) for each in self.scores],
            answers=[
                AnswerEvent(
                    each.step,
                    round(each.accuracy * count),
                    count,
                    answered_lines(
                        (_cut(text.text), labels[said], labels[text.label])
                        for text, said in zip(self.texts.test[:_SHOWN], each.said, strict=False)
                    ),
                )
                for each in self.scores
            ],
            head=self.head(),
            knows_nothing=math.log(len(labels)),
            done=self.state == "done",
            body=SMOLLM2 if self.large else "",
        )


@dataclass
class InstructionTraining(Work):
    """A GPT that learns to follow instructions, from the last snapshot or another `start`."""

    settings: FinetuneSettings
    pairs: int
    start: int | None = None
    losses: list[Learned] = field(default_factory=list)
    scores: list[InstructionScore] = field(default_factory=list)
    model: GPT | None = None
    recording: Recording | None = None
    _tokenizer: BPETokenizer | None = None

    def events(self) -> Iterator[Learned | InstructionScore]:
        """Load a model of its own, and train it."""
        self.model, self._tokenizer = load_tiny(self.start)
        tokenizer = self._tokenizer
        pairs, unseen = self._parts
        yield from tune_on_instructions(
            self.model,
            tokenizer,
            pairs,
            unseen,
            self.settings,
            pretraining_ids=pretraining_text(tokenizer),
        )

    @cached_property
    def _parts(self) -> tuple[list[Instruction], list[Instruction]]:
        return instruction_parts(self.pairs)

    @cached_property
    def _text(self) -> str:
        return "\n\n".join(
            f"{prompt_of(each.instruction)} {each.answer}" for each in self._parts[0]
        )

    def note(self, event: Learned | InstructionScore) -> None:
        """Keep what has happened."""
        if isinstance(event, InstructionScore):
            self.scores.append(event)
        else:
            self.losses.append(event)

    def result(self, title: str) -> Tuned:
        """Return what it has come to, to be kept as a run; ValueError if there is nothing yet."""
        if self.model is None or self._tokenizer is None:
            raise ValueError("The training has not begun.")
        pairs, unseen = self._parts
        questions = [pair.instruction for pair in unseen]
        mixed = f", {self.settings.replay:.0%} tales mixed in" if self.settings.replay else ""
        return Tuned(
            title=f"Fine-tuned: {title}",
            about=f"Fine-tuned to follow instructions, from {len(pairs)} pairs; "
            f"{_what_learnt(self.settings, self.start)}{mixed}.",
            settings=self.settings,
            model=self.model,
            tokenizer=self._tokenizer,
            text=self._text,
            losses=self.losses,
            evaluations=[EvalEvent(each.step, each.loss, len(unseen)) for each in self.scores],
            answers=[
                AnswerEvent(
                    each.step,
                    round(each.right * len(unseen)),
                    len(unseen),
                    answered_lines(
                        (pair.instruction, said, pair.answer)
                        for pair, said in zip(unseen[:_SHOWN], each.said, strict=False)
                    ),
                )
                for each in self.scores
            ],
            samples=[
                SampleEvent(each.step, prompt_of(questions[0]), f" {each.said[0]}")
                for each in self.scores
            ],
            prompt=prompt_of(questions[0]),
            done=self.state == "done",
        )


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _what_learnt(settings: FinetuneSettings, start: int | None) -> str:
    """Say which weights learnt, and what they were before."""
    rank = f" (rank {settings.rank})" if settings.trained == "lora" else ""
    begun = "random" if start == 0 else "pretrained"
    return f"{TRAINED[settings.trained][0]} learnt{rank}, from {begun} weights"


def _as_table(texts: Sequence[Labelled], labels: Sequence[str]) -> str:
    """Write the texts as a CSV file, which the lesson can read again."""
    target = io.StringIO(newline="")
    writer = csv.writer(target, lineterminator="\n")
    writer.writerow(["label", "text"])
    writer.writerows([labels[each.label], each.text] for each in texts)
    return target.getvalue()
