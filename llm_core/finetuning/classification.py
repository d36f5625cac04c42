"""A GPT that sorts texts: a small head on the vector of a text's last token.

`fine_tune` is a generator: each event tells what has happened since the last, and whoever stops
asking for the next one stops the training. The head has no bias, as in transformers'
GPT2ForSequenceClassification, which computes the same.
"""

import time
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, Protocol

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from llm_core.data.labelled_texts import Labelled, LabelledTexts
from llm_core.finetuning.settings import (
    FinetuneSettings,
    Learned,
    choose_trained,
    make_optimizer,
    take_step,
)
from llm_core.models.gpt import GPT
from llm_core.training.loop import evaluate

LONGEST_READ = 128  # tokens of a text that a large model reads to sort it
PAD = 0  # any id would do: nobody looks at padding
_SCORE_BATCH = 64
_FORGETTING_WINDOWS = 8  # of the pretraining text, in a score
Pool = Literal["last token", "last place"]


class Encoder(Protocol):
    """Whatever turns a text into ids."""

    def encode(self, text: str) -> list[int]: ...


class Verdict(NamedTuple):
    """A score for each label, logits (B, K), and the mean loss in nats if labels were given."""

    logits: Tensor
    loss: Tensor | None


@dataclass(frozen=True)
class Scored:
    """How well the classifier does after `step` steps on texts that it has not learnt from.

    said: the label that it gives each text. confusion: texts counted by true label (row) and by
    what was said (column). pretraining_loss: of the body as a language model, in nats a token, if
    its text was given.
    """

    step: int
    accuracy: float
    loss: float
    said: tuple[int, ...]
    confusion: tuple[tuple[int, ...], ...]
    pretraining_loss: float | None = None


@dataclass(frozen=True)
class TextsRead:
    """A frozen body has read `done` of `total` texts: once each, for it will not change."""

    done: int
    total: int


class Classifier(nn.Module):
    """A GPT without its scores for next tokens, and a linear head with a score for each label."""

    def __init__(
        self,
        body: GPT,
        n_labels: int,
        *,
        pool: Pool = "last token",
        generator: torch.Generator | None = None,
    ) -> None:
        """Take the GPT itself, not a copy. The head's weights are drawn from `generator`.

        pool: which vector stands for a text. "last place" is the well-known mistake: the row's
        last place, which in all but the longest texts holds padding.
        """
        super().__init__()
        if n_labels < 2:
            raise ValueError("There must be at least two labels to choose from.")
        self.body, self.pool = body, pool
        self.head = nn.Linear(body.config.d_model, n_labels, bias=False)
        with torch.no_grad():
            self.head.weight.normal_(0.0, 0.02, generator=generator)

    def pooled(self, ids: Tensor, lengths: Tensor) -> Tensor:
        """Return one vector for each text (B, C); ids (B, T) are padded on the right.

        In a decoder no token sees a later one, so the padding changes nothing before it.
        """
        x: Tensor = self.body.read(self.body.token_embedding(ids))
        if self.pool == "last place":
            return x[:, -1]
        return x[torch.arange(len(x)), lengths - 1]

    def forward(self, ids: Tensor, lengths: Tensor, labels: Tensor | None = None) -> Verdict:
        """Score the labels for each text of ids (B, T), `lengths` (B,) of which are no padding."""
        logits = self.head(self.pooled(ids, lengths))
        loss = None if labels is None else F.cross_entropy(logits, labels)
        return Verdict(logits, loss)


class Batch(NamedTuple):
    """Texts as tensors: ids (B, T), lengths (B,), labels (B,)."""

    ids: Tensor
    lengths: Tensor
    labels: Tensor


def make_batch(rows: Sequence[Sequence[int]], labels: Sequence[int]) -> Batch:
    """Pad rows of ids on the right to the longest of them."""
    longest = max(map(len, rows))
    ids = torch.tensor([[*row, *[PAD] * (longest - len(row))] for row in rows])
    return Batch(ids, torch.tensor([len(row) for row in rows]), torch.tensor(labels))


def encode_texts(
    texts: Sequence[Labelled], tokenizer: Encoder, context_length: int
) -> tuple[list[list[int]], list[int]]:
    """Return the ids of all texts, cut to the context, and their labels.

    Raises ValueError if a text has no token.
    """
    rows = [tokenizer.encode(each.text)[:context_length] for each in texts]
    if not all(rows):
        raise ValueError("One of the texts is empty: there is no last token to look at.")
    return rows, [each.label for each in texts]


def fine_tune(
    classifier: Classifier,
    tokenizer: Encoder,
    texts: LabelledTexts,
    settings: FinetuneSettings,
    *,
    pretraining_ids: Tensor | None = None,
    longest: int | None = None,
    read_at_once: int = _SCORE_BATCH,
) -> Iterator[Learned | Scored | TextsRead]:
    """Train on the task's texts, and yield a `Learned` a step and a `Scored` an interval.

    Each epoch takes all texts once, in an order drawn from the seed. `pretraining_ids` (N,), text
    that the body was pretrained to continue, adds to each score how well it still does. With a
    frozen body, its vectors are computed once and kept: first of all, `read_at_once` texts at a
    time, with a `TextsRead` after each. Texts are cut to `longest` tokens, or else the context.
    """
    generator = torch.Generator().manual_seed(settings.seed)
    length = longest or classifier.body.config.context_length
    rows, labels = encode_texts(texts.train, tokenizer, length)
    unseen = encode_texts(texts.test, tokenizer, length)
    trained = [
        *choose_trained(classifier.body, settings, generator),
        *classifier.head.parameters(),
    ]
    optimizer = make_optimizer(trained, settings)
    batches = _batches(len(rows), settings.batch_size, generator)
    kept = unseen_kept = None
    if settings.trained == "head":
        both = yield from _read_once(classifier, [*rows, *unseen[0]], read_at_once)
        kept, unseen_kept = both[: len(rows)], both[len(rows) :]
    score = _Scorer(classifier, *unseen, pretraining_ids, unseen_kept)
    seconds = 0.0
    yield score(0)
    for step in range(1, settings.steps + 1):
        started = time.perf_counter()
        chosen = next(batches)
        said = [labels[place] for place in chosen]
        if kept is not None:
            tokens, loss = 0, F.cross_entropy(classifier.head(kept[chosen]), torch.tensor(said))
        else:
            batch = make_batch([rows[place] for place in chosen], said)
            classifier.train()
            tokens, loss = int(batch.lengths.sum()), classifier(*batch).loss
        norm = take_step(loss, optimizer, trained, settings.rate(step))
        classifier.eval()
        seconds += time.perf_counter() - started
        yield Learned(step, float(loss.detach()), seconds, norm, tokens)
        if step % settings.score_interval == 0 or step == settings.steps:
            yield score(step)


@torch.inference_mode()
def predict(
    classifier: Classifier, rows: Sequence[Sequence[int]], *, batch_size: int = _SCORE_BATCH
) -> Tensor:
    """Return the probability of each label for each row of ids, (N, K)."""
    return F.softmax(classifier.head(_features(classifier, rows, batch_size)), dim=-1)


def sort_text(
    body: GPT, tokenizer: Encoder, weight: Tensor, text: str, *, longest: int | None = None
) -> list[float]:
    """Return the probability of each label for one text, by a head's weight (K, C).

    The text is cut to `longest` tokens, or else the context. Raises ValueError if it has no token.
    """
    classifier = Classifier(body, len(weight))
    with torch.no_grad():
        classifier.head.weight.copy_(weight)
    rows, _ = encode_texts([Labelled(text, 0)], tokenizer, longest or body.config.context_length)
    shares: list[float] = predict(classifier, rows)[0].tolist()
    return shares


@torch.inference_mode()
def verdicts(body: GPT, weight: Tensor, ids: Sequence[int]) -> Tensor:
    """Return the probability of each label after each token of a text (T, K), by a head's weight.

    A decoder sees nothing of what follows: after each token it says what it would say of a text
    that ended there.
    """
    x: Tensor = body.read(body.token_embedding(torch.tensor([list(ids)])))
    return F.softmax(x[0].float() @ weight.T, dim=-1)


class _Scorer:
    """Measures on the same texts again and again; a frozen body reads them only once."""

    def __init__(
        self,
        classifier: Classifier,
        rows: list[list[int]],
        labels: list[int],
        pretraining_ids: Tensor | None,
        kept: Tensor | None,
    ) -> None:
        self._classifier, self._rows, self._labels = classifier, rows, torch.tensor(labels)
        self._ids, self._features = pretraining_ids, kept
        self._forgotten: float | None = None  # a frozen body forgets nothing: measured once

    @torch.inference_mode()
    def __call__(self, step: int) -> Scored:
        features = self._features
        if features is None:
            features = _features(self._classifier, self._rows)
        if self._features is None or self._forgotten is None:
            self._forgotten = self._pretraining_loss()
        logits = self._classifier.head(features)
        said = logits.argmax(dim=-1)
        count = logits.shape[-1]
        confusion = torch.bincount(self._labels * count + said, minlength=count * count)
        return Scored(
            step,
            float((said == self._labels).float().mean()),
            float(F.cross_entropy(logits, self._labels)),
            tuple(said.tolist()),
            tuple(tuple(row) for row in confusion.view(count, count).tolist()),
            self._forgotten,
        )

    def _pretraining_loss(self) -> float | None:
        if self._ids is None:
            return None
        return evaluate(self._classifier.body, self._ids, most=_FORGETTING_WINDOWS)[0]


@torch.no_grad()
def _features(
    classifier: Classifier, rows: Sequence[Sequence[int]], batch_size: int = _SCORE_BATCH
) -> Tensor:
    """Return the pooled vectors of all rows (N, C)."""
    classifier.eval()
    found = []
    for start in range(0, len(rows), batch_size):
        part = rows[start : start + batch_size]
        ids, lengths, _ = make_batch(part, [0] * len(part))
        found.append(classifier.pooled(ids, lengths).float())
    return torch.cat(found)


def _read_once(
    classifier: Classifier, rows: Sequence[Sequence[int]], at_once: int
) -> Generator[TextsRead, None, Tensor]:
    """Return what `_features` does, and tell on the way how far it is.

    Texts of like length are read together: padding would be computed in vain.
    """
    order = sorted(range(len(rows)), key=lambda place: len(rows[place]))
    found = torch.empty(len(rows), classifier.body.config.d_model)
    for start in range(0, len(rows), at_once):
        places = order[start : start + at_once]
        found[places] = _features(classifier, [rows[place] for place in places], at_once)
        yield TextsRead(start + len(places), len(rows))
    return found


def _batches(count: int, size: int, generator: torch.Generator) -> Iterator[list[int]]:
    """Yield places of texts, `size` at a time, each text once an epoch; the rest is left over."""
    size = min(size, count)
    while True:
        order = torch.randperm(count, generator=generator).tolist()
        for start in range(0, count - size + 1, size):
            yield order[start : start + size]
