"""Runs a drill in a lab, and looks meanwhile how Alertmanager holds its alerts."""

import json
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from sloproof import names
from sloproof.alertmanager import Alertmanager
from sloproof.chaos.drill import AlertSight
from sloproof.chaos.experiment import Experiment
from sloproof.chaos.facts import RunFacts
from sloproof.chaos.run import Watch, run_experiment
from sloproof.chaos.surroundings import Surroundings
from sloproof.errors import PartFailed
from sloproof.loadtests.progress import Progress

LOOK_EVERY = 1.0
"""Seconds between two looks at Alertmanager."""
SIGHTS = "alertmanager.jsonl"


def run_drill(
    experiment: Experiment, surroundings: Surroundings, alertmanager: Alertmanager, run_folder: Path, watch: Watch
) -> tuple[RunFacts, list[AlertSight]]:
    """Run the levels of a drill.

    Args:
        experiment: its levels as faults.
        surroundings: where it runs.
        alertmanager: that holds its alerts.
        run_folder: a new folder for its records.
        watch: told how the load stands.

    Returns:
        What every source says of it, and what Alertmanager held, about once a second; kept in the folder too.

    Raises:
        PartFailed: a part died; faults are undone first.
        Refused: another run has the system, or a target is not allowed; nothing was sent.
    """
    sights: list[AlertSight] = []

    def look(progress: Progress | None) -> None:
        watch(progress)
        if not sights or time.time() - sights[-1].at >= LOOK_EVERY:
            with suppress(PartFailed):  # one look that failed is one look less
                sights.append(_sight(alertmanager))

    try:
        facts = run_experiment(experiment, surroundings, run_folder, look)
    finally:
        _keep(run_folder, sights)
    return facts, sights


def _sight(alertmanager: Alertmanager) -> AlertSight:
    held = alertmanager.alerts()
    return AlertSight(time.time(), {one.labels[names.ALERT_NAME]: one.state for one in held})


def _keep(folder: Path, sights: Sequence[AlertSight]) -> None:
    lines = (json.dumps({"at": one.at, "states": dict(one.states)}) for one in sights)
    with suppress(OSError):
        (folder / SIGHTS).write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
