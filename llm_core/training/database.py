"""One SQLite file that survives crashes, and does not pass off damage as data.

SQLite itself notices a broken structure, and no wrong bit inside a value. So every row ends with a
checksum of its values, the file carries the version of its tables, and a copy of the last state
that was known to be good lies beside it.
"""

import contextlib
import os
import sqlite3
import time
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

_BUSY_SECONDS = 10
_TABLES_QUERY = "SELECT name, sql FROM sqlite_master WHERE type = 'table'"


class RecordError(RuntimeError):
    """The record of the runs cannot be used at the moment; the sentence says why."""


class RecordDamagedError(RecordError):
    """The record is not what was written."""


class Database:
    """Opened anew for each transaction, so that any thread or process may use it.

    In WAL mode readers never wait for a writer.
    """

    def __init__(self, path: Path, tables: dict[str, str], version: int) -> None:
        """Take the statements that make the tables, by name. Nothing is opened yet."""
        self.path, self.tables, self.version = path, tables, version
        self.copy = path.with_suffix(".copy.sqlite")

    def create(self) -> None:
        """Make the file with empty tables, unless another process is quicker."""
        new = self.path.with_suffix(f".{os.getpid()}.new")
        new.unlink(missing_ok=True)
        with _translated():
            connection = sqlite3.connect(new)
            try:
                connection.execute("PRAGMA journal_mode=WAL")
                for statement in self.tables.values():
                    connection.execute(statement)
                connection.execute(f"PRAGMA user_version={self.version}")
            finally:
                connection.close()
        with contextlib.suppress(FileExistsError):
            os.link(new, self.path)
        new.unlink()

    def grow(self) -> None:
        """Add the tables that a file of an older version lacks: versions only ever add some."""
        if not (self.path.exists() and self.path.stat().st_size):
            return
        with contextlib.suppress(sqlite3.Error):  # what is wrong with it, `check` says
            connection = sqlite3.connect(self.path, timeout=_BUSY_SECONDS, isolation_level=None)
            with contextlib.closing(connection):
                connection.execute("BEGIN IMMEDIATE")
                version = connection.execute("PRAGMA user_version").fetchone()[0]
                known = dict(connection.execute(_TABLES_QUERY))
                if 0 < version < self.version and known.items() <= self.tables.items():
                    for name in self.tables.keys() - known.keys():
                        connection.execute(self.tables[name])
                    connection.execute(f"PRAGMA user_version={self.version}")
                connection.execute("COMMIT")

    def check(self) -> None:
        """Read the whole file; raise RecordDamagedError if anything in it is wrong."""
        with self.transaction() as connection:
            problems = connection.execute("PRAGMA integrity_check(1)").fetchone()[0]
            if problems != "ok":
                raise RecordDamagedError(f"The record of the runs is damaged: {problems}.")
            for table in self.tables:
                for row in connection.execute(f"SELECT * FROM {table}"):
                    unsealed(row)

    def keep_copy(self) -> None:
        """Write the state of now beside the file; call it when that is known to be good."""
        partial = self.copy.with_suffix(".partial")
        with self.transaction() as connection:
            partial.unlink(missing_ok=True)
            target = sqlite3.connect(partial)
            try:
                connection.backup(target)
                target.execute("PRAGMA journal_mode=DELETE")  # one file, nothing beside it
            finally:
                target.close()
        with partial.open("rb+") as file:
            os.fsync(file.fileno())
        partial.replace(self.copy)

    def go_back(self) -> bool:
        """Put the damaged file aside and the good copy in its place; False if none is good."""
        aside = self.path.with_suffix(f".damaged-{time.strftime('%Y%m%d-%H%M%S')}.sqlite")
        if self.path.exists():
            self.path.replace(aside)
        for suffix in ("-wal", "-shm"):
            Path(f"{self.path}{suffix}").unlink(missing_ok=True)
        with contextlib.suppress(RecordError):
            copy = Database(self.copy, self.tables, self.version)
            copy.grow()
            copy.check()
            self.path.write_bytes(self.copy.read_bytes())
            with contextlib.closing(sqlite3.connect(self.path)) as connection:
                connection.execute("PRAGMA journal_mode=WAL")
            return True
        return False

    @contextlib.contextmanager
    def transaction(self, *, write: bool = False) -> Iterator[Any]:
        """Open for one transaction: committed at the end, undone on an error.

        With `write`, nobody else writes between its first read and its end. Raises RecordError.
        """
        if not (self.path.exists() and self.path.stat().st_size):
            raise RecordDamagedError("The record of the runs is gone.")
        with _translated():
            connection = sqlite3.connect(
                self.path, timeout=_BUSY_SECONDS, isolation_level=None, cached_statements=16
            )
            connection.row_factory = sqlite3.Row
            try:
                self._check_version(connection)
                connection.execute("PRAGMA synchronous=NORMAL")  # in WAL mode no crash damages it
                connection.execute("BEGIN IMMEDIATE" if write else "BEGIN")
                try:
                    yield connection
                except BaseException:
                    with contextlib.suppress(sqlite3.Error):
                        connection.execute("ROLLBACK")
                    raise
                connection.execute("COMMIT")
            finally:
                connection.close()

    def _check_version(self, connection: sqlite3.Connection) -> None:
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        rows = connection.execute(_TABLES_QUERY)
        if version != self.version or dict(rows) != self.tables:
            raise RecordDamagedError("The record of the runs has other tables than it should.")


def sealed(values: Sequence[Any]) -> tuple[Any, ...]:
    """Return a row's values and their checksum."""
    return (*values, zlib.crc32(repr(tuple(values)).encode("utf-8", "surrogatepass")))


def unsealed(row: Sequence[Any]) -> tuple[Any, ...]:
    """Return a row's values without the checksum; RecordDamagedError if it does not fit."""
    values = tuple(row)
    if sealed(values[:-1]) != values:
        raise RecordDamagedError("The record of the runs is damaged: a value in it has changed.")
    return values[:-1]


@contextlib.contextmanager
def _translated() -> Iterator[None]:
    """Turn SQLite's errors into ours."""
    try:
        yield
    except sqlite3.OperationalError as error:
        text = str(error)
        if "locked" in text or "busy" in text:
            raise RecordError(
                "The record of the runs is held by another program: try again in a moment."
            ) from error
        if "full" in text or "disk I/O" in text or "readonly" in text or "unable to open" in text:
            raise RecordError(f"The record of the runs cannot be written: {text}.") from error
        raise RecordDamagedError(f"The record of the runs is damaged: {text}.") from error
    except (sqlite3.DatabaseError, UnicodeDecodeError, OverflowError) as error:
        raise RecordDamagedError(f"The record of the runs is damaged: {error}.") from error
