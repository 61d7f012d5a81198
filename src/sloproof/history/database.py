"""The history's SQLite file: its schema by version, how it is opened, and what its errors mean."""

import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from sloproof.errors import PartFailed

APPLICATION = 0x510B0001
"""SQLite keeps it in the file's head: a file without it is not ours to change."""
BUSY = 30.0
"""Seconds to wait for another process that writes."""
_PAUSE = 0.05

MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        """CREATE TABLE runs (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            kind TEXT NOT NULL,
            name TEXT NOT NULL,
            system TEXT NOT NULL,
            started_at REAL NOT NULL,
            ended_at REAL NOT NULL,
            verdict TEXT NOT NULL,
            exit_code INTEGER NOT NULL,
            release TEXT NOT NULL,
            environment TEXT NOT NULL,
            partial INTEGER NOT NULL,
            folder TEXT NOT NULL,
            document TEXT NOT NULL,
            windows BLOB
        )""",
        "CREATE INDEX runs_by_name ON runs (kind, name, system, id)",
        """CREATE TABLE objectives (
            run INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
            stage TEXT NOT NULL,
            slo TEXT NOT NULL,
            verdict TEXT NOT NULL,
            bad REAL,
            total REAL,
            ratio REAL,
            lower REAL,
            upper REAL,
            effective_size REAL
        )""",
        "CREATE INDEX objectives_of_run ON objectives (run)",
        """CREATE TABLE pins (
            kind TEXT NOT NULL,
            name TEXT NOT NULL,
            system TEXT NOT NULL,
            run INTEGER NOT NULL REFERENCES runs (id),
            pinned_at REAL NOT NULL,
            PRIMARY KEY (kind, name, system)
        )""",
    ),
    (
        """CREATE TABLE deploys (
            system TEXT NOT NULL,
            release TEXT NOT NULL,
            at REAL NOT NULL,
            PRIMARY KEY (system, at, release)
        )""",
    ),
)
"""What takes the schema from each version to the next; entries are never changed, only added."""


def connect(path: Path, migrations: Sequence[Sequence[str]] = MIGRATIONS) -> sqlite3.Connection:
    """Open the history, make it where it is missing, and bring its schema up to date.

    Args:
        path: the file; its folder is made where it is missing.
        migrations: what this version knows; the schema's version is their number.

    Returns:
        A connection in autocommit, which waits for other writers.

    Raises:
        PartFailed: the file cannot be used, is none of ours, is damaged, or was written by a newer version. It is left
            as it was.
    """
    with explained(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(path, timeout=BUSY, isolation_level=None)
        try:
            _patiently(connection, path, migrations)
        except BaseException:
            connection.close()
            raise
    return connection


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """SQLite's errors in words.

    Raises:
        PartFailed: with what can be done about it.
    """
    try:
        yield
    except OSError as error:
        raise PartFailed(
            f"the history `{path}` cannot be used: {error.strerror}", hint="mend its place or its permissions"
        ) from error
    except sqlite3.OperationalError as error:
        raise PartFailed(f"the history `{path}` cannot be used: {error}", hint=_hint(error)) from error
    except sqlite3.DatabaseError as error:
        raise PartFailed(
            f"the history `{path}` is damaged: {error}",
            hint="nothing was changed; move it away with its `-wal` and `-shm`, or restore a copy",
        ) from error


@contextmanager
def writing(connection: sqlite3.Connection) -> Iterator[None]:
    """All of it or nothing; other writers wait."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        connection.rollback()
        raise
    connection.commit()


def _hint(error: sqlite3.OperationalError) -> str:
    if "locked" in str(error):
        return f"another process has held it for more than {BUSY:.0f} s"
    return "mend its place, its permissions or the space on its disk"


def _patiently(connection: sqlite3.Connection, path: Path, migrations: Sequence[Sequence[str]]) -> None:
    """SQLite does not wait where several processes turn a new file to its write-ahead log; so we do."""
    deadline = time.monotonic() + BUSY
    while True:
        try:
            _prepare(connection, path, migrations)
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() >= deadline:
                raise
            time.sleep(_PAUSE)


def _prepare(connection: sqlite3.Connection, path: Path, migrations: Sequence[Sequence[str]]) -> None:
    _refuse_strangers(connection, path, len(migrations))
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
    if _version(connection) < len(migrations):
        with writing(connection):
            for version in range(_version(connection), len(migrations)):  # read again: another process may have begun
                for statement in migrations[version]:
                    connection.execute(statement)
                connection.execute(f"PRAGMA user_version = {version + 1}")
            connection.execute(f"PRAGMA application_id = {APPLICATION}")


def _refuse_strangers(connection: sqlite3.Connection, path: Path, known: int) -> None:
    version = _version(connection)
    if version > known:
        raise PartFailed(
            f"the history `{path}` was written by a newer sloproof: its schema is {version}, this one knows {known}",
            hint="use that version, or move the file away and a new one begins; nothing was changed",
        )
    ours = int(connection.execute("PRAGMA application_id").fetchone()[0]) == APPLICATION
    tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    if tables and not ours:
        raise PartFailed(
            f"`{path}` is an SQLite file, but no history of sloproof", hint="move it away; nothing was changed"
        )


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])
