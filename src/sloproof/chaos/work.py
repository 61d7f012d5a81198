"""What a worker may be told to do, and what it tells, as values."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from sloproof.chaos.ledger_value import LedgerValue
from sloproof.chaos.process_identity import ProcessIdentity


class Report(LedgerValue):
    """What a worker writes into its file.

    Args:
        process: the worker, or the program that it became; it leads a session of its own.
        done: how many times it has done what it does over and over.
    """

    process: ProcessIdentity
    done: int = 0


class Work(LedgerValue):
    """What all orders have.

    Args:
        until: when the worker ends by itself, epoch seconds.
    """

    until: float


class KillAgain(Work):
    """Kill a supervised program over and over.

    Args:
        supervisor_socket: unix socket of its supervisord.
        name: the program.
        every: seconds between two kills.
    """

    kind: Literal["kill_again"] = "kill_again"
    supervisor_socket: Path
    name: str
    every: float


class VaryDelay(Work):
    """Set the length of an Envoy's delay anew, several times a second.

    Args:
        admin: base URL of its admin port.
        key: the runtime key of the length.
        shortest: milliseconds.
        longest: milliseconds.
        allowed: targets beyond loopback that the workspace lists.
    """

    kind: Literal["vary_delay"] = "vary_delay"
    admin: str
    key: str
    shortest: int
    longest: int
    allowed: tuple[str, ...] = ()


class BurnCPU(Work):
    """Keep CPUs busy.

    Args:
        cpus: which ones it may use.
        processes: how many compete there.
        stress_ng: the program that does it; None for our own.
    """

    kind: Literal["burn_cpu"] = "burn_cpu"
    cpus: tuple[int, ...]
    processes: int
    stress_ng: Path | None = None


class HoldMemory(Work):
    """Take memory and keep it in use.

    Args:
        bytes: how much.
        stress_ng: the program that does it; None for our own.
    """

    kind: Literal["hold_memory"] = "hold_memory"
    bytes: int
    stress_ng: Path | None = None


Order = Annotated[KillAgain | VaryDelay | BurnCPU | HoldMemory, Field(discriminator="kind")]
"""Everything that a worker can do."""
