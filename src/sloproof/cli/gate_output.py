"""Where a gate's decision goes: the terminal, report files, GitHub Actions."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from sloproof.cli import console
from sloproof.cli.report_files import TO_STANDARD_OUTPUT, write_reports
from sloproof.verdict.gate_decision import GateDecision, GateFinding

if TYPE_CHECKING:
    from sloproof.report.gate_report import GateReport

_SUMMARY, _OUTPUT = "GITHUB_STEP_SUMMARY", "GITHUB_OUTPUT"
_MOST_SUMMARY = 1024 * 1024
"""Bytes of a step's summary; GitHub refuses more."""


def announce(finding: GateFinding) -> None:
    """A finding, as soon as it is made."""
    stamp = console.verdict(finding.verdict.value)
    console.talk().print(stamp, f"{finding.requirement}: {finding.expected}: {finding.observed}", markup=False)


def publish(report: "GateReport", files: Mapping[str, str]) -> None:
    """Write every report, tell GitHub where it asks, and show the table unless standard output is a report's.

    Args:
        report: what the gate decided, and by what.
        files: path -> format.

    Raises:
        PartFailed: a report could not be written; those before it were.
    """
    from sloproof.report.gate_formats import FORMATS

    if TO_STANDARD_OUTPUT not in files:
        _show(report.decision)
    _tell_github(report.decision)
    write_reports(report, files, FORMATS)


def _show(decision: GateDecision) -> None:
    from sloproof.report.gate_text import render_plain, render_terminal

    if console.output().is_terminal:
        console.output().print(render_terminal(decision))
    else:
        console.lines(render_plain(decision, console.output().width))


def _tell_github(decision: GateDecision) -> None:
    """Append to the files that a job of GitHub Actions names; what cannot be written there changes no verdict."""
    for variable, text in _for_github(decision):
        file = os.environ.get(variable)
        if not file:
            continue
        try:
            with Path(file).open("a", encoding="utf-8") as stream:
                stream.write(text)
        except OSError as error:
            console.say(f"`{variable}` names `{file}`, which cannot be written: {error.strerror}")


def _for_github(decision: GateDecision) -> Iterator[tuple[str, str]]:
    from sloproof.report.gate_text import render_markdown, shortened

    yield _SUMMARY, shortened(render_markdown(decision), _MOST_SUMMARY)
    yield _OUTPUT, f"verdict={decision.verdict.value}\nexit-code={decision.exit_code}\n"
