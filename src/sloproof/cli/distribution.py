"""The processes of a load, as they are asked for on the command line."""

from typing import TYPE_CHECKING

from sloproof.cli import console
from sloproof.errors import UsageError

if TYPE_CHECKING:
    from sloproof.loadtests.distribution import Distribution

MASTER = "127.0.0.1:5557"
"""Where workers find their master where nobody says."""


def distribution_of(processes: int, expect_workers: int | None, master_bind: str) -> "Distribution | None":
    """The processes that send a load, or None for one.

    Args:
        processes: of this machine.
        expect_workers: how many others to wait for; None for none.
        master_bind: `host:port` that the master listens on for those.

    Raises:
        UsageError: both are asked for, or there cannot be so many.
    """
    from sloproof.loadtests.distribution import Distribution

    if expect_workers is None:
        return Distribution.here(processes)
    if processes > 1:
        raise UsageError(
            f"`{processes}` processes here and `{expect_workers}` elsewhere cannot be asked for at once",
            hint="start those of this machine with `sloproof load worker`, too",
        )
    distribution = Distribution.elsewhere(expect_workers, master_bind)
    console.say(f"waiting for {expect_workers} workers; start each: sloproof load worker --master {master_bind}")
    return distribution
