"""Every error sloproof raises on purpose, and the exit code each one ends a command with.

SloproofError                6   the tool or one of its parts failed
├── UsageError               2   the command or its arguments make no sense
├── DefinitionError          2   a definition does not load; carries every problem found
├── Undecided                3   no data, too little data, saturated generator, fault without effect
├── GuardStopped             4   a guard ended the run (budget, burn rate, steady state)
├── Refused                  5   a safety rule forbids it (target not listed, already running, ...)
├── PartFailed               6   a part (Prometheus, Envoy, Locust, ...) is missing or died
└── UndoFailed               7   a fault could not be undone; the ledger names it
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal


class SloproofError(Exception):
    """The root: a message without a full stop, and what to do about it.

    Args:
        message: what happened, with the offending literal in backticks.
        hint: what the reader can do next; may be empty.
    """

    exit_code: ClassVar[int] = 6

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(SloproofError):
    """The command or its arguments make no sense."""

    exit_code = 2


@dataclass(frozen=True, kw_only=True)
class Problem:
    """One thing wrong with a workspace, at a place a reader can open.

    Args:
        path: file, relative to the workspace's root; empty when it has no file.
        line: line in that file, from 1; 0 when unknown.
        name: the definition's name, or an empty string.
        what: the sentence, literals in backticks, no full stop.
        check: the check's id, such as `slo/unreachable-tier`.
        hint: what to do about it.
        severity: `problem` fails a check; `warning` is unwise, and fails only a strict one.
    """

    path: str
    line: int
    name: str
    what: str
    check: str
    hint: str = ""
    severity: Literal["problem", "warning"] = "problem"

    def __str__(self) -> str:
        place = f"{self.path}:{self.line}" if self.line else self.path
        kind = "warning:" if self.severity == "warning" else ""
        name = f"{self.name}:" if self.name else ""
        return " ".join(part for part in (place, kind, name, self.what, f"[{self.check}]") if part)


class DefinitionError(SloproofError):
    """Definitions that do not load, all of them at once.

    Args:
        problems: every problem found, in the order of files and lines.
    """

    exit_code = 2

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = tuple(problems)


class Undecided(SloproofError):
    """There is not enough evidence to pass or to fail."""

    exit_code = 3


class GuardStopped(SloproofError):
    """A guard ended the run before its time."""

    exit_code = 4


class Refused(SloproofError):
    """A safety rule forbids what was asked; nothing was sent."""

    exit_code = 5


class PartFailed(SloproofError):
    """A part of the tool or of the lab is missing, did not start, or died."""


class UndoFailed(SloproofError):
    """A fault could not be undone; the ledger names what is left."""

    exit_code = 7
