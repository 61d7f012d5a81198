"""A load run beside an earlier one: which that is, is settled before anything is sent."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from sloproof.cli import console
from sloproof.cli.remembering import Remembered
from sloproof.errors import PartFailed

if TYPE_CHECKING:
    from sloproof.chaos.stage import Stage
    from sloproof.history import PastRun, Windows
    from sloproof.history.against import Against
    from sloproof.loadtests.baseline import Baseline


@dataclass(frozen=True, kw_only=True)
class Earlier:
    """The run to compare with.

    Args:
        pair: the run with its windows; None where there is none.
        asked: it was asked for by `--against`.
        trouble: why the history could not be read; empty when it could.
    """

    pair: "tuple[PastRun, Windows | None] | None" = None
    asked: bool = False
    trouble: str = ""


def find_earlier(remembered: Remembered, against: str | None) -> Earlier:
    """The run that `--against` names, or the baseline where one is pinned.

    Args:
        remembered: what the new run is remembered as.
        against: `baseline`, `last`, a run's number, or None.

    Raises:
        UsageError: there is no such run.
    """
    from sloproof.history import History
    from sloproof.history.against import earlier_run

    try:
        with History.open(remembered.history) as history:
            run = earlier_run(history, against or "baseline", name=remembered.name, system=remembered.system)
            pair = (run, history.windows(run.id)) if run is not None else None
    except PartFailed as error:
        console.say(f"no comparison: {error.message}")
        return Earlier(asked=against is not None, trouble=error.message)
    return Earlier(pair=pair, asked=against is not None)


def compared(
    stage: "Stage", remembered: Remembered, folder: Path, earlier: Earlier, limits: "Baseline | None"
) -> "tuple[Stage, Against | None]":
    """Lay a run beside an earlier one.

    Args:
        stage: the run.
        remembered: what it is remembered as.
        folder: its records.
        earlier: what it is compared with.
        limits: by how much it may be worse.

    Returns:
        The stage, with a finding for each comparison that decides something; and all comparisons, None where nobody
        asked for any.
    """
    from sloproof.chaos.stage import verdict_of
    from sloproof.history.against import findings, lay_beside, unreadable
    from sloproof.history.recording import past_run

    if earlier.pair is None and not earlier.asked and limits is None:
        return stage, None
    if earlier.trouble:
        found = unreadable(earlier.trouble)
    else:
        run, windows = past_run(
            [stage],
            kind=remembered.kind,
            name=remembered.name,
            verdict=verdict_of([stage]),
            exit_code=0,
            folder=folder,
            environment=remembered.environment,
        )
        found = lay_beside(run, windows, earlier.pair, limits=limits, asked=earlier.asked)
    return replace(stage, findings=(*stage.findings, *findings(found))), found
