"""The undo ledger: what was broken and how it is put back, on disk before anything is broken.

Append-only JSON lines. Each append is written, flushed and fsynced under a lock. A last line torn
by a crash is skipped: nothing is injected before its line is whole, and an undo whose line is
torn is done once more.
"""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from sloproof.chaos.file_lock import lock
from sloproof.chaos.process_identity import ProcessIdentity
from sloproof.chaos.undo_step import Effect, UndoStep
from sloproof.errors import PartFailed

APPEND_TIMEOUT = 10.0
TURN_TIMEOUT = 60.0
"""Seconds; longer than the longest undo, which starts an instance and waits until it answers."""


class _Line(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    at: float = Field(default_factory=time.time)


class Entry(_Line):
    """A fault that is about to be injected.

    Args:
        at: when the line was written, epoch seconds.
        id: unique in the ledger.
        run: folder of the run.
        system: the system it breaks.
        lab_file: state file of the lab it breaks.
        fault: what the run's journal calls it.
        description: one plain sentence.
        undo: how it is put back.
        effect: how its effect is seen.
        deadline: epoch seconds after which the watchdog puts it back.
        owner: the process that injects it.
    """

    line: Literal["opened"] = "opened"
    id: str
    run: Path
    system: str
    lab_file: Path
    fault: str
    description: str
    undo: UndoStep
    effect: Effect
    deadline: float
    owner: ProcessIdentity


class Note(_Line):
    """What became of an entry.

    Args:
        at: when the line was written, epoch seconds.
        id: the entry.
        line: what happened.
        detail: evidence, or the reason.
    """

    line: Literal["injected", "verified", "undone", "undo_failed"]
    id: str
    detail: str = ""


class Closed(_Line):
    """A run that may inject nothing more.

    Args:
        at: when the line was written, epoch seconds.
        run: folder of the run.
        reason: why.
    """

    line: Literal["run_closed"] = "run_closed"
    run: Path
    reason: str


_LINE: TypeAdapter[Entry | Note | Closed] = TypeAdapter(Annotated[Entry | Note | Closed, Field(discriminator="line")])


class Contents(BaseModel):
    """Everything a ledger says.

    Args:
        entries: every fault ever opened, in order.
        notes: what became of them, in order.
        closed: folders of the runs that may inject nothing more.
        unreadable: lines that were torn or damaged.
    """

    entries: tuple[Entry, ...] = ()
    notes: tuple[Note, ...] = ()
    closed: frozenset[Path] = frozenset()
    unreadable: int = 0

    def open_entries(self, run: Path | None = None) -> list[Entry]:
        """The faults that nobody has put back, in the order of their injection.

        Args:
            run: only those of this run.
        """
        undone = {note.id for note in self.notes if note.line == "undone"}
        return [entry for entry in self.entries if entry.id not in undone and run in (None, entry.run)]

    def has(self, entry: Entry, line: str) -> bool:
        """Whether an entry carries a note of this kind."""
        return any(note.id == entry.id and note.line == line for note in self.notes)


class Ledger:
    """The ledger of a workspace.

    Args:
        path: `.sloproof/ledger.jsonl` of the workspace; it need not exist.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def open(self, entry: Entry) -> None:
        """Put a fault on disk before it is injected.

        Args:
            entry: the fault and its undo.

        Raises:
            PartFailed: it could not be written; nothing may be injected then.
        """
        self._append(entry)

    def note(self, entry: Entry, line: Literal["injected", "verified", "undone", "undo_failed"], detail: str) -> None:
        """Say what became of an entry.

        Args:
            entry: the fault.
            line: what happened.
            detail: evidence, or the reason.

        Raises:
            PartFailed: it could not be written.
        """
        self._append(Note(id=entry.id, line=line, detail=detail))

    def close_run(self, run: Path, reason: str) -> None:
        """Say that a run may inject nothing more.

        Args:
            run: folder of the run.
            reason: why.

        Raises:
            PartFailed: it could not be written.
        """
        self._append(Closed(run=run, reason=reason))

    def read(self) -> Contents:
        """Everything the ledger says; empty when there is none."""
        try:
            lines = self.path.read_bytes().splitlines()
        except FileNotFoundError:
            return Contents()
        parsed, unreadable = [], 0
        for line in filter(None, lines):
            try:
                parsed.append(_LINE.validate_json(line))
            except ValidationError:
                unreadable += 1
        return Contents(
            entries=tuple(line for line in parsed if isinstance(line, Entry)),
            notes=tuple(line for line in parsed if isinstance(line, Note)),
            closed=frozenset(line.run for line in parsed if isinstance(line, Closed)),
            unreadable=unreadable,
        )

    def open_entries(self, run: Path | None = None) -> list[Entry]:
        """The faults that nobody has put back, in the order of their injection.

        Args:
            run: only those of this run.
        """
        return self.read().open_entries(run)

    @contextmanager
    def turn(self, *, timeout: float = TURN_TIMEOUT) -> Iterator[None]:
        """Hold the right to inject or to undo; one process has it at a time, and loses it when it dies.

        Args:
            timeout: seconds to wait for it.

        Raises:
            PartFailed: another process held it the whole time.
        """
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.with_suffix(".turn").open("ab") as file:
            if not lock(file, timeout=timeout):
                raise PartFailed(f"another process has held `{file.name}` for {timeout:g} s")
            yield

    def _append(self, line: Entry | Note | Closed) -> None:
        try:
            self._write(line.model_dump_json().encode() + b"\n")
        except OSError as error:
            raise PartFailed(f"cannot write the undo ledger `{self.path}`: {error.strerror}") from error

    def _write(self, text: bytes) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        created = not self.path.exists()
        with self.path.open("a+b", buffering=0) as file:
            if not lock(file, timeout=APPEND_TIMEOUT):
                raise PartFailed(f"another process has held `{self.path}` for {APPEND_TIMEOUT:g} s")
            size = file.seek(0, os.SEEK_END)
            try:
                self._write_whole(file.fileno(), _after_torn_line(file.fileno(), size) + text)
            except OSError:
                os.ftruncate(file.fileno(), size)
                raise
            os.fsync(file.fileno())
        if created:
            _sync_folder(self.path.parent)

    @staticmethod
    def _write_whole(descriptor: int, text: bytes) -> None:
        while text:
            text = text[os.write(descriptor, text) :]


def ledger_beside(lab_file: Path) -> Path:
    """The ledger of the workspace that a lab's state file belongs to.

    Args:
        lab_file: `<workspace>/.sloproof/lab/<system>/lab.json`.
    """
    return lab_file.resolve().parents[2] / "ledger.jsonl"


def _after_torn_line(descriptor: int, size: int) -> bytes:
    return b"\n" if size and os.pread(descriptor, 1, size - 1) != b"\n" else b""


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
