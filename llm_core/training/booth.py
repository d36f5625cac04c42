"""A training booth: one small training at a time a server, in a thread, watched by who asked.

For trainings of seconds in front of a learner; long ones have the queue. Strangers share the
server, so the thread has the lowest priority and one torch thread, stops by itself after a while,
and also soon after nobody looks any more.
"""

import contextlib
import os
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TypeVar

import torch

from llm_core.models.encoder_decoder import EncoderDecoder
from llm_core.training.translation import (
    Learned,
    Scored,
    TranslatorSettings,
    build_translator,
    train_translator,
)

MOST_SECONDS = 180.0  # of one training
PATIENCE = 20.0  # seconds without a look, after which nobody is thought to be there
_NICENESS = 10
_BREATH = 0.001  # seconds of rest a step, for the pages that others ask for

E = TypeVar("E")
Translate = Callable[[EncoderDecoder], str]


@dataclass(kw_only=True)
class Work:
    """A training in the booth: where it stands. Its thread writes, the page reads.

    state: "training", then "done", "stopped" (asked to, or nobody was there) or "failed".
    """

    state: str = "training"
    seen_at: float = field(default_factory=time.monotonic)
    stop_asked: bool = False

    @property
    def active(self) -> bool:
        """Is it still going on?"""
        return self.state == "training"

    def look(self) -> None:
        """Say that somebody is watching."""
        self.seen_at = time.monotonic()

    def stop(self) -> None:
        """Ask it to stop after the step that it is taking."""
        self.stop_asked = True


@dataclass
class Training(Work):
    """What the training of a translator has come to.

    said: after each score, the model's translation of the watcher's own input.
    """

    settings: TranslatorSettings
    model: EncoderDecoder
    losses: list[Learned] = field(default_factory=list)
    scores: list[Scored] = field(default_factory=list)
    said: list[str] = field(default_factory=list)


class Booth:
    """Room for one training at a time."""

    def __init__(self, *, patience: float = PATIENCE, most_seconds: float = MOST_SECONDS) -> None:
        """Take how long a training goes on without a look, and at all, in seconds."""
        self._patience, self._most_seconds = patience, most_seconds
        self._lock = threading.Lock()
        self._running: Work | None = None

    @property
    def taken(self) -> bool:
        """Is somebody training?"""
        return self._running is not None

    def start(self, settings: TranslatorSettings, translate: Translate) -> Training:
        """Begin to train a translator and return it at once; `translate` gives a sample a score.

        Raises ValueError if another one is going on.
        """
        training = Training(settings, build_translator(settings).eval())

        def take(event: Learned | Scored) -> None:
            if isinstance(event, Scored):
                training.said.append(translate(training.model))
                training.scores.append(event)
            else:
                training.losses.append(event)

        events = train_translator(settings, model=training.model)
        self.begin(training, lambda: events, take)
        return training

    def begin(
        self, work: Work, prepare: Callable[[], Iterable[E]], take: Callable[[E], None]
    ) -> None:
        """Go through a training's events in a thread, and hand each to `take`, in that thread.

        `prepare` is called there too, and returns the events. Raises ValueError if another
        training is going on.
        """
        with self._lock:
            if self._running is not None:
                raise ValueError(
                    "Somebody else is training on this server just now. It takes less than a "
                    "minute: try again soon."
                )
            self._running = work
        thread = threading.Thread(
            target=self._run, args=(work, prepare, take), name="booth", daemon=True
        )
        thread.start()

    def _run(
        self, work: Work, prepare: Callable[[], Iterable[E]], take: Callable[[E], None]
    ) -> None:
        threads = torch.get_num_threads()
        try:
            _step_back()
            torch.set_num_threads(1)
            work.state = self._train(work, prepare(), take)
        except Exception:
            work.state = "failed"
            raise
        finally:
            torch.set_num_threads(threads)
            with self._lock:
                self._running = None

    def _train(self, work: Work, events: Iterable[E], take: Callable[[E], None]) -> str:
        began = time.monotonic()
        for event in events:
            take(event)
            now = time.monotonic()
            alone = now - work.seen_at > self._patience
            if work.stop_asked or alone or now - began > self._most_seconds:
                return "stopped"
            time.sleep(_BREATH)
        return "done"


def _step_back() -> None:
    """Give this thread a low priority, where the system can do that for a thread alone."""
    if hasattr(os, "setpriority") and hasattr(threading, "get_native_id"):
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICENESS)
