"""A training booth: one small training at a time a server, in a thread, watched by who asked.

For trainings of seconds in front of a learner; long ones have the queue. Strangers share the
server, so the thread has a lower priority and one torch thread, stops by itself after a while,
and also soon after nobody looks any more.
"""

import contextlib
import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

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
_NICENESS = 5  # of 19: behind the pages, but not starved where the machine is busy
_BREATH = 0.001  # seconds of rest a step, for the pages that others ask for

Translate = Callable[[EncoderDecoder], str]


@dataclass
class Training:
    """What one training has come to; written by its thread, read by the page.

    said: after each score, the model's translation of the watcher's own input. state: "training",
    then "done", "stopped" (asked to, or nobody was there) or "failed".
    """

    settings: TranslatorSettings
    model: EncoderDecoder
    state: str = "training"
    losses: list[Learned] = field(default_factory=list)
    scores: list[Scored] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
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


class Booth:
    """Room for one training at a time."""

    def __init__(self, *, patience: float = PATIENCE, most_seconds: float = MOST_SECONDS) -> None:
        """Take how long a training goes on without a look, and at all, in seconds."""
        self._patience, self._most_seconds = patience, most_seconds
        self._lock = threading.Lock()
        self._running: Training | None = None

    @property
    def taken(self) -> bool:
        """Is somebody training?"""
        return self._running is not None

    def start(self, settings: TranslatorSettings, translate: Translate) -> Training:
        """Begin a training and return it at once; `translate` gives a sample at each score.

        Raises ValueError if another one is going on.
        """
        with self._lock:
            if self._running is not None:
                raise ValueError(
                    "Somebody else is training on this server just now. It takes less than a "
                    "minute: try again soon."
                )
            training = Training(settings, build_translator(settings).eval())
            self._running = training
        thread = threading.Thread(
            target=self._run, args=(training, translate), name="translator", daemon=True
        )
        thread.start()
        return training

    def _run(self, training: Training, translate: Translate) -> None:
        threads = torch.get_num_threads()
        try:
            _step_back()
            torch.set_num_threads(1)
            training.state = self._train(training, translate)
        except Exception:
            training.state = "failed"
            raise
        finally:
            torch.set_num_threads(threads)
            with self._lock:
                self._running = None

    def _train(self, training: Training, translate: Translate) -> str:
        began = time.monotonic()
        for event in train_translator(training.settings, model=training.model):
            if isinstance(event, Scored):
                training.said.append(translate(training.model))
                training.scores.append(event)
            else:
                training.losses.append(event)
            now = time.monotonic()
            alone = now - training.seen_at > self._patience
            if training.stop_asked or alone or now - began > self._most_seconds:
                return "stopped"
            time.sleep(_BREATH)
        return "done"


def _step_back() -> None:
    """Give this thread a low priority, where the system can do that for a thread alone."""
    if hasattr(os, "setpriority") and hasattr(threading, "get_native_id"):
        with contextlib.suppress(OSError):
            thread = threading.get_native_id()
            usual = os.getpriority(os.PRIO_PROCESS, thread)
            os.setpriority(os.PRIO_PROCESS, thread, min(usual + _NICENESS, 19))
