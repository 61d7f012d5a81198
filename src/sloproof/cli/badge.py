"""`sloproof badge gate | budget`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sloproof.cli import console
from sloproof.cli.report_files import TO_STANDARD_OUTPUT

if TYPE_CHECKING:
    from sloproof.report.badge import State
    from sloproof.workspace.status import BudgetStatus

app = typer.Typer(help="Write an SVG badge: a gate's newest verdict, what is left of a budget.", no_args_is_help=True)

Output = Annotated[
    str, typer.Option("--output", "-o", metavar="FILE", help="Where the SVG goes; standard output by default.")
]


@app.command(short_help="Write a gate's newest verdict.")
def gate(
    name: Annotated[str, typer.Argument(help="A gate, such as `release`.")],
    system: Annotated[str | None, typer.Option(help="Only of this system.")] = None,
    output: Output = TO_STANDARD_OUTPUT,
) -> None:
    """A gate's newest verdict, from the history; a gate that was never decided says so."""
    from sloproof.history import HISTORY_FILE, History
    from sloproof.workspace.settings import STATE_FOLDER, find_root

    with History.open(find_root(Path.cwd()) / STATE_FOLDER / HISTORY_FILE) as history:
        found = history.decisions(gate=name, system=system, limit=1)
    if found:
        release = f" {found[0].release}" if found[0].release else ""
        states: dict[str, State] = {"PASS": "good", "FAIL": "bad", "UNDECIDED": "open"}
        _write(f"gate {name}{release}", found[0].verdict.value, states[found[0].verdict.value], output)
    else:
        _write(f"gate {name}", "never decided", "unknown", output)


@app.command(short_help="Write what is left of an error budget now.")
def budget(
    objective: Annotated[str, typer.Argument(metavar="OBJECTIVE", help="`service/objective`.")],
    url: Annotated[
        str | None,
        typer.Option(
            "--prometheus", metavar="URL", help="The Prometheus that runs the rules; that of a running lab by default."
        ),
    ] = None,
    output: Output = TO_STANDARD_OUTPUT,
) -> None:
    """What is left of an error budget now.

    A Prometheus that does not answer gives a badge that says so, and exit 6. One that answers only in part gives a
    badge that is never green, and exit 6.
    """
    from sloproof.cli.status_server import server_of
    from sloproof.errors import PartFailed, UsageError
    from sloproof.prometheus import Prometheus
    from sloproof.workspace import load_workspace
    from sloproof.workspace.status import status_of
    from sloproof.workspace.status_choice import chosen
    from sloproof.workspace.status_recorded import AnsweredInPart

    workspace = chosen(load_workspace(), [objective])
    if objective not in {slo.identity for slo in workspace.slos}:
        of_it = ", ".join(f"`{slo.identity}`" for slo in workspace.slos)
        raise UsageError(f"`{objective}` is a service, and a badge is of one objective", hint=f"it has {of_it}")
    server = server_of(workspace, url)
    try:
        with Prometheus(server.url, allowed=workspace.settings.targets) as prometheus:
            found = status_of(workspace, prometheus, scale=server.scale)
        for failure in found.failures:
            if not isinstance(failure, AnsweredInPart):
                raise failure
    except PartFailed:
        _write(objective, "cannot be reached", "unknown", output)
        raise
    one = next(status for status in found.budgets if status.slo.identity == objective)
    _write(objective, *_told(one, in_part=bool(found.failures)), output)
    found.whole()


def _told(one: "BudgetStatus", *, in_part: bool) -> "tuple[str, State]":
    """What is left in words, and how that stands; what was measured in part is never good."""
    from sloproof.report import wording

    if one.left is None:
        return "no data", "unknown"
    if one.left < 0:
        spent = wording.spent(1 - one.left)
        return f"budget spent {spent}{' over' if spent.endswith('times') else ''}", "bad"
    left = f"{wording.ratio(one.left)} of the budget left"
    if str(one.verdict) == "PASS" and not in_part:
        return left, "good"
    return (left, "bad") if str(one.verdict) == "FAIL" else (f"{left}, measured in part", "open")


def _write(label: str, word: str, state: "State", output: str) -> None:
    from sloproof.report.badge import render_badge
    from sloproof.workspace.files import write_file

    text = render_badge(label, word, state)
    if output == TO_STANDARD_OUTPUT:
        console.data(text)
    else:
        write_file(Path(output), text)
        console.say(f"{label}: {word}: {output}")
