"""The lab: a reference system as real processes on loopback, watched by a real Prometheus.

Importing this room is cheap; what a lab needs is imported when one is asked for.
"""

from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sloproof.lab.state import LabState, LabStatus

__all__ = ["down", "status", "up"]


def _quiet(_: str) -> None:
    """Say nothing."""


def up(
    system: str,
    *,
    folder: Path,
    generated: Callable[[str], Mapping[str, str]],
    scale: int = 1,
    scrape_interval: timedelta,
    evaluation_interval: timedelta,
    lifetime: timedelta | None,
    owner_pid: int | None = None,
    traces: bool = False,
    parts: Path | None = None,
    say: Callable[[str], None] = _quiet,
) -> "LabState":
    """Start a lab and wait until all of it works; whatever goes wrong, nothing of it is left running.

    Args:
        system: the reference system, such as `tasks`.
        folder: where its state, logs and evidence go; what an earlier lab left there is replaced.
        generated: given the URL that Alertmanager must post to, returns the text of each file for
            `<folder>/generated/`: `rules/*.yaml` for Prometheus and `alertmanager.yaml`.
        scale: the factor that the rules' windows were divided by.
        scrape_interval: time between two scrapes.
        evaluation_interval: time between two evaluations of rules that do not say their own.
        lifetime: after this the lab ends by itself; None for never.
        owner_pid: the lab ends with this process, even when that is killed; None for no owner.
        parts: folder in which the binaries of the parts are looked for first; None for only the usual places.
        traces: the instances write OpenTelemetry spans to `<folder>/traces/*.jsonl`.
        say: told in one line what happens.

    Returns:
        The state of the lab, as `load_state` reads it from then on.

    Raises:
        UsageError: there is no such system.
        Refused: a lab is already up in this folder, or is being started.
        PartFailed: a part is missing, did not start, or found its port taken.
    """
    from sloproof.lab import bring_up
    from sloproof.lab.monitoring import Clockwork

    clockwork = Clockwork(scale=scale, scrape_interval=scrape_interval, evaluation_interval=evaluation_interval)
    order = bring_up.Order(
        system=system,
        folder=folder.absolute(),
        generated=generated,
        clockwork=clockwork,
        lifetime=lifetime,
        owner_pid=owner_pid,
        traces=traces,
        parts=parts,
    )
    return bring_up.up(order, say)


def status(folder: Path) -> "LabStatus | None":
    """The lab of a folder as it is now; each part is asked over HTTP.

    Args:
        folder: the lab's folder.

    Returns:
        None when no lab is up; a status marked `stale` when one was killed and not cleaned up after.
    """
    from sloproof.lab import health

    return health.status(folder)


def down(folder: Path, say: Callable[[str], None] = _quiet) -> bool:
    """End the lab of a folder: every process, socket and temporary folder of it, and nothing else.

    Logs, notifications and Prometheus' data stay in the folder until the next `up`.

    Args:
        folder: the lab's folder.
        say: told in one line what happens.

    Returns:
        True when there was a lab to end; False when there was none, so that it is safe to repeat.
    """
    from sloproof.lab import take_down

    return take_down.down(folder, say)
