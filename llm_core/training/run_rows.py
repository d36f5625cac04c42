"""A training run as data, and how it lies in the database. Imports no torch."""

import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from enum import StrEnum
from typing import Any

from llm_core.training.config import RunConfig
from llm_core.training.curves import several_numbers
from llm_core.training.database import sealed, unsealed
from llm_core.training.events import AnswerEvent, EvalEvent, LayerEvent, SampleEvent, StartEvent
from llm_core.training.points import Point

# No column has a type: SQLite then keeps each value exactly as it is given, as checksums need.
TABLES = {
    "runs": "CREATE TABLE runs (id PRIMARY KEY, owner, title, config, state, reason, created,"
    " launched, pid, process_started, stop_requested, step, facts, seal)",
    "visitors": "CREATE TABLE visitors (owner PRIMARY KEY, seen, served, seal)",
    "points": "CREATE TABLE points (run, step, loss, learning_rate, gradient_norm,"
    " tokens_per_second, seconds, seal, PRIMARY KEY (run, step)) WITHOUT ROWID",
    "evaluations": "CREATE TABLE evaluations (run, step, loss, tokens, seal,"
    " PRIMARY KEY (run, step)) WITHOUT ROWID",
    "samples": "CREATE TABLE samples (run, step, prompt, text, seal,"
    " PRIMARY KEY (run, step)) WITHOUT ROWID",
    "layers": "CREATE TABLE layers (run, step, weights, updates, seal,"
    " PRIMARY KEY (run, step)) WITHOUT ROWID",
    "answers": "CREATE TABLE answers (run, step, answered, asked, text, seal,"
    " PRIMARY KEY (run, step)) WITHOUT ROWID",
    "notes": "CREATE TABLE notes (run PRIMARY KEY, note, seal)",
}
CURVES = ("points", "evaluations", "samples", "layers", "answers")
EVENT_OF: dict[str, Callable[[tuple[Any, ...]], Any]] = {  # a row's values, its run's id first
    "points": lambda row: Point(*row[1:]),
    "evaluations": lambda row: EvalEvent(*row[1:]),
    "samples": lambda row: SampleEvent(*row[1:]),
    "layers": lambda row: LayerEvent(row[1], *map(several_numbers, row[2:])),
    "answers": lambda row: AnswerEvent(*row[1:]),
}
VERSION = 3  # 2 lacked the last three tables; a file of an older version gets what it lacks


class RunState(StrEnum):
    """Where a run stands."""

    QUEUED = "queued"  # waits for a place
    STARTING = "starting"  # has a process
    RUNNING = "running"
    DONE = "done"
    STOPPED = "stopped"  # by its owner, or because a limit was reached
    INTERRUPTED = "interrupted"  # its server went away
    DIVERGED = "diverged"  # its loss ran away
    FAILED = "failed"


WORKING = (RunState.STARTING, RunState.RUNNING)
ACTIVE = (RunState.QUEUED, *WORKING)


@dataclass(frozen=True)
class Run:
    """One run as it stood when it was read. Times are seconds since 1970.

    `created` is when it was first made, `launched` when it last was queued, and then started.
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
    pid: int | None = None
    process_started: float | None = None
    stop_requested: float | None = None
    step: int = 0
    facts: StartEvent | None = None

    @property
    def active(self) -> bool:
        """Whether it waits for a process, or one is, or should be, at work on it."""
        return self.state in ACTIVE

    @property
    def working(self) -> bool:
        """Whether it takes one of the places for processes that train."""
        return self.state in WORKING and not self.config.tuned


def write_row(connection: Any, table: str, values: tuple[Any, ...]) -> None:
    """Add a row with its checksum, in place of the one of the same key if there is one."""
    row = sealed(values)
    places = ",".join("?" * len(row))
    if table == "runs":  # keep the row's place: it tells which of two runs came first
        names = ",".join(f"{field.name} = ?" for field in fields(Run))
        query = f"UPDATE runs SET {names}, seal = ? WHERE id = ?"
        if connection.execute(query, (*row, values[0])).rowcount:
            return
    connection.execute(f"INSERT OR REPLACE INTO {table} VALUES ({places})", row)


def read_visitor(connection: Any, owner: str) -> tuple[float, float]:
    rows = connection.execute("SELECT * FROM visitors WHERE owner = ?", (owner,)).fetchall()
    _, seen, served = unsealed(rows[0]) if rows else (owner, time.time(), 0.0)
    return seen, served


def read_run(connection: Any, run_id: str) -> Run | None:
    rows = connection.execute("SELECT * FROM runs WHERE id = ?", (run_id,)).fetchall()
    return run_of(rows[0]) if rows else None


def row_of(run: Run) -> tuple[Any, ...]:
    facts = "" if run.facts is None else json.dumps(asdict(run.facts))
    changed = {"config": run.config.to_json(), "state": str(run.state), "facts": facts}
    return tuple(changed.get(field.name, getattr(run, field.name)) for field in fields(Run))


def run_of(row: Any) -> Run:
    values = dict(zip((field.name for field in fields(Run)), unsealed(row), strict=True))
    values["config"] = RunConfig.from_json(values["config"])
    values["state"] = RunState(values["state"])
    values["facts"] = StartEvent(**json.loads(values["facts"])) if values["facts"] else None
    return Run(**values)


def curve_rows(connection: Any, table: str, run_id: str, after: int) -> list[tuple[Any, ...]]:
    query = f"SELECT * FROM {table} WHERE run = ? AND step > ? ORDER BY step"
    return [unsealed(row) for row in connection.execute(query, (run_id, after))]
