"""What a gate leaves behind: its page with the runs that it was decided by, its JSON, its place in the history."""

import json
import platform
import shlex
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from sloproof.cli import console

if TYPE_CHECKING:
    from sloproof.report.gate_report import GateReport
    from sloproof.report.model import RunReport
    from sloproof.verdict.gate_decision import GateDecision
    from sloproof.workspace import Workspace

PAGE, JSON = "gate.html", "gate.json"
BESIDE = "beside.json"
"""What the page shows beside the decision: the folders of its runs, versions, and what was typed."""


def gate_report(decision: "GateDecision", runs: Sequence[str], root: Path) -> "GateReport":
    """A decision with the reports of the runs that it rests on.

    Args:
        decision: what the gate decided.
        runs: their folders, relative to the workspace or absolute.
        root: the workspace.
    """
    from sloproof import __version__
    from sloproof.report.gate_report import GateReport

    release = f" --release {shlex.quote(decision.release)}" if decision.release else ""
    return GateReport(
        decision=decision,
        runs=tuple(reports_of(dict.fromkeys(root / folder for folder in runs))),
        environment={
            "sloproof": __version__,
            "Python": platform.python_version(),
            "system": f"{platform.system()} {platform.machine()}",
        },
        command=f"sloproof gate {decision.gate}{release}",
    )


def keep_records(report: "GateReport", folder: Path, runs: Sequence[str] = ()) -> Path:
    """Write the page and the JSON of a gate into its folder; a disk that takes none of it changes no verdict.

    Args:
        report: what the gate decided, and by what.
        folder: of its own; it is made.
        runs: the folders of its runs.
    """
    from sloproof.errors import PartFailed
    from sloproof.report.gate_html import render_html
    from sloproof.report.gate_json import render_json
    from sloproof.workspace.files import write_file

    try:
        beside = {"runs": list(runs), "environment": report.environment, "command": report.command}
        write_file(folder / JSON, render_json(report.decision))
        write_file(folder / BESIDE, json.dumps(beside, indent=2) + "\n")
        write_file(folder / PAGE, render_html(report))
        console.say(f"report: {folder / PAGE}")
    except PartFailed as error:
        console.say(f"this gate left no records: {error.message}")
    return folder


def remember_gate(workspace: "Workspace", decision: "GateDecision", folder: Path) -> None:
    """The gate goes into the history, beside the runs that it was decided by."""
    from sloproof.cli.surroundings import history_file
    from sloproof.errors import PartFailed
    from sloproof.history import History, PastFinding, PastRun

    run = PastRun(
        kind="gate",
        name=decision.gate,
        system=decision.system,
        started_at=decision.started_at,
        ended_at=decision.ended_at,
        verdict=decision.verdict,
        exit_code=decision.exit_code,
        release=decision.release,
        folder=str(folder),
        notes=(decision.headline,),
        findings=tuple(
            PastFinding(requirement=one.requirement, expected=one.expected, observed=one.observed, verdict=one.verdict)
            for one in decision.findings
        ),
    )
    try:
        with History.open(history_file(workspace)) as history:
            history.record(run)
    except PartFailed as error:
        console.say(f"this gate is not in the history: {error.message}")


def read_records(folder: Path, root: Path) -> "GateReport":
    """A past gate as its folder tells it; what its page shows beside the decision may be gone.

    Raises:
        OSError: the decision cannot be read.
        PartFailed: it is none.
    """
    from sloproof.report.gate_json import read_json
    from sloproof.report.gate_report import GateReport

    decision = read_json((folder / JSON).read_text(encoding="utf-8"))
    try:
        beside = json.loads((folder / BESIDE).read_text(encoding="utf-8"))
        runs = tuple(reports_of(root / str(run) for run in beside["runs"]))
        return GateReport(decision=decision, runs=runs, environment=beside["environment"], command=beside["command"])
    except (OSError, ValueError, KeyError, TypeError):
        return GateReport(decision=decision)


def reports_of(folders: Iterable[Path]) -> "Iterator[RunReport]":
    """The reports of runs, in order; those that are gone or damaged are left out."""
    from sloproof.errors import UsageError
    from sloproof.report.json import read_json

    for folder in folders:
        try:
            yield read_json((folder / "report.json").read_text(encoding="utf-8"))
        except (OSError, UsageError):
            continue
