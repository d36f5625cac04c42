"""Fine-tunings of the tiny GPT as the training booth runs them: started, watched, stopped."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import torch

from llm_core.data.labelled_texts import LabelledTexts
from llm_core.finetuning.classification import Classifier, Scored, encode_texts, fine_tune, predict
from llm_core.finetuning.experiment import instruction_parts, pretraining_text
from llm_core.finetuning.instructions import InstructionScore, tune_on_instructions
from llm_core.finetuning.settings import FinetuneSettings, Learned
from llm_core.models.gpt import GPT
from llm_core.pretrained.tiny import load_tiny
from llm_core.tokenizers.bpe import BPETokenizer
from llm_core.training.booth import Work


@dataclass
class ClassifierTraining(Work):
    """A GPT that learns to sort; `start` is the snapshot that it begins from, None the last.

    numbers: how many are trained.
    """

    settings: FinetuneSettings
    texts: LabelledTexts
    start: int | None = None
    losses: list[Learned] = field(default_factory=list)
    scores: list[Scored] = field(default_factory=list)
    numbers: int = 0
    _classifier: Classifier | None = None
    _tokenizer: BPETokenizer | None = None

    def events(self) -> Iterator[Learned | Scored]:
        """Load a model of its own, and train it."""
        model, self._tokenizer = load_tiny(self.start)
        generator = torch.Generator().manual_seed(self.settings.seed)
        self._classifier = Classifier(model, len(self.texts.labels), generator=generator)
        _, validation = pretraining_text(self._tokenizer)
        for event in fine_tune(
            self._classifier,
            self._tokenizer,
            self.texts,
            self.settings,
            pretraining_ids=validation,
        ):
            self.numbers = sum(p.numel() for p in self._classifier.parameters() if p.requires_grad)
            yield event

    def note(self, event: Learned | Scored) -> None:
        """Keep what has happened."""
        if isinstance(event, Scored):
            self.scores.append(event)
        else:
            self.losses.append(event)

    def judge(self, text: str) -> list[float]:
        """Return the probability of each label for a text; ValueError if there is none yet."""
        if self._classifier is None or self._tokenizer is None:
            raise ValueError("The training has not begun.")
        from llm_core.data.labelled_texts import Labelled

        length = self._classifier.body.config.context_length
        rows, _ = encode_texts([Labelled(text, 0)], self._tokenizer, length)
        found: list[float] = predict(self._classifier, rows)[0].tolist()
        return found


@dataclass
class InstructionTraining(Work):
    """A GPT that learns to follow instructions, from the last snapshot or another `start`."""

    settings: FinetuneSettings
    pairs: int
    start: int | None = None
    losses: list[Learned] = field(default_factory=list)
    scores: list[InstructionScore] = field(default_factory=list)
    model: GPT | None = None

    def events(self) -> Iterator[Learned | InstructionScore]:
        """Load a model of its own, and train it."""
        self.model, tokenizer = load_tiny(self.start)
        pairs, unseen = instruction_parts(self.pairs)
        yield from tune_on_instructions(
            self.model,
            tokenizer,
            pairs,
            unseen,
            self.settings,
            pretraining_ids=pretraining_text(tokenizer),
        )

    def note(self, event: Learned | InstructionScore) -> None:
        """Keep what has happened."""
        if isinstance(event, InstructionScore):
            self.scores.append(event)
        else:
            self.losses.append(event)
