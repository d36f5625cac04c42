"""The queue: runs wait for a place, workers in processes of their own take turns. No torch.

Everything lies in the store's database, so that a server that comes back finds its queue, and two
servers on one folder share their places. Workers end when their server does, and save first.
"""

import contextlib
import subprocess
import threading
import time
from collections.abc import Callable

from llm_core.training.branching import branch_run
from llm_core.training.checkpoint_index import checkpoint_step, list_checkpoints
from llm_core.training.config import RunConfig
from llm_core.training.database import RecordDamagedError, RecordError
from llm_core.training.fairness import Waiting, starting_order
from llm_core.training.limits import Limits
from llm_core.training.machine import memory_kills
from llm_core.training.notes import checked_note
from llm_core.training.runs import Run, RunState, RunStore
from llm_core.training.steering import checked_title, with_rate, with_steps, without_goals
from llm_core.training.stepping import held_after, hold_after, let_go
from llm_core.training.worker_process import (
    close_input,
    death_sentence,
    end,
    is_alive,
    start_of,
    start_worker,
)

_TICK_SECONDS = 0.5
_COPY_SECONDS = 60.0
_PATIENCE_SECONDS = 10.0  # a worker that does not stop when asked is ended after this
_SEEN_SECONDS = 15.0  # a visitor's presence is written down this often at the most


class RunQueue:
    """The queue and the workers of one server. Thread-safe; workers end when this process does."""

    def __init__(self, store: RunStore, limits: Limits | None = None) -> None:
        """Look after the store's runs, in a thread of its own, until `close`."""
        self.store = store
        self.limits = limits or Limits()
        self.trouble = ""  # why the record cannot be used now, if it cannot
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._seen: dict[str, float] = {}
        self._lock = threading.RLock()
        self._closed = threading.Event()
        self._copied = time.monotonic()
        self._memory_kills = memory_kills()
        self._attempt(store.check_or_repair)
        threading.Thread(target=self._look_after, daemon=True).start()

    def launch(
        self,
        config: RunConfig,
        *,
        owner: str,
        title: str,
        text: str | None = None,
        parameters: int = 0,
        vocab_size: int = 2,
    ) -> Run:
        """Queue a new run; it starts at once if a place is free.

        Raises ValueError, with the number allowed, for a run above the limits. The model's size is
        the caller's word: the worker counts again.
        """
        config.require_trainable()
        self.limits.check_run(config, parameters=parameters, vocab_size=vocab_size)
        self.require_room(owner)
        self.renew(owner)
        run = self.store.create(config, owner=owner, title=title, text=text)
        self._attempt(self.tick)
        return self.store.get(run.id) or run

    def require_room(self, owner: str, more: int = 1) -> None:
        """Raise ValueError if this visitor, or this machine, cannot keep so many more runs."""
        own = self.store.of_owner(owner)
        waiting = sum(run.state is RunState.QUEUED for run in own)
        # Of several, as many as there are free places do not wait.
        busy = sum(not run.config.tuned for run in self.store.active())
        free = max(0, self.limits.workers - busy) if more > 1 else 0
        self.limits.check_visitor(
            runs=len(own) + more - 1, waiting=waiting + max(0, more - 1 - free)
        )
        if self.limits.max_disk_mb is not None:
            files = self.store.folder.rglob("*")
            self.limits.check_disk(sum(file.stat().st_size for file in files if file.is_file()))

    def resume(self, run: Run, *, by: str) -> None:
        """Queue an ended run once more; it goes on from its last checkpoint.

        One that has reached the time or the loss that it was to stop at goes on without that.
        """
        self._require_owner(run, by)
        run.config.require_trainable()
        let_go(self.store.run_folder(run.id))
        self._queue_again(run, by)

    def step_once(self, run: Run, *, by: str) -> None:
        """Let a paused run take exactly one step more, and then wait for the next wish.

        Raises ValueError while it trains, or if there is no step left to take.
        """
        self._require_owner(run, by)
        run.config.require_trainable()
        now, folder = self.store.get(run.id) or run, self.store.run_folder(run.id)
        taken = self._taken(now)
        if taken >= now.config.steps:
            raise ValueError(
                f"It has taken all of its {taken:,} steps: ask for more of them first."
            )
        if now.active:
            held = held_after(folder)
            if now.state is not RunState.RUNNING or held is None or taken < held:
                raise ValueError("It is at work: pause it first, or wait for its step.")
            hold_after(folder, taken + 1)
        else:
            hold_after(folder, taken + 1)
            self._queue_again(now, by)

    def train_on(self, run: Run, *, by: str) -> None:
        """Let a run that waits between two steps train on."""
        self._require_owner(run, by)
        let_go(self.store.run_folder(run.id))

    def _queue_again(self, run: Run, by: str) -> None:
        with self._lock:
            self._wait_for_end(run)  # it records its end a moment before its process is gone
            self.renew(by)
            if run.state is RunState.DONE:
                self.store.change_config(run.id, without_goals)
            self.store.restart(run.id)
            self._attempt(self.tick)

    def change_rate(self, run: Run, factor: float, *, by: str) -> None:
        """From now on let the recipe's learning rates count `factor` times.

        A run that trains takes it up within a second or so; one that has ended, when it goes on.
        """
        self._require_owner(run, by)
        run.config.require_trainable()
        self.store.change_config(run.id, with_rate(factor, since=self._taken(run)))

    def change_steps(self, run: Run, steps: int, *, by: str) -> None:
        """Let a run take `steps` in all; ValueError if it has taken so many, or may not."""
        self._require_owner(run, by)
        run.config.require_trainable()
        self.limits.check_steps(steps)
        self.store.change_config(run.id, with_steps(steps, taken=self._taken(run)))

    def branch(self, run: Run, step: int, *, by: str, title: str, factor: float, steps: int) -> Run:
        """Queue a new run of `by` that goes on from a kept checkpoint of `run`.

        The recipe's learning rates count `factor` times from there, and it takes `steps` in all.
        """
        run.config.require_trainable()
        self.limits.check_steps(steps)
        self.require_room(by)

        def change(config: RunConfig) -> RunConfig:
            config = without_goals(with_steps(steps, taken=step)(config))
            same = factor == config.rate_factor(step + 1)
            return config if same else with_rate(factor, since=step)(config)

        self.renew(by)
        new = branch_run(self.store, run, step, owner=by, title=title, change=change)
        self.resume(new, by=by)
        return self.store.get(new.id) or new

    def rename(self, run: Run, title: str, *, by: str) -> None:
        """Give a run another title; ValueError if it will not do."""
        self._require_owner(run, by)
        self.store.rename(run.id, checked_title(title))

    def annotate(self, run: Run, note: str, *, by: str) -> None:
        """Keep a note about a run; ValueError if it is too long."""
        self._require_owner(run, by)
        self.store.annotate(run.id, checked_note(note))

    def stop(self, run: Run, *, by: str) -> None:
        """Ask a run to stop; one that has not begun to learn is ended at once."""
        self._require_owner(run, by)
        self.store.request_stop(run.id)
        now = self.store.get(run.id) or run
        if now.state in (RunState.QUEUED, RunState.STARTING):
            end(now)
            self.store.finish(run.id, RunState.STOPPED)

    def delete(self, run: Run, *, by: str) -> None:
        """Remove an ended run for ever; ValueError while it is active."""
        self._require_owner(run, by)
        if self.check(self.store.get(run.id) or run).active:
            raise ValueError("Stop this run before you delete it.")
        with self._lock:
            self._wait_for_end(run)
            self.store.delete(run.id)

    def renew(self, owner: str) -> None:
        """Note that a visitor is there, so that their runs stay queued; pages call it, polling."""
        now = time.monotonic()
        if now - self._seen.get(owner, -_SEEN_SECONDS) >= _SEEN_SECONDS:
            self._seen[owner] = now
            self.store.see(owner)

    def places(self) -> dict[str, int]:
        """Return for each waiting run how many will have started when it has: 1 is the next."""
        return {each.run: place for place, each in enumerate(self._order(), start=1)}

    def check(self, run: Run) -> Run:
        """Return a run that was just read as it stands; if its process has died, it has failed."""
        if not run.active:
            self._forget(run)
            return run
        if run.state is RunState.QUEUED:
            return run
        if run.config.tuned:  # it trains inside a server, which nobody may end
            gone = not is_alive(run) and self.store.finish(run.id, RunState.INTERRUPTED)
            return (self.store.get(run.id) or run) if gone else run
        if run.pid is None and time.time() - run.launched < _PATIENCE_SECONDS:
            return run  # its process is about to start
        late = bool(run.stop_requested and time.time() - run.stop_requested > _PATIENCE_SECONDS)
        if late:
            end(run)
            self.store.finish(run.id, RunState.STOPPED)
        process = self._processes.get(run.id)
        own = process is not None and process.pid == run.pid
        code = process.poll() if process and own else None
        dead = code is not None or (not own and not is_alive(run))
        if dead:
            self._record_death(run, code)
            self._forget(run)
        return (self.store.get(run.id) or run) if late or dead else run

    def tick(self) -> None:
        """See what has become of the workers, let go who left, and start who is next."""
        with self._lock:
            active = [self.check(run) for run in self.store.active()]
            self._let_go([run for run in active if run.state is RunState.QUEUED])
            working = sum(run.working for run in active)
            for waiting in self._order()[: max(0, self.limits.workers - working)]:
                if self._closed.is_set() or not self.store.claim(waiting.run, self.limits.workers):
                    break
                self._start(waiting.run)

    def close(self) -> None:
        """Let all workers know that the server is going, and wait until they have saved."""
        self._closed.set()
        with self._lock:
            processes, self._processes = list(self._processes.values()), {}
        for process in processes:
            close_input(process)
        for process in processes:
            process.wait(_PATIENCE_SECONDS)

    def _look_after(self) -> None:
        while not self._closed.wait(_TICK_SECONDS):
            self._attempt(self.tick)
            if time.monotonic() - self._copied > _COPY_SECONDS:
                self._copied = time.monotonic()
                self._attempt(self.store.check_or_repair)

    def _attempt(self, action: Callable[[], None]) -> None:
        """Do what needs the record; where it is damaged, repair it, and else say what it is."""
        try:
            action()
            self.trouble = ""
        except RecordDamagedError as error:
            self.trouble = str(error)
            with contextlib.suppress(RecordError):
                self.store.check_or_repair()
        except (RecordError, OSError) as error:
            self.trouble = str(error)

    def _order(self) -> list[Waiting]:
        waiting = [
            Waiting(run.id, run.owner, run.launched)
            for run in self.store.active()
            if run.state is RunState.QUEUED
        ]
        served = {owner: served for owner, (_, served) in self.store.visitors().items()}
        return starting_order(waiting, served)

    def _let_go(self, waiting: list[Run]) -> None:
        """Take those out of the queue whose visitors have not been seen for a while."""
        visitors = self.store.visitors() if waiting else {}
        for run in waiting:
            seen = max(visitors.get(run.owner, (0.0, 0.0))[0], run.launched)
            if time.time() - seen > self.limits.lease_seconds:
                reason = "It left the queue, as nobody was here to wait for it."
                self.store.finish(run.id, RunState.STOPPED, reason)

    def _start(self, run_id: str) -> None:
        run = self.store.get(run_id)
        assert run is not None
        log = self.store.run_folder(run_id) / "worker.log"
        try:
            process = start_worker(self.store.folder, run, log, self.limits)
        except OSError as error:
            reason = f"Its process could not be started: {error.strerror or error}."
            self.store.finish(run_id, RunState.FAILED, reason)
            return
        self._processes[run_id] = process
        self.store.set_process(run_id, process.pid, start_of(process.pid))

    def _record_death(self, run: Run, code: int | None) -> None:
        """The worker may have recorded its end after `run` was read: the first end stands."""
        checkpoints = list_checkpoints(self.store.run_folder(run.id))
        if checkpoints and checkpoint_step(checkpoints[-1]) >= run.config.steps:
            self.store.finish(run.id, RunState.DONE)  # it only could not write so
        else:
            sentence = death_sentence(code, self._memory_kills)
            self.store.finish(run.id, RunState.FAILED, sentence)
        self._memory_kills = memory_kills()

    def _taken(self, run: Run) -> int:
        """Steps that a run has taken: one that has ended goes on from its newest checkpoint."""
        now = self.store.get(run.id) or run
        if now.state is RunState.RUNNING:
            return now.step
        checkpoints = list_checkpoints(self.store.run_folder(run.id))
        return checkpoint_step(checkpoints[-1]) if checkpoints else 0

    def _require_owner(self, run: Run, by: str) -> None:
        if run.owner != by:
            raise PermissionError("This run is somebody else's: it can only be looked at.")

    def _wait_for_end(self, run: Run) -> None:
        if run.config.tuned:  # its process is a server's
            return
        if process := self._processes.get(run.id):
            process.wait(_PATIENCE_SECONDS)
            self._forget(run)
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while is_alive(run) and time.monotonic() < deadline:  # another server's
            time.sleep(0.05)

    def _forget(self, run: Run) -> None:
        """Release an ended run's process; without the wait it would stay as a zombie."""
        process = self._processes.get(run.id)
        if process and process.poll() is not None:
            self._processes.pop(run.id, None)
            close_input(process)
