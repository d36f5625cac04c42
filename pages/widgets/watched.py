"""What was measured of a run, read once, and after that only what is new: a page asks each second.

At 5,000 points, reading all of them anew would take most of a tick.
"""

from dataclasses import dataclass, field

import streamlit as st

from llm_core.training.events import AnswerEvent, EvalEvent, LayerEvent, SampleEvent
from llm_core.training.points import Point
from llm_core.training.run_rows import RunState
from llm_core.training.runs import Run
from pages.widgets.training import launcher

_HELD = "_watched"
_LONG = ("points", "layers")


@dataclass
class Watched:
    """A run's curves so far. `version` changes when what was read may have been taken back."""

    version: tuple[object, ...]
    points: list[Point] = field(default_factory=list)
    layers: list[LayerEvent] = field(default_factory=list)
    evaluations: list[EvalEvent] = field(default_factory=list)
    samples: list[SampleEvent] = field(default_factory=list)
    answers: list[AnswerEvent] = field(default_factory=list)


def watched(run: Run) -> Watched:
    """Return what was measured of the run; raises RecordError while the record cannot be used.

    One run a session is held: the one that is looked at.
    """
    begun = run.state not in (RunState.QUEUED, RunState.STARTING)
    version = (run.id, run.launched, begun, run.facts.step if run.facts else None)
    held = st.session_state.get(_HELD)
    if not isinstance(held, Watched) or held.version != version:
        held = st.session_state[_HELD] = Watched(version)
    # A step's evaluation, sample and answers may be written anew: only the long curves are held.
    after = {name: rows[-1].step for name in _LONG if (rows := getattr(held, name))}
    news = launcher().store.news(run.id, after)
    held.points += news.points
    held.layers += news.layers
    held.evaluations, held.samples, held.answers = news.evaluations, news.samples, news.answers
    return held
