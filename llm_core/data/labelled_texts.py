"""Labelled texts to fine-tune on: our own from seeded grammars, and real ones. No torch.

Every task is balanced, and no text of its training part returns in its test part. Some are as
hard as they look: plots that begin alike, letters that use the words of advertising.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from random import Random
from typing import Final

from llm_core.data.presidents import CENTURIES, draw_addresses, paragraphs
from llm_core.data.question_topics import TOPICS, draw_questions
from llm_core.data.shakespeare import draw_passages
from llm_core.data.tale_letters import letters, who_has_it
from llm_core.data.tiny_tales import PLOTS, iter_named_tales

MOST_TRAINING: Final = 800  # texts
TEST_TEXTS: Final = 300
_SENTENCES = 2  # of a tale, from which its plot is to be told
_TEST_SEED = 1_000_003


@dataclass(frozen=True)
class Labelled:
    """A text, and the place of its label in the task's list."""

    text: str
    label: int


@dataclass(frozen=True)
class LabelledTexts:
    """What is learnt from, and what is only ever measured on."""

    name: str
    labels: tuple[str, ...]
    train: tuple[Labelled, ...]
    test: tuple[Labelled, ...]

    def take(self, count: int) -> "LabelledTexts":
        """Return the task with the first `count` of its training texts only."""
        return LabelledTexts(self.name, self.labels, self.train[:count], self.test)


@dataclass(frozen=True)
class LabelTask:
    """A task of the course: draw(seed, unseen) gives its texts with their labels, without end.

    ceiling: the best accuracy that anything can have, where some labels are wrong on purpose.
    train, test: how many texts there are, if not as many as are asked for usually.
    """

    name: str
    title: str
    question: str
    labels: tuple[str, ...]
    draw: Callable[[int, bool], Iterator[Labelled]] = field(repr=False)
    ceiling: float = 1.0
    train: int = MOST_TRAINING
    test: int = TEST_TEXTS


def make_texts(
    name: str, *, train: int | None = None, test: int | None = None, seed: int = 1337
) -> LabelledTexts:
    """Return a task of `TASKS` with `train` texts to learn from and `test` to measure on.

    By default as many as the task usually has. One seed gives the same texts everywhere; the test
    part does not depend on it. Raises ValueError for an unknown task, for less than one text a
    part, and if the texts run out.
    """
    task = find_label_task(name)
    train = task.train if train is None else train
    test = task.test if test is None else test
    if train < 1 or test < 1:
        raise ValueError("Both parts of a task need at least one text.")
    measured = _balanced(task, _TEST_SEED, True, test, frozenset())
    known = frozenset(each.text for each in measured)
    return LabelledTexts(
        name, task.labels, tuple(_balanced(task, seed, False, train, known)), tuple(measured)
    )


def find_label_task(name: str) -> LabelTask:
    """Return the task called `name`; raise ValueError if there is none."""
    for task in TASKS:
        if task.name == name:
            return task
    raise ValueError(f"There is no task {name!r}: choose of {', '.join(t.name for t in TASKS)}.")


def _balanced(
    task: LabelTask, seed: int, unseen: bool, count: int, known: frozenset[str]
) -> list[Labelled]:
    """Draw texts, all different, with every label once before any comes a second time, and so on.

    So the first n texts of a task are balanced, for every n.
    """
    rounds = -(-count // len(task.labels))
    kept: list[list[Labelled]] = [[] for _ in task.labels]
    seen = set(known)
    for drawn, each in enumerate(task.draw(seed, unseen)):
        if drawn > 200 * count:
            break
        if each.text not in seen and len(kept[each.label]) < rounds:
            seen.add(each.text)
            kept[each.label].append(each)
            if all(len(part) == rounds for part in kept):
                break
    if any(len(part) < rounds for part in kept):
        raise ValueError(f"There are not {count} different texts of “{task.title}”.")
    chance = Random(seed)
    ordered: list[Labelled] = []
    for row in zip(*kept, strict=True):
        shuffled = list(row)
        chance.shuffle(shuffled)
        ordered += shuffled
    return ordered[:count]


def _plots(seed: int, unseen: bool) -> Iterator[Labelled]:
    names = list(PLOTS)
    for plot, tale in iter_named_tales(seed):
        sentences = _sentences(tale)[:_SENTENCES]
        yield Labelled(" ".join(sentences), names.index(plot))


def _sentences(tale: str) -> list[str]:
    """Cut a tale after each full stop, with its closing quotation mark."""
    parts, start = [], 0
    for place, sign in enumerate(tale):
        if sign in ".!?" and tale[place + 1 : place + 2] in ("", " "):
            parts.append(tale[start : place + 1].strip())
            start = place + 1
    return parts


def _authors(seed: int, unseen: bool) -> Iterator[Labelled]:
    for passages in zip(draw_passages(seed, unseen), draw_addresses(seed, unseen), strict=False):
        for label, text in enumerate(passages):
            yield Labelled(text, label)


def _drawn(
    make: Callable[[int, bool], Iterator[tuple[str, int]]],
) -> Callable[[int, bool], Iterator[Labelled]]:
    def draw(seed: int, unseen: bool) -> Iterator[Labelled]:
        for text, label in make(seed, unseen):
            yield Labelled(text, label)

    return draw


TASKS: Final = (
    LabelTask(
        name="plots",
        title="Ten plots: how will this tale go on?",
        question="Which of ten plots is it, told from its first two sentences?",
        labels=tuple(name.removeprefix("the ") for name in PLOTS),
        draw=_plots,
    ),
    LabelTask(
        name="letters",
        title="Letters: spam or not?",
        question="Is a letter an honest one, or does somebody want your things?",
        labels=("honest", "spam"),
        draw=_drawn(letters),
        ceiling=0.96,
    ),
    LabelTask(
        name="who",
        title="Gifts: who has it in the end?",
        question="A thing changes hands. Does a girl or a boy have it in the end?",
        labels=("girl", "boy"),
        draw=_drawn(who_has_it),
    ),
    LabelTask(
        name="century",
        title="Presidents: which century is this from?",
        question="In which century did a US president say this to Congress?",
        labels=CENTURIES,
        draw=_drawn(paragraphs),
    ),
    LabelTask(
        name="authors",
        title="Authors: Shakespeare or a president?",
        question="Is this from a play of Shakespeare's, or did a US president say it to Congress?",
        labels=("Shakespeare", "president"),
        draw=_authors,
    ),
    LabelTask(
        name="topics",
        title="Questions: what is it about?",
        question="Is a question to a chatbot about programming, about the world, or about itself?",
        labels=TOPICS,
        draw=_drawn(draw_questions),
        train=171,
        test=57,
    ),
)
