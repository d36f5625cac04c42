"""The translator on the page: which one is looked at, and what it makes of the learner's date."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from llm_core.data.tasks import END, START, Pair, Task, date_phrasings, early_dates, find_task
from llm_core.pretrained.registry import load
from llm_core.pretrained.translator import translator_steps

if TYPE_CHECKING:
    from llm_core.models.encoder_decoder import EncoderDecoder

DATES = find_task("dates")
STEPS = translator_steps()
MOST = 12  # signs of an answer, its end included; an ISO date has 11
MEASURED = 300  # pairs of a measurement
_SEED = 7


@dataclass(frozen=True)
class Reading:
    """A date in words as the model gets it: its tokens, their ids, and the right answer, if any."""

    text: str
    words: tuple[str, ...]
    ids: tuple[int, ...]
    right: str | None

    @property
    def seen(self) -> bool:
        """May this date have been among those that were trained on?"""
        return self.right is not None and not DATES.is_unseen(self.right)


@dataclass(frozen=True)
class Written:
    """An answer, place by place: T signs, the end included, over S words.

    signs: what the decoder went on with; choices: what it found most probable; probabilities
    (T, V); attention (T, H, S) of its last block.
    """

    signs: tuple[str, ...]
    choices: tuple[str, ...]
    probabilities: np.ndarray
    attention: np.ndarray

    @property
    def text(self) -> str:
        """The answer as it reads."""
        return "".join(sign for sign in self.signs if sign != END)


def read_date(text: str) -> Reading:
    """Cut a date into words; raises ValueError with a sentence if the model cannot read it."""
    words = DATES.cut(text)
    return Reading(text, tuple(words), tuple(DATES.encode_source(text)), DATES.answer(words))


def shipped(step: int | None = None) -> "EncoderDecoder":
    """Return the translator that comes with the course, after so many steps of its training."""
    model: EncoderDecoder = load("translator" if step is None else f"translator@{step}")[0]
    return model


def write(
    model: "EncoderDecoder", reading: Reading, overruled: Mapping[int, str] | None = None
) -> Written:
    """Let `model` translate, with some signs put in place of its own."""
    from llm_core.generation.translate import translate

    tokens = DATES.tokens
    other = {place: tokens.index(sign) for place, sign in (overruled or {}).items()}
    steps = list(
        translate(
            model,
            reading.ids,
            start=tokens.index(START),
            end=tokens.index(END),
            most=MOST,
            overruled=other,
        )
    )
    return Written(
        tuple(tokens[step.id] for step in steps),
        tuple(tokens[step.choice] for step in steps),
        np.stack([step.probabilities.numpy() for step in steps]),
        np.stack([step.attention[-1].numpy() for step in steps]),
    )


def forced(model: "EncoderDecoder", reading: Reading) -> Written:
    """What `model` would write at each place if all signs before it were right."""
    from llm_core.generation.translate import forced_choices

    assert reading.right is not None
    tokens = DATES.tokens
    steps = forced_choices(
        model, reading.ids, DATES.encode_target(reading.right), start=tokens.index(START)
    )
    return Written(
        tuple(tokens[step.id] for step in steps),
        tuple(tokens[step.choice] for step in steps),
        np.stack([step.probabilities.numpy() for step in steps]),
        np.stack([step.attention[-1].numpy() for step in steps]),
    )


@dataclass(frozen=True)
class Measured:
    """Shares of signs and of whole answers that are right, and the answers that are wrong."""

    forced: float
    free: float
    whole: float
    wrong: tuple[tuple[str, str, str], ...]  # in words, right, what it said


def drawn(kind: str) -> list[Pair]:
    """The dates of a measurement: "unseen" ones, or "early" ones from before all training."""
    if kind == "early":
        return early_dates(MEASURED, _SEED)
    return DATES.examples(MEASURED, _SEED, unseen=True)


@st.cache_data(max_entries=16, show_spinner=False)
def measure(step: int, kind: str) -> Measured:
    """Measure the shipped translator after so many steps, once for all visitors."""
    return measure_model(shipped(step), DATES, drawn(kind))


def measure_model(model: "EncoderDecoder", task: Task, pairs: Sequence[Pair]) -> Measured:
    """Measure any model on pairs that it has not seen."""
    from llm_core.training import translation

    scored, answers = translation.measure(model, task, pairs)
    wrong = tuple(
        (answer.pair.source, answer.pair.target, answer.said)
        for answer in answers
        if not answer.right
    )
    return Measured(scored.forced, scored.free, scored.whole, wrong)


def another_date(place: int) -> str:
    """A date that the model has never seen, in words: another one for each place."""
    return DATES.examples(1, 100 + place, unseen=True)[0].source


def in_words(day: date) -> str:
    """A date in the first of its phrasings."""
    return date_phrasings(day)[0]
