"""How faults of dependencies are undone and seen, as values that a ledger can keep."""

from pathlib import Path
from typing import Literal

from sloproof.chaos.ledger_value import LedgerValue


class LinksRestored(LedgerValue):
    """Put settings of links back.

    Args:
        control: base URL of the links' control port.
        settings: for each link, each setting's value before the fault.
        started_at: when that link process began, epoch seconds; a later one has lost the fault with its memory.
        allowed: targets beyond loopback that the workspace listed.
    """

    kind: Literal["links_restored"] = "links_restored"
    control: str
    settings: dict[str, dict[str, str]]
    started_at: float
    allowed: tuple[str, ...] = ()

    @property
    def place(self) -> str:
        """What a lab must still have for the fault to be in it."""
        return self.control


class DependencyAnswers(LedgerValue):
    """Let a dependency run and answer, with the restart delay it had before.

    Args:
        supervisor_socket: unix socket of the supervisord that keeps it.
        name: its program there.
        url: where it answers, in its own protocol.
        restart_delay_file: seconds that it sleeps at its next start.
        previous: what that file held before the fault; None when it did not exist.
        allowed: targets beyond loopback that the workspace listed.
    """

    kind: Literal["dependency_answers"] = "dependency_answers"
    supervisor_socket: Path
    name: str
    url: str
    restart_delay_file: Path
    previous: str | None
    allowed: tuple[str, ...] = ()

    @property
    def place(self) -> str:
        """What a lab must still have for the fault to be in it."""
        return str(self.supervisor_socket)


class StrainEnded(LedgerValue):
    """End the process that strains a dependency, and with it everything that it held.

    Args:
        supervisor_socket: unix socket of the supervisord that keeps it.
        program: its program there.
        orders: the file that told it what to do.
    """

    kind: Literal["strain_ended"] = "strain_ended"
    supervisor_socket: Path
    program: str
    orders: Path

    @property
    def place(self) -> str:
        """What a lab must still have for the fault to be in it."""
        return str(self.supervisor_socket)


class LinksSpoilt(LedgerValue):
    """The settings of each link are as set, and something was seen to pass under them.

    Args:
        control: base URL of the links' control port.
        settings: for each link, the settings that the fault gave it.
        counter: which count of a link shows the effect.
        before: that count of each link before the fault.
        allowed: targets beyond loopback that the workspace listed.
    """

    kind: Literal["links_spoilt"] = "links_spoilt"
    control: str
    settings: dict[str, dict[str, str]]
    counter: str
    before: dict[str, int]
    allowed: tuple[str, ...] = ()


class DependencyLost(LedgerValue):
    """The process of a dependency is gone and nothing answers in its place.

    Args:
        supervisor_socket: unix socket of the supervisord that keeps it.
        name: its program there.
        pid: the process that was ended.
        url: where it answered.
        allowed: targets beyond loopback that the workspace listed.
    """

    kind: Literal["dependency_lost"] = "dependency_lost"
    supervisor_socket: Path
    name: str
    pid: int
    url: str
    allowed: tuple[str, ...] = ()


class CacheEmptied(LedgerValue):
    """A cache has been flushed since the fault began.

    Args:
        name: the cache.
        url: where it answers.
        flushes: how many flushes it had counted before.
        keys: how many keys it held before.
        allowed: targets beyond loopback that the workspace listed.
    """

    kind: Literal["cache_emptied"] = "cache_emptied"
    name: str
    url: str
    flushes: int
    keys: int
    allowed: tuple[str, ...] = ()


class StrainFelt(LedgerValue):
    """The straining process holds what it was told to, and somebody had to wait or was refused.

    Args:
        supervisor_socket: unix socket of the supervisord that keeps it.
        program: its program there.
        report: the file in which it says what it holds.
    """

    kind: Literal["strain_felt"] = "strain_felt"
    supervisor_socket: Path
    program: str
    report: Path
