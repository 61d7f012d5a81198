"""Every run goes into the history when it ends; a history that cannot be written takes no verdict away."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sloproof.cli import console
from sloproof.errors import PartFailed

if TYPE_CHECKING:
    from sloproof.chaos.stage import Stage
    from sloproof.history import PastRun, Windows


@dataclass(frozen=True, kw_only=True)
class Remembered:
    """What a run is remembered as.

    Args:
        history: the history's file.
        kind: `load`, `chaos`, ...
        name: the profile's or experiment's name.
        system: the system under test.
        release: what is tested.
        environment: where it runs.
    """

    history: Path
    kind: str
    name: str
    system: str
    release: str = ""
    environment: str = "lab"


def remember(
    stages: "Sequence[Stage]",
    remembered: Remembered,
    folder: Path,
    *,
    exit_code: int,
    versions: dict[str, str],
) -> "PastRun | None":
    """Record a run that came to its end.

    Args:
        stages: its parts.
        remembered: what it is remembered as.
        folder: its records.
        exit_code: what the command ends with.
        versions: names and versions.

    Returns:
        The run with its number; None where the history could not be written, which was said.
    """
    from sloproof.chaos.stage import verdict_of
    from sloproof.history.recording import past_run

    run, windows = past_run(
        stages,
        kind=remembered.kind,
        name=remembered.name,
        verdict=verdict_of(stages),
        exit_code=exit_code,
        folder=folder,
        release=remembered.release,
        environment=remembered.environment,
        versions=versions,
    )
    return _record(remembered.history, run, windows)


def remember_early_end(remembered: Remembered, folder: Path, *, exit_code: int, reason: str) -> "PastRun | None":
    """Record a run that was ended, or failed, before it was judged: undecided and partial.

    Args:
        remembered: what it is remembered as.
        folder: what it left.
        exit_code: what the command ends with.
        reason: why it ended.

    Returns:
        The run with its number; None where nothing was sent or nothing could be written.
    """
    from sloproof.history.recording import ended_early

    left = ended_early(
        folder,
        kind=remembered.kind,
        name=remembered.name,
        system=remembered.system,
        exit_code=exit_code,
        reason=reason,
        release=remembered.release,
        environment=remembered.environment,
    )
    return _record(remembered.history, *left) if left is not None else None


def _record(history: Path, run: "PastRun", windows: "Windows | None") -> "PastRun | None":
    from sloproof.history import History

    try:
        with History.open(history) as kept:
            recorded = kept.record(run, windows)
    except PartFailed as error:
        console.say(f"this run is not in the history: {error.message}")
        if error.hint:
            console.say(f"  hint: {error.hint}")
        return None
    console.say(f"recorded as run {recorded.id} of the history")
    return recorded
