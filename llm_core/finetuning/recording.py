"""A fine-tuning in the booth, recorded as a run of the visitor's from its first score to its end.

It trains only while somebody looks, here or in the sandbox: each piece is written down, and a wish
to stop is heeded, wherever it was made. Who leaves for good ends it, and it is kept.
"""

import threading
from collections.abc import Sequence
from typing import Protocol

from llm_core.finetuning.keeping import Teller, Tuned, begin_tuned
from llm_core.training.database import RecordError
from llm_core.training.runs import RunStore

LEAVE_SECONDS = 90.0  # browsers let pages in the background ask once a minute
_BROKEN = "The training broke down. That is our mistake; please try again."


class Recorded(Protocol):
    """What of a training in the booth is recorded."""

    state: str
    run_id: str

    @property
    def active(self) -> bool: ...

    @property
    def scores(self) -> Sequence[object]: ...

    def stop(self) -> None: ...

    def settle(self) -> None: ...

    def result(self, title: str) -> Tuned: ...


class Recording:
    """One training as a run; `trouble` says why there is none, if there cannot be."""

    def __init__(
        self,
        store: RunStore,
        work: Recorded,
        *,
        owner: str,
        title: str,
        leave_seconds: float = LEAVE_SECONDS,
    ) -> None:
        """Take a training that has not begun, has a run's id, and gets this title as a run."""
        self._store, self._work = store, work
        self._run_id, self._owner, self._title = work.run_id, owner, title
        self._leave_seconds = leave_seconds
        self._lock = threading.Lock()
        self._teller: Teller | None = None
        self._leaving: threading.Timer | None = None
        self._over = False
        self.trouble = ""

    @property
    def begun(self) -> bool:
        """Is there a run to look at?"""
        return self._teller is not None and not self.trouble

    def refuse(self, reason: str) -> None:
        """Record nothing, for this reason."""
        self.trouble, self._over = reason, True

    def note(self) -> None:
        """Write down what is new; stop the training if that was asked for; close its run."""
        with self._lock:
            if self._over:
                return
            try:
                self._note()
            except (RecordError, OSError, ValueError) as error:
                self.trouble, self._over = str(error), True

    def _note(self) -> None:
        if self._work.state == "failed":
            self._over = True
            if self._teller is not None:
                self._teller.fail(_BROKEN)
            return
        if not self._work.scores:
            self._over = not self._work.active
            return
        tuned = self._work.result(self._title)
        if self._teller is None:
            run = begin_tuned(self._store, tuned, owner=self._owner, run_id=self._run_id)
            self._teller = Teller(self._store, run)
        self._teller.tell(tuned)
        if self._work.active and self._store.stop_requested(self._run_id):
            self._work.stop()
            tuned = self._work.result(self._title)
        if self._work.active:
            self._wait_for_somebody()
        else:
            self._close(self._teller, tuned)

    def _close(self, teller: Teller, tuned: Tuned) -> None:
        self._over = True
        if self._leaving is not None:
            self._leaving.cancel()
        if self._store.get(self._run_id) is None:
            return
        if tuned.losses:
            teller.end(tuned)
        else:
            self._store.delete(self._run_id)
            self._teller = None

    def _wait_for_somebody(self) -> None:
        if self._leaving is not None:
            self._leaving.cancel()
        self._leaving = threading.Timer(self._leave_seconds, self._leave)
        self._leaving.daemon = True
        self._leaving.start()

    def _leave(self) -> None:
        self._work.stop()
        self._work.settle()
