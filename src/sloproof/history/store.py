"""The history of a workspace: runs are added when they end, and one of each name can be pinned as the baseline."""

import sqlite3
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from pydantic import ValidationError

from sloproof.definition import in_a_line
from sloproof.errors import PartFailed, UsageError
from sloproof.history.database import connect, explained, writing
from sloproof.history.past_run import PastDeploy, PastRun, Windows
from sloproof.verdict.heat_map import PastDecision

HISTORY_FILE = "history.db"
"""In the workspace's state folder."""

_COLUMNS = "runs.id, runs.document"
_NEWEST_FIRST = "ORDER BY runs.id DESC"


class History:
    """Past runs in one file; several processes may use it at once.

    Args:
        connection: as `database.connect` opens it.
        path: the file, for messages.
    """

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self._connection = connection
        self._path = path

    @classmethod
    def open(cls, path: Path) -> Self:
        """Open a history; it is made where it is missing.

        Raises:
            PartFailed: it cannot be used, is damaged, or was written by a newer version; it is left as it was.
        """
        return cls(connect(path), path)

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def record(self, run: PastRun, windows: Windows | None = None) -> PastRun:
        """Add a run that is over; it is on the disk when this returns.

        Args:
            run: the run; its `id` is given here.
            windows: its figures by time, where a load was run.

        Returns:
            The run with its number.

        Raises:
            PartFailed: it could not be written; nothing of it was.
        """
        row = (
            run.kind, run.name, run.system, run.started_at, run.ended_at, run.verdict.value, run.exit_code,
            run.release, run.environment, run.partial, run.folder, run.model_dump_json(exclude={"id"}),
            windows.packed() if windows is not None else None,
        )  # fmt: skip
        with explained(self._path):
            self._refuse_damage()
            with writing(self._connection):
                number = self._connection.execute(f"INSERT INTO runs VALUES (NULL{', ?' * len(row)})", row).lastrowid
                self._connection.executemany(
                    "INSERT INTO objectives VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    [
                        (number, one.stage, one.slo, one.verdict.value, one.bad, one.total, one.ratio, one.lower,
                         one.upper, one.effective_size)
                        for one in run.objectives
                    ],
                )  # fmt: skip
        return run.model_copy(update={"id": number})

    def run(self, number: int) -> PastRun:
        """The run of a number.

        Raises:
            UsageError: there is none.
            PartFailed: the history is damaged.
        """
        found = self._found(f"SELECT {_COLUMNS} FROM runs WHERE id = ?", number)
        if not found:
            raise UsageError(f"there is no run `{number}` in the history", hint="`sloproof history` lists them")
        return found[0]

    def windows(self, number: int) -> Windows | None:
        """The windows of a run; None where none were kept.

        Raises:
            PartFailed: they are damaged.
        """
        with explained(self._path):
            row = self._connection.execute("SELECT windows FROM runs WHERE id = ?", (number,)).fetchone()
        if row is None or row[0] is None:
            return None
        try:
            return Windows.unpacked(row[0])
        except (ValidationError, ValueError) as error:
            raise self._damaged(number, error) from error

    def runs(
        self,
        *,
        kind: str | None = None,
        name: str | None = None,
        system: str | None = None,
        release: str | None = None,
        limit: int = 20,
    ) -> list[PastRun]:
        """The newest runs, newest first.

        Args:
            kind: only runs of this kind, such as `load`.
            name: only runs of this name.
            system: only runs against this system.
            release: only runs of this release.
            limit: at most so many.
        """
        wanted = {"kind": kind, "name": name, "system": system, "release": release}
        given = {column: value for column, value in wanted.items() if value is not None}
        where = " AND ".join(f"{column} = ?" for column in given) or "1"
        return self._found(f"SELECT {_COLUMNS} FROM runs WHERE {where} {_NEWEST_FIRST} LIMIT ?", *given.values(), limit)

    def decisions(
        self, *, gate: str | None = None, system: str | None = None, limit: int = 2_000
    ) -> list[PastDecision]:
        """What gates decided, newest first.

        Args:
            gate: only this gate.
            system: only gates of this system.
            limit: at most so many.
        """
        return [_decision(run) for run in self.runs(kind="gate", name=gate, system=system, limit=limit)]

    def record_deploy(self, deploy: PastDeploy) -> None:
        """Add a deploy; the same one twice is one.

        Raises:
            PartFailed: it could not be written.
        """
        with explained(self._path), writing(self._connection):
            self._connection.execute(
                "INSERT OR IGNORE INTO deploys VALUES (?, ?, ?)", (deploy.system, deploy.release, deploy.at)
            )

    def deploys(self, system: str, start: float, end: float) -> list[PastDeploy]:
        """The deploys of a system in a stretch of time, in order; epoch seconds, both ends included."""
        query = "SELECT system, release, at FROM deploys WHERE system = ? AND at BETWEEN ? AND ? ORDER BY at, release"
        with explained(self._path):
            rows = self._connection.execute(query, (system, start, end)).fetchall()
        return [PastDeploy(system=system, release=release, at=at) for system, release, at in rows]

    def latest(self, kind: str, name: str, system: str) -> PastRun | None:
        """The newest run of a kind and name against a system, whatever its verdict; None without one."""
        return next(iter(self.runs(kind=kind, name=name, system=system, limit=1)), None)

    def pin(self, number: int) -> PastRun:
        """Make a run the baseline of its kind, name and system; an earlier pin of those is replaced.

        Raises:
            UsageError: there is no such run.
        """
        run = self.run(number)
        row = (run.kind, run.name, run.system, run.id, time.time())
        with explained(self._path), writing(self._connection):
            self._connection.execute("INSERT OR REPLACE INTO pins VALUES (?, ?, ?, ?, ?)", row)
        return run

    def unpin(self, number: int) -> bool:
        """Whether the run was a baseline until now."""
        with explained(self._path), writing(self._connection):
            return self._connection.execute("DELETE FROM pins WHERE run = ?", (number,)).rowcount > 0

    def baseline(self, name: str, system: str, kind: str = "load") -> PastRun | None:
        """The pinned run of a name against a system; None where none is pinned."""
        pinned = "JOIN pins ON pins.run = runs.id WHERE pins.kind = ? AND pins.name = ? AND pins.system = ?"
        return next(iter(self._found(f"SELECT {_COLUMNS} FROM runs {pinned}", kind, name, system)), None)

    def pinned(self) -> frozenset[int]:
        """The numbers of all runs that are baselines."""
        with explained(self._path):
            return frozenset(int(row[0]) for row in self._connection.execute("SELECT run FROM pins"))

    def _found(self, query: str, *values: object) -> list[PastRun]:
        with explained(self._path):
            rows = self._connection.execute(query, values).fetchall()
        return [self._read(number, document) for number, document in rows]

    def _read(self, number: int, document: str) -> PastRun:
        try:
            return PastRun.model_validate_json(document).model_copy(update={"id": number})
        except ValidationError as error:
            raise self._damaged(number, error) from error

    def _refuse_damage(self) -> None:
        """Writing into a damaged file would spoil what can still be read of it."""
        found = self._connection.execute("PRAGMA quick_check(1)").fetchone()[0]
        if found != "ok":
            raise sqlite3.DatabaseError(found)

    def _damaged(self, number: int, error: Exception) -> PartFailed:
        return PartFailed(
            f"run `{number}` of the history `{self._path}` cannot be read: {in_a_line(error)}",
            hint="nothing was changed; move the file away and a new one begins, or restore a copy",
        )


def _decision(run: PastRun) -> PastDecision:
    return PastDecision(
        gate=run.name,
        system=run.system,
        release=run.release,
        at=run.ended_at,
        number=run.id,
        verdict=run.verdict,
        headline=next(iter(run.notes), ""),
        parts=tuple((one.requirement, one.verdict) for one in run.findings),
    )
