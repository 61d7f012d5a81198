"""Where a gate's decision goes: the terminal, report files, GitHub Actions."""

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from sloproof.cli import console
from sloproof.errors import UsageError
from sloproof.verdict.gate_decision import GateDecision, GateFinding

TO_STANDARD_OUTPUT = "-"
_SUMMARY, _OUTPUT = "GITHUB_STEP_SUMMARY", "GITHUB_OUTPUT"
_MOST_SUMMARY = 1024 * 1024
"""Bytes of a step's summary; GitHub refuses more."""


def report_files(wanted: Sequence[str]) -> dict[str, str]:
    """Read `--report` options.

    Args:
        wanted: `FORMAT` or `FORMAT=PATH`; a format alone goes to a file of its own name in the working directory,
            and `-` is standard output.

    Returns:
        Path -> format, in the order given.

    Raises:
        UsageError: a format is unknown, or two go to one place.
    """
    from sloproof.report.gate_formats import FORMATS

    found: dict[str, str] = {}
    for text in wanted:
        form, given, path = text.partition("=")
        if form not in FORMATS or (given and not path):
            raise UsageError(
                f"`{text}` is no report: the formats are {', '.join(f'`{name}`' for name in FORMATS)}",
                hint="write `--report junit` or `--report junit=reports/gate.xml`",
            )
        place = path or FORMATS[form][1]
        if place in found:
            raise UsageError(f"two reports go to `{place}`", hint="give each a path of its own")
        found[place] = form
    return found


def check_places(files: Mapping[str, str]) -> None:
    """Try where reports will go, before anything is run.

    Raises:
        PartFailed: one could not be written there.
    """
    from sloproof.workspace.files import check_writable

    for place in files:
        if place != TO_STANDARD_OUTPUT:
            check_writable(Path(place))


def announce(finding: GateFinding) -> None:
    """A finding, as soon as it is made."""
    stamp = console.verdict(finding.verdict.value)
    console.talk().print(stamp, f"{finding.requirement}: {finding.expected}: {finding.observed}", markup=False)


def publish(decision: GateDecision, files: Mapping[str, str]) -> None:
    """Write every report, tell GitHub where it asks, and show the table unless standard output is a report's.

    Args:
        decision: what the gate decided.
        files: path -> format.

    Raises:
        PartFailed: a report could not be written; those before it were.
    """
    from sloproof.report.gate_formats import FORMATS
    from sloproof.workspace.files import write_file

    if TO_STANDARD_OUTPUT not in files:
        _show(decision)
    _tell_github(decision)
    for place, form in files.items():
        text = FORMATS[form][0](decision)
        if place == TO_STANDARD_OUTPUT:
            console.data(text)
        else:
            write_file(Path(place), text)
            console.say(f"{form}: {place}")


def _show(decision: GateDecision) -> None:
    from sloproof.report.gate_text import render_plain, render_terminal

    if console.output().is_terminal:
        console.output().print(render_terminal(decision))
    else:
        console.data(render_plain(decision, console.output().width))


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
