"""The record of training runs: one SQLite database that workers write and pages read.

Imports no torch. Each call opens the database anew, so that any thread or process may call; in
WAL mode readers never wait for a writer.
"""

import contextlib
import json
import os
import secrets
import sqlite3
import time
from collections.abc import Iterator
from dataclasses import asdict, astuple, dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

from llm_core.training.config import RunConfig
from llm_core.training.events import EvalEvent, SampleEvent, StartEvent
from llm_core.training.points import Point

OWN_TEXT = "text.txt"  # the learner's own text, in the run's folder

_SCHEMA = """
CREATE TABLE IF NOT EXISTS runs (
    id TEXT PRIMARY KEY, owner TEXT NOT NULL, title TEXT NOT NULL, config TEXT NOT NULL,
    state TEXT NOT NULL, reason TEXT NOT NULL DEFAULT '', created REAL NOT NULL,
    launched REAL NOT NULL, pid INTEGER, process_started REAL, stop_requested REAL,
    step INTEGER NOT NULL DEFAULT 0, facts TEXT NOT NULL DEFAULT '{}'
);
CREATE INDEX IF NOT EXISTS runs_of_owner ON runs (owner, created);
CREATE TABLE IF NOT EXISTS points (
    run TEXT, step INTEGER, loss REAL, learning_rate REAL, gradient_norm REAL,
    tokens_per_second REAL, seconds REAL, PRIMARY KEY (run, step)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS evaluations (
    run TEXT, step INTEGER, loss REAL, tokens INTEGER, PRIMARY KEY (run, step)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS samples (
    run TEXT, step INTEGER, prompt TEXT, text TEXT, PRIMARY KEY (run, step)
) WITHOUT ROWID;
"""


class RunState(StrEnum):
    """Where a run stands. The first two have a process at work."""

    STARTING = "starting"
    RUNNING = "running"
    DONE = "done"
    STOPPED = "stopped"  # by its owner
    INTERRUPTED = "interrupted"  # its server went away
    FAILED = "failed"


ACTIVE = (RunState.STARTING, RunState.RUNNING)


@dataclass(frozen=True)
class Run:
    """One run as it stood when it was read. Times are seconds since 1970.

    `created` is when it was first made, `launched` when it last was to start.
    `facts` is what the worker found once it was ready (None before). `pid` and `process_started`
    together name the worker's process: a pid alone is used again by others.
    """

    id: str
    owner: str
    title: str
    config: RunConfig
    state: RunState
    reason: str
    created: float
    launched: float
    pid: int | None
    process_started: float | None
    stop_requested: float | None
    step: int
    facts: StartEvent | None

    @property
    def active(self) -> bool:
        """Whether a process is, or should be, at work on it."""
        return self.state in ACTIVE


def data_folder() -> Path:
    """Where runs are kept: $INSIDE_LLMS_DATA, or .inside-llms in the home folder."""
    return Path(os.environ.get("INSIDE_LLMS_DATA") or Path.home() / ".inside-llms")


class RunStore:
    """All runs below one folder: `runs.sqlite`, and a folder of checkpoints for each run."""

    def __init__(self, folder: Path) -> None:
        """Open the store, making folder and tables where there are none."""
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        with self._connect() as database:
            database.execute("PRAGMA journal_mode=WAL")
            database.executescript(_SCHEMA)

    def run_folder(self, run_id: str) -> Path:
        """Folder of the run's checkpoints, own text and log."""
        return self.folder / "runs" / run_id

    def create(self, config: RunConfig, *, owner: str, title: str, text: str | None = None) -> Run:
        """Record a new run under an unguessable id; `text`, if any, is what it trains on."""
        run_id = secrets.token_urlsafe(16)
        folder = self.run_folder(run_id)
        folder.mkdir(parents=True)
        if text is not None:
            path = folder / OWN_TEXT
            path.write_text(text, encoding="utf-8", newline="\n")
            config = replace(config, corpus=None, text_path=str(path))
        now = time.time()
        values = (run_id, owner, title, config.to_json(), RunState.STARTING, now, now)
        with self._connect() as database:
            database.execute(
                "INSERT INTO runs (id, owner, title, config, state, created, launched)"
                " VALUES (?,?,?,?,?,?,?)",
                values,
            )
        run = self.get(run_id)
        assert run is not None
        return run

    def get(self, run_id: str) -> Run | None:
        """Return the run of that id, if there is one."""
        return self._one("SELECT * FROM runs WHERE id = ?", run_id)

    def latest(self, owner: str) -> Run | None:
        """Return the owner's newest run, if there is one."""
        return self._one(
            "SELECT * FROM runs WHERE owner = ? ORDER BY created DESC, rowid DESC LIMIT 1", owner
        )

    def active(self) -> list[Run]:
        """Return the runs that should have a process, oldest first."""
        rows = self._rows("SELECT * FROM runs WHERE state IN (?, ?) ORDER BY created", *ACTIVE)
        return [_run(row) for row in rows]

    def restart(self, run_id: str) -> None:
        """Take an ended run up again; its curves are kept."""
        self._change(
            run_id,
            state=RunState.STARTING,
            launched=time.time(),
            reason="",
            stop_requested=None,
            pid=None,
        )

    def set_process(self, run_id: str, pid: int, process_started: float) -> None:
        """Record which process works on the run."""
        self._change(run_id, pid=pid, process_started=process_started)

    def request_stop(self, run_id: str) -> None:
        """Ask the run's process to stop; the first request's time is kept."""
        with self._connect() as database:
            database.execute(
                "UPDATE runs SET stop_requested = coalesce(stop_requested, ?) WHERE id = ?",
                (time.time(), run_id),
            )

    def stop_requested(self, run_id: str) -> bool:
        """Whether somebody asked the run to stop."""
        rows = self._rows("SELECT stop_requested FROM runs WHERE id = ?", run_id)
        return bool(rows) and rows[0]["stop_requested"] is not None

    def record_start(self, run_id: str, event: StartEvent) -> None:
        """Keep the facts of a ready worker; drop what lies after the step it starts from."""
        with self._connect() as database:
            for table in ("points", "evaluations", "samples"):
                database.execute(
                    f"DELETE FROM {table} WHERE run = ? AND step > ?", (run_id, event.step)
                )
            database.execute(
                "UPDATE runs SET state = ?, step = ?, facts = ? WHERE id = ?",
                (RunState.RUNNING, event.step, json.dumps(asdict(event)), run_id),
            )

    def record_point(self, run_id: str, point: Point) -> None:
        """Add a point to the training curve."""
        values = (run_id, *astuple(point))
        with self._connect() as database:
            database.execute("INSERT OR REPLACE INTO points VALUES (?,?,?,?,?,?,?)", values)
            database.execute("UPDATE runs SET step = ? WHERE id = ?", (point.step, run_id))

    def record_evaluation(self, run_id: str, event: EvalEvent) -> None:
        """Add a validation loss."""
        values = (run_id, *astuple(event))
        with self._connect() as database:
            database.execute("INSERT OR REPLACE INTO evaluations VALUES (?,?,?,?)", values)

    def record_sample(self, run_id: str, event: SampleEvent) -> None:
        """Add what the model wrote."""
        values = (run_id, event.step, event.prompt, event.text)
        with self._connect() as database:
            database.execute("INSERT OR REPLACE INTO samples VALUES (?,?,?,?)", values)

    def finish(self, run_id: str, state: RunState, reason: str = "") -> bool:
        """End an active run; False if it had ended before (the first end stands)."""
        with self._connect() as database:
            cursor = database.execute(
                "UPDATE runs SET state = ?, reason = ? WHERE id = ? AND state IN (?, ?)",
                (state, reason, run_id, *ACTIVE),
            )
            return cursor.rowcount == 1

    def points(self, run_id: str) -> list[Point]:
        """The training curve, by step."""
        rows = self._rows("SELECT * FROM points WHERE run = ? ORDER BY step", run_id)
        return [Point(*tuple(row)[1:]) for row in rows]

    def evaluations(self, run_id: str) -> list[EvalEvent]:
        """The validation losses, by step."""
        rows = self._rows("SELECT * FROM evaluations WHERE run = ? ORDER BY step", run_id)
        return [EvalEvent(*tuple(row)[1:]) for row in rows]

    def samples(self, run_id: str) -> list[SampleEvent]:
        """What the model wrote, by step."""
        rows = self._rows("SELECT * FROM samples WHERE run = ? ORDER BY step", run_id)
        return [SampleEvent(*tuple(row)[1:]) for row in rows]

    def _change(self, run_id: str, **columns: Any) -> None:
        assignments = ", ".join(f"{name} = ?" for name in columns)
        with self._connect() as database:
            database.execute(
                f"UPDATE runs SET {assignments} WHERE id = ?", (*columns.values(), run_id)
            )

    def _one(self, query: str, *values: Any) -> Run | None:
        rows = self._rows(query, *values)
        return _run(rows[0]) if rows else None

    def _rows(self, query: str, *values: Any) -> list[sqlite3.Row]:
        with self._connect() as database:
            return database.execute(query, values).fetchall()

    @contextlib.contextmanager
    def _connect(self) -> Iterator[sqlite3.Connection]:
        """Open the database for one transaction: committed at the end, undone on an error."""
        database = sqlite3.connect(self.folder / "runs.sqlite", timeout=10)
        database.row_factory = sqlite3.Row
        try:
            database.execute("PRAGMA synchronous=NORMAL")  # in WAL mode no crash damages the file
            with database:
                yield database
        finally:
            database.close()


def _run(row: sqlite3.Row) -> Run:
    values = dict(row)
    values["config"] = RunConfig.from_json(values["config"])
    values["state"] = RunState(values["state"])
    facts = json.loads(values["facts"])
    values["facts"] = StartEvent(**facts) if facts else None
    return Run(**values)
