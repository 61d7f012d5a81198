"""Faults of systems that are no lab: a process by its pidfile or its command line, and an HTTP control endpoint."""

import re
from abc import abstractmethod
from datetime import timedelta
from pathlib import Path
from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from sloproof.chaos.control_endpoint import Call, Sign
from sloproof.chaos.faults import RESTART_GRACE, Fault
from sloproof.chaos.foreign_process import Wanted
from sloproof.definition import Length, format_duration

OUTSIDE_ACTIONS = "sloproof.chaos.extension.outside_actions"


class ProcessFault(Fault):
    """A fault of one process of this machine.

    Args:
        pidfile: absolute path of a file that holds its number; or
        pattern: regular expression that is found in the command line of one process only.
    """

    pidfile: Path | None = None
    pattern: str = ""
    actions: ClassVar[str] = OUTSIDE_ACTIONS

    @model_validator(mode="after")
    def _names_one(self) -> Self:
        if (self.pidfile is None) == (not self.pattern):
            raise ValueError("name the process by its `pidfile` or by a `pattern`, and not by both")
        if self.pidfile is not None and not self.pidfile.is_absolute():
            raise ValueError(f"the pidfile `{self.pidfile}` must be an absolute path")
        try:
            re.compile(self.pattern)
        except re.error as error:
            raise ValueError(f"`{self.pattern}` is no regular expression: {error}") from None
        return self

    @property
    def wanted(self) -> Wanted:
        """Which process is meant."""
        return Wanted(pidfile=self.pidfile, pattern=self.pattern)

    @property
    def place(self) -> str:
        """The process."""
        return f"process {self.wanted}"

    @property
    @abstractmethod
    def length(self) -> timedelta:
        """How long it lasts."""

    def arguments(self) -> dict[str, str | float]:
        """What names the process."""
        return {"pidfile": str(self.pidfile)} if self.pidfile else {"pattern": self.pattern}


class PauseProcess(ProcessFault):
    """SIGSTOP to one process of this user; SIGCONT lets it go on.

    Args:
        pidfile: absolute path of a file that holds its number; or
        pattern: regular expression that is found in the command line of one process only.
        lasts: how long it is stopped.
    """

    kind: Literal["pause-process"] = "pause-process"
    lasts: Length
    blast_radius: ClassVar[str] = "one process of the same user, on this machine"

    @property
    def length(self) -> timedelta:
        """How long it is stopped."""
        return self.lasts

    @property
    def action(self) -> str:
        """The extension's function."""
        return "pause_process"

    def arguments(self) -> dict[str, str | float]:
        """What names the process, and the length in seconds."""
        return {**super().arguments(), "lasts": self.lasts.total_seconds()}

    def describe(self) -> str:
        """What happens, in a sentence."""
        return f"pause the process {self.wanted} with SIGSTOP for {format_duration(self.lasts)}"


class KillProcess(ProcessFault):
    """SIGKILL to one process of this user; whoever keeps it has to start another one.

    Args:
        pidfile: absolute path of a file that holds its number; or
        pattern: regular expression that is found in the command line of one process only.
        back_after: when another one has to run at the latest.
    """

    kind: Literal["kill-process"] = "kill-process"
    back_after: Length
    grace: ClassVar[timedelta] = RESTART_GRACE
    waits: ClassVar[bool] = True
    blast_radius: ClassVar[str] = "one process of the same user, on this machine; it must have a supervisor"

    @property
    def length(self) -> timedelta:
        """How long its supervisor may take."""
        return self.back_after

    @property
    def action(self) -> str:
        """The extension's function."""
        return "kill_process"

    def arguments(self) -> dict[str, str | float]:
        """What names the process, and the seconds until another one has to run."""
        return {**super().arguments(), "back_after": self.back_after.total_seconds()}

    def describe(self) -> str:
        """What happens, in a sentence."""
        return f"kill the process {self.wanted}; another one has to run after {format_duration(self.back_after)}"


class CallEndpoint(Fault):
    """A fault that a system offers by itself: one HTTP call begins it, another one ends it.

    Args:
        name: what it does, such as `stop the consumer`.
        inject: the call that begins it.
        undo: the call that ends it; it must be safe to repeat.
        sign: what tells that it is there.
        lasts: how long it stays.
    """

    kind: Literal["call-endpoint"] = "call-endpoint"
    name: str = Field(min_length=1)
    inject: Call
    undo: Call
    sign: Sign
    lasts: Length
    actions: ClassVar[str] = OUTSIDE_ACTIONS
    blast_radius: ClassVar[str] = "whatever the endpoint does"

    @property
    def length(self) -> timedelta:
        """How long it lasts."""
        return self.lasts

    @property
    def place(self) -> str:
        """The endpoint."""
        return f"endpoint {self.inject.url}"

    @property
    def addresses(self) -> tuple[str, ...]:
        """Where its calls go, and the page of its sign."""
        return (self.inject.url, self.undo.url, self.sign.url)

    @property
    def action(self) -> str:
        """The extension's function."""
        return "call_endpoint"

    def arguments(self) -> dict[str, str | float]:
        """The calls and the sign as JSON, and the length in seconds."""
        calls = {"inject": self.inject, "undo": self.undo, "sign": self.sign}
        texts = {name: value.model_dump_json(exclude_defaults=True) for name, value in calls.items()}
        return {"name": self.name, **texts, "lasts": self.lasts.total_seconds()}

    def describe(self) -> str:
        """What happens, in a sentence."""
        return f"{self.name} by `{self.inject.method} {self.inject.url}` for {format_duration(self.lasts)}"
