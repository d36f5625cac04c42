"""The record of training runs: one SQLite database that workers write and pages read.

Imports no torch. Each run also has a folder, with its checkpoints, its own text and `run.json`,
which says whose it is: should the database be lost, the runs are found again by their folders.
"""

import json
import os
import secrets
import shutil
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import astuple, replace
from pathlib import Path
from typing import Any

from llm_core.training.checkpoint_index import write_synced
from llm_core.training.config import RunConfig
from llm_core.training.curves import Curves, plain_values
from llm_core.training.database import Database, RecordDamagedError, unsealed
from llm_core.training.events import (
    AnswerEvent,
    EvalEvent,
    LayerEvent,
    SampleEvent,
    StartEvent,
)
from llm_core.training.points import Point
from llm_core.training.run_folders import run_of_folder
from llm_core.training.run_rows import (
    ACTIVE,
    CURVES,
    EVENT_OF,
    TABLES,
    VERSION,
    WORKING,
    Run,
    RunState,
    curve_rows,
    read_run,
    read_visitor,
    row_of,
    run_of,
    write_row,
)

__all__ = ["OWN_TEXT", "Run", "RunState", "RunStore", "data_folder"]

OWN_TEXT = "text.txt"  # the learner's own text, in the run's folder


def data_folder() -> Path:
    """Where runs are kept: $INSIDE_LLMS_DATA, or .inside-llms in the home folder."""
    return Path(os.environ.get("INSIDE_LLMS_DATA") or Path.home() / ".inside-llms")


class RunStore:
    """All runs below one folder: `runs.sqlite`, and a folder of checkpoints for each run.

    Every method raises RecordError while the database cannot be used.
    """

    def __init__(self, folder: Path) -> None:
        """Open the store, making folder and tables where there are none."""
        self.folder = folder
        self.note = ""  # what became of a damaged record
        folder.mkdir(parents=True, exist_ok=True)
        self.database = Database(folder / "runs.sqlite", TABLES, VERSION)
        self.database.grow()
        if not self.database.path.exists() and not any(folder.glob("runs/*")):
            self.database.create()

    def run_folder(self, run_id: str) -> Path:
        """Folder of the run's checkpoints, own text and log."""
        return self.folder / "runs" / run_id

    def create(self, config: RunConfig, *, owner: str, title: str, text: str | None = None) -> Run:
        """Queue a new run under an unguessable id; `text`, if any, is what it trains on."""
        run_id = secrets.token_urlsafe(16)
        folder = self.run_folder(run_id)
        folder.mkdir(parents=True)
        if text is not None:
            path = folder / OWN_TEXT
            path.write_text(text, encoding="utf-8", newline="\n")
            config = replace(config, corpus=None, text_path=str(path))
        now = time.time()
        run = Run(run_id, owner, title, config, RunState.QUEUED, "", now, now)
        self.insert(run)
        return run

    def insert(self, run: Run) -> None:
        """Record a run that has a folder already."""
        self._write_about(run)
        with self.database.transaction(write=True) as connection:
            write_row(connection, "runs", row_of(run))

    def _write_about(self, run: Run) -> None:
        about = {"id": run.id, "owner": run.owner, "title": run.title, "created": run.created}
        about["config"] = run.config.to_json()
        write_synced(self.run_folder(run.id) / "run.json", json.dumps(about).encode())

    def change_config(self, run_id: str, change: Callable[[RunConfig], RunConfig]) -> Run | None:
        """Put what `change` makes of a run's config in its place, and nobody else's in between."""
        with self.database.transaction(write=True) as connection:
            run = read_run(connection, run_id)
            if run is not None:
                run = replace(run, config=change(run.config))
                write_row(connection, "runs", row_of(run))
        if run is not None:
            self._write_about(run)
        return run

    def rename(self, run_id: str, title: str) -> None:
        """Give a run another title."""
        self._change(run_id, title=title)
        if run := self.get(run_id):
            self._write_about(run)

    def annotate(self, run_id: str, note: str) -> None:
        """Keep what its owner notes about a run; an empty note is none."""
        with self.database.transaction(write=True) as connection:
            write_row(connection, "notes", (run_id, note))

    def notes(self, run_ids: Iterable[str]) -> dict[str, str]:
        """Return the notes about these runs by id, of those that have one."""
        asked = list(run_ids)
        places = ",".join("?" * len(asked))
        with self.database.transaction() as connection:
            rows = connection.execute(f"SELECT * FROM notes WHERE run IN ({places})", asked)
            return {run: note for run, note in map(unsealed, rows) if note}

    def get(self, run_id: str) -> Run | None:
        """Return the run of that id, if there is one."""
        runs = self._runs("WHERE id = ?", run_id)
        return runs[0] if runs else None

    def latest(self, owner: str) -> Run | None:
        """Return the owner's newest run, if there is one."""
        runs = self.of_owner(owner)
        return runs[0] if runs else None

    def all(self) -> list[Run]:
        """Return all runs, oldest first."""
        return self._runs("ORDER BY created, rowid")

    def of_owner(self, owner: str) -> list[Run]:
        """Return the owner's runs, newest first."""
        return self._runs("WHERE owner = ? ORDER BY created DESC, rowid DESC", owner)

    def active(self) -> list[Run]:
        """Return the runs that wait or should have a process, oldest first."""
        return self._runs("WHERE state IN (?, ?, ?) ORDER BY created, rowid", *ACTIVE)

    def claim(self, run_id: str, most: int) -> bool:
        """Take a queued run out of the queue to start it; False if `most` are at work already."""
        with self.database.transaction(write=True) as connection:
            rows = connection.execute("SELECT * FROM runs WHERE state IN (?, ?)", WORKING)
            working = sum(run_of(row).working for row in rows.fetchall())
            run = read_run(connection, run_id)
            if working >= most or run is None or run.state is not RunState.QUEUED:
                return False
            now = time.time()
            run = replace(run, state=RunState.STARTING, launched=now, pid=None)
            write_row(connection, "runs", row_of(run))
            seen, served = read_visitor(connection, run.owner)
            write_row(connection, "visitors", (run.owner, seen, max(served + 1e-6, now)))
        return True

    def restart(self, run_id: str) -> None:
        """Queue an ended run once more; its curves are kept."""
        self._change(
            run_id,
            state=RunState.QUEUED,
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
        with self.database.transaction(write=True) as connection:
            run = read_run(connection, run_id)
            if run and run.stop_requested is None:
                write_row(connection, "runs", row_of(replace(run, stop_requested=time.time())))

    def stop_requested(self, run_id: str) -> bool:
        """Whether somebody asked the run to stop; also if it is there no more."""
        run = self.get(run_id)
        return run is None or run.stop_requested is not None

    def record_start(self, run_id: str, event: StartEvent) -> None:
        """Keep the facts of a ready worker; drop what lies after the step it starts from."""
        with self.database.transaction(write=True) as connection:
            for table in CURVES:
                connection.execute(
                    f"DELETE FROM {table} WHERE run = ? AND step > ?", (run_id, event.step)
                )
            if run := read_run(connection, run_id):
                run = replace(run, state=RunState.RUNNING, step=event.step, facts=event)
                write_row(connection, "runs", row_of(run))

    def record_point(self, run_id: str, point: Point) -> None:
        """Add a point to the training curve."""
        with self.database.transaction(write=True) as connection:
            if run := read_run(connection, run_id):
                write_row(connection, "points", (run_id, *astuple(point)))
                write_row(connection, "runs", row_of(replace(run, step=point.step)))

    def record_evaluation(self, run_id: str, event: EvalEvent) -> None:
        """Add a validation loss."""
        with self.database.transaction(write=True) as connection:
            write_row(connection, "evaluations", (run_id, *astuple(event)))

    def record_sample(self, run_id: str, event: SampleEvent) -> None:
        """Add what the model wrote."""
        with self.database.transaction(write=True) as connection:
            write_row(connection, "samples", (run_id, event.step, event.prompt, event.text))

    def record_measured(self, run_id: str, event: LayerEvent | AnswerEvent) -> None:
        """Add what was measured of the layers, or of a toy task's answers."""
        table = "layers" if isinstance(event, LayerEvent) else "answers"
        with self.database.transaction(write=True) as connection:
            write_row(connection, table, (run_id, *plain_values(event)))

    def finish(self, run_id: str, state: RunState, reason: str = "") -> bool:
        """End an active run; False if it had ended before (the first end stands)."""
        with self.database.transaction(write=True) as connection:
            run = read_run(connection, run_id)
            if run is None or not run.active:
                return False
            write_row(connection, "runs", row_of(replace(run, state=state, reason=reason)))
        return True

    def delete(self, run_id: str) -> None:
        """Remove a run with all that belongs to it."""
        with self.database.transaction(write=True) as connection:
            for table in CURVES:
                connection.execute(f"DELETE FROM {table} WHERE run = ?", (run_id,))
            connection.execute("DELETE FROM notes WHERE run = ?", (run_id,))
            connection.execute("DELETE FROM runs WHERE id = ?", (run_id,))
        shutil.rmtree(self.run_folder(run_id), ignore_errors=True)

    def points(self, run_id: str, *, after: int = -1) -> list[Point]:
        """The training curve, by step, from the first step after `after` on."""
        return list(map(EVENT_OF["points"], self._curve("points", run_id, after)))

    def evaluations(self, run_id: str) -> list[EvalEvent]:
        """The validation losses, by step."""
        return list(map(EVENT_OF["evaluations"], self._curve("evaluations", run_id)))

    def samples(self, run_id: str) -> list[SampleEvent]:
        """What the model wrote, by step."""
        return list(map(EVENT_OF["samples"], self._curve("samples", run_id)))

    def layers(self, run_id: str, *, after: int = -1) -> list[LayerEvent]:
        """How large the layers are and how far they move, by step, from after `after` on."""
        return list(map(EVENT_OF["layers"], self._curve("layers", run_id, after)))

    def answers(self, run_id: str) -> list[AnswerEvent]:
        """How a toy task's held-out questions were answered, by step."""
        return list(map(EVENT_OF["answers"], self._curve("answers", run_id)))

    def curves(self, run_id: str) -> Curves:
        """All that was measured of the run."""
        return self.news(run_id, {})

    def news(self, run_id: str, after: Mapping[str, int]) -> Curves:
        """Return what was measured of the run later than the step `after` names for each curve."""
        with self.database.transaction() as connection:
            rows = {
                name: curve_rows(connection, name, run_id, after.get(name, -1)) for name in CURVES
            }
        return Curves(**{name: list(map(EVENT_OF[name], found)) for name, found in rows.items()})

    def add_curves(self, run_id: str, curves: Curves) -> None:
        """Add all that was measured of a run that comes from elsewhere."""
        with self.database.transaction(write=True) as connection:
            for table in CURVES:
                for row in getattr(curves, table):
                    write_row(connection, table, (run_id, *plain_values(row)))

    def see(self, owner: str) -> None:
        """Note that a visitor is there."""
        with self.database.transaction(write=True) as connection:
            _, served = read_visitor(connection, owner)
            write_row(connection, "visitors", (owner, time.time(), served))

    def visitors(self) -> Mapping[str, tuple[float, float]]:
        """Return for each visitor when they were last seen, and last had a run started."""
        with self.database.transaction() as connection:
            rows = map(unsealed, connection.execute("SELECT * FROM visitors").fetchall())
            return {owner: (seen, served) for owner, seen, served in rows}

    def check_or_repair(self) -> None:
        """Read all of the record. If it is damaged, go back to the last good one; `note` says so.

        Runs that this one does not know are found again by their folders. Whatever is good is
        copied, to be the one to go back to.
        """
        try:
            self.database.check()
        except RecordDamagedError as error:
            if not self.database.go_back():
                self.database.create()
            found = self._find_again()
            self.note = (
                f"{error} The last good copy took its place: curves may lack their last minutes."
                + (f" {found} runs were found again by their folders." if found else "")
            )
        self.database.keep_copy()

    def _find_again(self) -> int:
        """Record the runs whose folders are there and whose rows are not, and vice versa."""
        known = {run.id for run in self.all()}
        found = 0
        for path in self.folder.glob("runs/*/run.json"):
            run = run_of_folder(path)
            if run is not None and run.id not in known:
                self.insert(run)
                found += 1
        for run_id in known:
            if not self.run_folder(run_id).is_dir():
                self.delete(run_id)
        return found

    def _change(self, run_id: str, **columns: Any) -> None:
        with self.database.transaction(write=True) as connection:
            if run := read_run(connection, run_id):
                write_row(connection, "runs", row_of(replace(run, **columns)))

    def _runs(self, condition: str, *values: Any) -> list[Run]:
        with self.database.transaction() as connection:
            rows = connection.execute(f"SELECT * FROM runs {condition}", values).fetchall()
        return [run_of(row) for row in rows]

    def _curve(self, table: str, run_id: str, after: int = -1) -> list[tuple[Any, ...]]:
        with self.database.transaction() as connection:
            return curve_rows(connection, table, run_id, after)
