"""A training booth: one small training at a time a server, as long as somebody is watching.

For trainings of seconds in front of a learner; long ones have the queue. A training goes on only
while its page asks for more, so whoever leaves stops it. Strangers share the server: each piece of
it runs in a thread of lower priority, with one torch thread, and the page waits meanwhile. (Beside
a page that computes at the same time, Python's lock would change hands at every one of the
thousand operations of a step, and a training would take ten times as long.)
"""

import contextlib
import os
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, TypeVar

import torch

from llm_core.models.encoder_decoder import EncoderDecoder
from llm_core.training.translation import (
    Learned,
    Scored,
    TranslatorSettings,
    build_translator,
    train_translator,
)

MOST_SECONDS = 120.0  # of one training, drawing not counted
PATIENCE = 15.0  # seconds without a sign of its page, after which a training gives way to others
_LONGEST_PIECE = 4.0  # seconds in which a page shows nothing new
_NICENESS = 5  # more than the server's own, of 19 that there are

Translate = Callable[[EncoderDecoder], str]


@dataclass(kw_only=True)
class Work:
    """A training in the booth: where it stands. What it is made of says the class that inherits.

    state: "training", then "done", "stopped" (asked to, out of time, or nobody was there) or
    "failed". run_id: of the run that it is recorded as, if it is; after_piece is called whenever
    some of it was done, and at its end.
    """

    state: str = "training"
    seconds: float = 0.0
    run_id: str = ""
    after_piece: Callable[[], None] | None = field(default=None, repr=False)
    seen_at: float = field(default_factory=time.monotonic)
    _events: Iterator[Any] | None = field(default=None, repr=False)
    _at_work: threading.Lock = field(default_factory=threading.Lock, repr=False, compare=False)

    def events(self) -> Iterator[Any]:
        """Train, and yield what happens; asked for once, when the first step is to be taken."""
        raise NotImplementedError

    def note(self, event: Any) -> None:
        """Keep what has happened."""
        raise NotImplementedError

    @property
    def active(self) -> bool:
        """Is it still going on?"""
        return self.state == "training"

    def stop(self) -> None:
        """End it; what was learnt stays."""
        if self.active:
            self.state = "stopped"

    def settle(self) -> None:
        """Wait until the step is over in which it was stopped: nothing changes after that."""
        with self._at_work:
            self._tell()

    def take(self, seconds: float) -> None:
        """Take steps for so long, at least one."""
        with self._at_work:
            self._take(seconds)
            self._tell()

    def _tell(self) -> None:
        if self.after_piece is not None:
            self.after_piece()

    def _take(self, seconds: float) -> None:
        began = time.monotonic()
        if self._events is None:
            self._events = self.events()
        while self.active and time.monotonic() - began < seconds:
            try:
                event = next(self._events)
            except StopIteration:
                self.state = "done"
            else:
                self.note(event)
        self.seconds += time.monotonic() - began


@dataclass
class Training(Work):
    """What the training of a translator has come to.

    said: after each score, the model's translation of the watcher's own input.
    """

    settings: TranslatorSettings
    model: EncoderDecoder
    translate: Translate
    losses: list[Learned] = field(default_factory=list)
    scores: list[Scored] = field(default_factory=list)
    said: list[str] = field(default_factory=list)

    def events(self) -> Iterator[Learned | Scored]:
        """Train the translator."""
        return train_translator(self.settings, model=self.model)

    def note(self, event: Learned | Scored) -> None:
        """Keep a loss, or a score with its sample."""
        if isinstance(event, Scored):
            self.said.append(self.translate(self.model))
            self.scores.append(event)
        else:
            self.losses.append(event)


W = TypeVar("W", bound=Work)


class Booth:
    """Room for one training at a time."""

    def __init__(self, *, patience: float = PATIENCE, most_seconds: float = MOST_SECONDS) -> None:
        """Take how long a training keeps its place unwatched, and lasts at most, in seconds."""
        self._patience, self._most_seconds = patience, most_seconds
        self._lock = threading.Lock()
        self._running: Work | None = None

    def taken(self) -> bool:
        """Is somebody training, and watching it?"""
        running = self._running
        if running is None or not running.active:
            return False
        return time.monotonic() - running.seen_at < self._patience

    def of_run(self, run_id: str) -> Work | None:
        """Return the training that is recorded as this run, if it is here."""
        running = self._running
        return running if running is not None and running.run_id == run_id else None

    def start(self, settings: TranslatorSettings, translate: Translate) -> Training:
        """Make room for a training, of which nothing is done yet: `go_on` does it, by and by.

        `translate` gives a sample at each score. Raises ValueError if somebody else is training.
        """
        return self.admit(lambda: Training(settings, build_translator(settings).eval(), translate))

    def admit(self, make: Callable[[], W]) -> W:
        """Make room for any training, which `make` prepares if there is room; see `start`."""
        with self._lock:
            if self.taken():
                raise ValueError(
                    "Somebody else is training on this server just now. It takes less than a "
                    "minute: try again soon."
                )
            if self._running is not None:
                self._running.stop()  # nobody is there any more
                self._running.settle()
            work = make()
            self._running = work
            return work

    def go_on(self, training: Work, seconds: float) -> None:
        """Train for so long, and come back. A training that lost its place has been stopped.

        After a long pause, as on a busy server, it trains for longer: half of all time, if it can.
        """
        pause = time.monotonic() - training.seen_at
        training.seen_at = time.monotonic()
        if not training.active:
            return
        if training.seconds > self._most_seconds:
            training.stop()
            return
        piece = max(seconds, min(pause, _LONGEST_PIECE))
        thread = threading.Thread(target=_in_the_background, args=(training, piece), daemon=True)
        thread.start()
        thread.join()
        training.seen_at = time.monotonic()


def _in_the_background(training: Work, seconds: float) -> None:
    threads = torch.get_num_threads()
    try:
        _step_back()
        torch.set_num_threads(1)
        training.take(seconds)
    except Exception:
        training.state = "failed"
        raise
    finally:
        torch.set_num_threads(threads)


def _step_back() -> None:
    """Give this thread a lower priority, where the system can do that for a thread alone."""
    if hasattr(os, "setpriority") and hasattr(threading, "get_native_id"):
        with contextlib.suppress(OSError):
            thread = threading.get_native_id()
            usual = os.getpriority(os.PRIO_PROCESS, thread)
            os.setpriority(os.PRIO_PROCESS, thread, min(usual + _NICENESS, 19))
