"""What was measured of a run, read once, and after that only what is new: a page asks each second.

At 5,000 points, reading all of them anew would take most of a tick. All who watch a run share what
was read of it: after each tick Streamlit goes through every object there is, to find garbage.
"""

from collections import OrderedDict
from dataclasses import dataclass
from threading import Lock

import streamlit as st

from llm_core.training.events import AnswerEvent, EvalEvent, LayerEvent, SampleEvent
from llm_core.training.points import Point
from llm_core.training.run_rows import RunState
from llm_core.training.runs import Run
from pages.widgets.training import launcher

_MOST_RUNS = 12  # that are held
_LONG = ("points", "layers")


@dataclass(frozen=True)
class Watched:
    """A run's curves as they were read. `version` changes when they may have been taken back."""

    version: tuple[object, ...]
    points: list[Point]
    layers: list[LayerEvent]
    evaluations: list[EvalEvent]
    samples: list[SampleEvent]
    answers: list[AnswerEvent]


class _Shelf:
    """The latest of each run, for all sessions. What lies on it is replaced, never changed."""

    def __init__(self) -> None:
        self._runs: OrderedDict[str, Watched] = OrderedDict()
        self._lock = Lock()

    def get(self, run_id: str, version: tuple[object, ...]) -> Watched:
        """Return what is held of a run in that version; nothing of it if there is none."""
        with self._lock:
            held = self._runs.get(run_id)
        return held if held and held.version == version else Watched(version, [], [], [], [], [])

    def put(self, run_id: str, seen: Watched) -> None:
        """Hold a run, and let go the one that was not asked for longest."""
        with self._lock:
            self._runs[run_id] = seen
            self._runs.move_to_end(run_id)
            while len(self._runs) > _MOST_RUNS:
                self._runs.popitem(last=False)


@st.cache_resource(show_spinner=False)
def _shelf() -> _Shelf:
    return _Shelf()


def watched(run: Run) -> Watched:
    """Return what was measured of the run; raises RecordError while the record cannot be used."""
    begun = run.state not in (RunState.QUEUED, RunState.STARTING)
    version = (run.launched, begun, run.facts.step if run.facts else None)
    held = _shelf().get(run.id, version)
    # A step's evaluation, sample and answers may be written anew: only the long curves are held.
    after = {name: rows[-1].step for name in _LONG if (rows := getattr(held, name))}
    news = launcher().store.news(run.id, after)
    seen = Watched(
        version,
        held.points + news.points,
        held.layers + news.layers,
        news.evaluations,
        news.samples,
        news.answers,
    )
    _shelf().put(run.id, seen)
    return seen
