"""An experiment as Chaos Toolkit JSON, which plain `chaos run` runs too."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from sloproof.chaos.experiment import Experiment
from sloproof.chaos.faults import Fault

ACTIONS = "sloproof.chaos.extension.actions"
PROBES = "sloproof.chaos.extension.probes"
CONTROL = "sloproof.chaos.extension.control"

LAB = "SLOPROOF_LAB"
"""State file of the lab; the only variable that must be set."""
RUN = "SLOPROOF_RUN"
"""Folder of the run; a new one in the working directory when it is not set."""
LEDGER = "SLOPROOF_LEDGER"
"""The undo ledger; the one of the lab's workspace when it is not set."""
STARTED_AT = "SLOPROOF_STARTED_AT"
"""When the run began, epoch seconds; the child's own start when it is not set."""
TARGETS = "SLOPROOF_TARGETS"
"""Allowed targets beyond loopback, separated by commas."""

LIFELINE = "SLOPROOF_LIFELINE"
"""Set when the child's standard input is a pipe that closes with its parent."""
LOCK_HELD = "SLOPROOF_LOCK_HELD"
"""Set when the parent holds the run's lock and has handed it down."""

LONGEST_LOOK = timedelta(seconds=10)
"""How long the effect of a fault is looked for, when nothing else is due."""

LONGEST_PATIENCE = timedelta(seconds=10)
SHORTEST_PATIENCE = timedelta(seconds=3)
"""How long a killed instance may take to come back by itself, depending on what is due next."""

_END, _SLOW_END, _BEGINNING, _LOOK = range(4)


def experiment_json(experiment: Experiment) -> str:
    """The Chaos Toolkit experiment, the same bytes for the same definition.

    Args:
        experiment: the definition.

    Returns:
        JSON with a last line feed; no address, no path and no secret in it.
    """
    return json.dumps(experiment_document(experiment), indent=2, ensure_ascii=False) + "\n"


def experiment_document(experiment: Experiment) -> dict[str, Any]:
    """The same as a document of plain values.

    Args:
        experiment: the definition.
    """
    return {
        "title": experiment.name,
        "description": experiment.description or "; ".join(fault.describe() for fault in experiment.faults),
        "tags": ["sloproof", experiment.system],
        "contributions": {"availability": "high", "reliability": "high"},
        "configuration": {
            "lab_file": {"type": "env", "key": LAB},
            "run_folder": _optional(RUN),
            "ledger": _optional(LEDGER),
            "started_at": _optional(STARTED_AT),
            "targets": _optional(TARGETS),
        },
        "extensions": [_extension(experiment)],
        "controls": [{"name": "sloproof journal", "provider": {"type": "python", "module": CONTROL}}],
        "method": _method(experiment),
        "rollbacks": [_activity("action", "undo what is left", ACTIONS, "undo_run")],
    }


def planned_faults(document: dict[str, Any]) -> list[str]:
    """The faults of a generated document, as the journal calls them.

    Args:
        document: what `experiment_document` gave.
    """
    extensions = document.get("extensions", [])
    return next((list(e["faults"]) for e in extensions if e.get("name") == "sloproof" and "faults" in e), [])


def _extension(experiment: Experiment) -> dict[str, Any]:
    return {
        "name": "sloproof",
        "experiment": experiment.name,
        "system": experiment.system,
        "load": experiment.load.name,
        "faults": [experiment.fault_id(index) for index in range(len(experiment.faults))],
        "expect": [expectation.describe() for expectation in experiment.expect],
    }


def _method(experiment: Experiment) -> list[dict[str, Any]]:
    steps = [step for index, fault in enumerate(experiment.faults) for step in _steps(experiment, index, fault)]
    # Ends before beginnings at the same moment, so that two faults can follow each other in one place.
    return [activity for _, _, activity in sorted(steps, key=lambda step: step[:2])]


def _steps(experiment: Experiment, index: int, fault: Fault) -> Iterator[tuple[timedelta, int, dict[str, Any]]]:
    name = experiment.fault_id(index)
    inject = {**fault.arguments(), "at": _seconds(fault.at), "fault": name}
    end: dict[str, Any] = {"fault": name, "at": _seconds(fault.end)}
    if fault.waits:
        patience = _next_due(experiment, fault.end, LONGEST_PATIENCE) - fault.end
        end["patience"] = _seconds(max(patience, SHORTEST_PATIENCE))
    see = {"fault": name, "until": _seconds(_next_due(experiment, fault.at, LONGEST_LOOK))}
    see_end = {"fault": name, "until": _seconds(_next_due(experiment, fault.end, LONGEST_LOOK))}
    yield fault.at, _BEGINNING, _activity("action", f"inject {name}", fault.actions, fault.action, inject)
    yield fault.at, _LOOK, _activity("probe", f"see {name}", PROBES, "fault_is_live", see)
    # What has to wait for an instance comes after what is over at once.
    yield fault.end, _SLOW_END if fault.waits else _END, _activity("action", f"end {name}", ACTIONS, "end_fault", end)
    yield fault.end, _LOOK, _activity("probe", f"see the end of {name}", PROBES, "fault_is_over", see_end)


def _next_due(experiment: Experiment, since: timedelta, longest: timedelta) -> timedelta:
    due = [moment for fault in experiment.faults for moment in (fault.at, fault.end) if moment > since]
    return min([*due, since + longest])


def _activity(
    kind: str, name: str, module: str, function: str, arguments: dict[str, Any] | None = None
) -> dict[str, Any]:
    provider: dict[str, Any] = {"type": "python", "module": module, "func": function}
    if arguments:
        provider["arguments"] = arguments
    return {"type": kind, "name": name, "provider": provider}


def _optional(variable: str) -> dict[str, str]:
    return {"type": "env", "key": variable, "default": ""}


def _seconds(moment: timedelta) -> float:
    return moment.total_seconds()
