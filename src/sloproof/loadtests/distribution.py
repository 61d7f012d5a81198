"""How a load is spread over several processes: one master that counts, and workers that send."""

from pydantic import BaseModel

from sloproof.errors import UsageError
from sloproof.loadtests.result import RunTotals
from sloproof.loadtests.second import Second

LOOPBACK = "127.0.0.1"
MOST_WORKERS = 64
"""Processes of one load on one machine; more are a slip of the pen."""
TIME_FOR_LOCAL_WORKERS = 60.0
"""Seconds within which workers that were just started here must have come."""
TIME_FOR_OUTSIDE_WORKERS = 300.0
"""Seconds within which workers that somebody starts elsewhere must have come."""
HIGHEST_PORT = 65_535


class Distribution(BaseModel):
    """The processes of one load.

    Args:
        workers: how many send; the load begins when all of them are there.
        host: address that the master listens on.
        port: of the master; 0 takes a free one.
        outside: whether somebody else starts the workers, with `sloproof load worker`.
    """

    workers: int
    host: str = LOOPBACK
    port: int = 0
    outside: bool = False

    @property
    def address(self) -> str:
        """`host:port` of the master."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def patience(self) -> float:
        """Seconds that the master waits for its workers."""
        return TIME_FOR_OUTSIDE_WORKERS if self.outside else TIME_FOR_LOCAL_WORKERS

    @classmethod
    def here(cls, processes: int) -> "Distribution | None":
        """Workers on this machine, started by the master; None for one process, which needs no master.

        Raises:
            UsageError: there cannot be so many.
        """
        if not 1 <= processes <= MOST_WORKERS:
            raise UsageError(
                f"`{processes}` processes cannot run a load", hint=f"give a number from 1 to {MOST_WORKERS}"
            )
        return None if processes == 1 else cls(workers=processes)

    @classmethod
    def elsewhere(cls, workers: int, bind: str) -> "Distribution":
        """Workers that somebody starts elsewhere.

        Args:
            workers: how many to wait for.
            bind: `host:port` that the master listens on.

        Raises:
            UsageError: there cannot be so many, or the address is none.
        """
        if workers < 1:
            raise UsageError(f"`{workers}` workers cannot run a load", hint="expect at least 1")
        host, port = host_and_port(bind)
        return cls(workers=workers, host=host, port=port, outside=True)


def host_and_port(address: str) -> tuple[str, int]:
    """The two parts of `host:port`; an IPv6 address stands in brackets and comes without them.

    Raises:
        UsageError: the address has no host or no port.
    """
    host, _, port = address.rpartition(":")
    if not host or not port.isascii() or not port.isdigit() or not 0 < int(port) <= HIGHEST_PORT:
        raise UsageError(f"`{address}` is no address of a master", hint="write it as `127.0.0.1:5557`")
    return host.removeprefix("[").removesuffix("]"), int(port)


class WorkerReport(BaseModel):
    """What a worker tells its master, about once a second and at its end.

    Args:
        seconds: those that were closed since the last report; each is told once.
        clock: epoch second at which it was sent, by the worker's clock.
        totals: what only the end knows; None before.
    """

    seconds: list[Second] = []
    clock: float
    totals: RunTotals | None = None


PLAN = "sloproof_plan"
"""Message of a worker to be: tell me the plan; and of the master: here it is."""
SHARE = "sloproof_share"
"""Message of the master before the first user starts: which worker of how many this one is."""
HURRY = "sloproof_hurry"
"""Message of the master: seconds that requests in flight may still take."""
REPORT = "sloproof_report"
"""Message of a worker: a `WorkerReport`."""
