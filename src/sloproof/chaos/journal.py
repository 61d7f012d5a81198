"""The run's journal: one event a line, written as it happens, readable after a crash."""

import os
import time
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

EVENTS = "events.jsonl"

EventKind = Literal[
    "started",
    "injecting",
    "injected",
    "injection_failed",
    "verified",
    "not_verified",
    "undone",
    "undo_failed",
    "rejoined",
    "interrupted",
    "guard_stopped",
    "activity",
    "tolerance_missed",
    "tolerance_unclear",
    "finished",
]


class Event(BaseModel):
    """Something that happened in a run.

    Args:
        at: epoch seconds.
        kind: what happened.
        fault: the fault it is about, such as `1-kill-instance`; empty when it is about the run.
        detail: evidence or the reason, in plain words.
    """

    model_config = ConfigDict(frozen=True)

    at: float
    kind: EventKind
    fault: str = ""
    detail: str = ""


def record(run_folder: Path, kind: EventKind, *, fault: str = "", detail: str = "") -> Event:
    """Append an event to a run's journal.

    Args:
        run_folder: folder of the run; made when it does not exist.
        kind: what happened.
        fault: the fault it is about.
        detail: evidence or the reason, in plain words.

    Returns:
        The event, with its time.

    Raises:
        OSError: it could not be written.
    """
    event = Event(at=time.time(), kind=kind, fault=fault, detail=detail)
    run_folder.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(run_folder / EVENTS, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        size = os.fstat(descriptor).st_size
        torn = bool(size) and os.pread(descriptor, 1, size - 1) != b"\n"
        # One write to a file opened for appending is one line, whoever else is writing.
        os.write(descriptor, (b"\n" if torn else b"") + event.model_dump_json().encode() + b"\n")
    finally:
        os.close(descriptor)
    return event


def read_events(run_folder: Path) -> list[Event]:
    """Everything a run's journal says; a torn line is skipped.

    Args:
        run_folder: folder of the run.

    Returns:
        Events in the order written; none when there is no journal.
    """
    try:
        lines = (run_folder / EVENTS).read_bytes().splitlines()
    except FileNotFoundError:
        return []
    events = []
    for line in filter(None, lines):
        try:
            events.append(Event.model_validate_json(line))
        except ValidationError:
            continue
    return events
