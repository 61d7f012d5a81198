"""`sloproof status`."""

import json
import time
from functools import partial
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from sloproof.cli import console

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from sloproof.prometheus import Prometheus
    from sloproof.workspace import Workspace
    from sloproof.workspace.last_proofs import LastProof
    from sloproof.workspace.status import Status

Names = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="NAME",
        help="Services (`tasks`) or objectives (`tasks/availability`) to show; all without one.",
    ),
]
Url = Annotated[
    str | None,
    typer.Option(
        "--prometheus",
        metavar="URL",
        help="The Prometheus that runs the rules and scrapes the services; the lab's own where one is up.",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print every figure as JSON.")]
Plain = Annotated[bool, typer.Option("--plain", help="Write sentences, one objective a line, for a screen reader.")]
Worst = Annotated[int | None, typer.Option(min=1, metavar="NUMBER", help="Show only so many, the worst.")]
Watch = Annotated[bool, typer.Option("--watch", help="Ask again and again, until Ctrl-C.")]
Every = Annotated[str, typer.Option(metavar="DURATION", help="With --watch: how long to wait between two looks.")]
Ledger = Annotated[
    bool | None,
    typer.Option(
        "--ledger/--no-ledger",
        help="Whether to bring the ledger up to date, which asks for raw series objective by objective; by itself up "
        "to 100 objectives.",
    ),
]

Scale = Annotated[
    int | None,
    typer.Option(
        min=1,
        metavar="NUMBER",
        help="What the windows of its rules were divided by; that of the lab, else 1.",
    ),
]

_HISTORY_KINDS = ("drill", "chaos")
_MOST_RUNS = 500


def status(
    wanted: Names = None,
    url: Url = None,
    as_json: AsJson = False,
    plain: Plain = False,
    worst: Worst = None,
    watch: Watch = False,
    every: Every = "10s",
    ledger: Ledger = None,
    scale: Scale = None,
) -> None:
    """Show what is left of every error budget, worst first; of a lab, those of its system.

    The ledger counts closed periods once, from the raw counters, and loses nothing in a scrape gap; without it the
    figure is that of the recorded rules. Where the two differ by more than 5 % of the budget, both are shown. Exit 1:
    a budget is overspent. Exit 3: there is no figure, or too little of the window was measured. Exit 6: the server
    failed, or answered only in part; what is known is shown.
    """
    from sloproof.cli.status_server import server_of
    from sloproof.prometheus import Prometheus
    from sloproof.workspace import load_workspace
    from sloproof.workspace.status_choice import chosen

    pause, workspace = _seconds(every), chosen(load_workspace(), wanted or ())
    server = server_of(workspace, url, scale)
    if server.system is not None and not wanted:
        workspace = chosen(workspace, [server.system])
    look = partial(_look, workspace, _proofs(workspace), ledger, server.scale)
    with Prometheus(server.url, allowed=workspace.settings.targets) as prometheus:
        if watch:
            _watch(partial(look, prometheus), pause, worst, as_json=as_json, plain=plain)
        found = look(prometheus)
    _show(found, worst, as_json=as_json, plain=plain)
    if found.failures:
        raise found.failures[0]
    raise typer.Exit(found.verdict.exit_code)


def _look(
    workspace: "Workspace",
    proofs: "Mapping[str, LastProof]",
    ledger: bool | None,
    scale: int,
    prometheus: "Prometheus",
) -> "Status":
    from sloproof.workspace.status import status_of

    return status_of(workspace, prometheus, scale=scale, ledger=ledger, proofs=proofs)


def _watch(
    look: "Callable[[], Status]",
    pause: float,
    worst: int | None,
    *,
    as_json: bool,
    plain: bool,
) -> NoReturn:
    """Look until somebody ends it; a server that does not answer is told, and asked again."""
    from sloproof.cli.status_text import room
    from sloproof.errors import PartFailed

    redrawn = console.output().is_terminal and not as_json
    while True:
        found: Status | None = None
        try:
            found = look()
            said: Sequence[PartFailed] = found.failures
        except PartFailed as error:
            said = [error]
        if redrawn:
            console.output().clear()
        if found is not None:
            most = worst if worst is not None or not redrawn else room(console.output().height)
            _show(found, most, as_json=as_json, plain=plain)
        for failure in said:
            console.say(f"{_clock()} {failure.message}")
        time.sleep(pause)


def _show(found: "Status", worst: int | None, *, as_json: bool, plain: bool) -> None:
    from sloproof.cli import status_text

    if as_json:
        console.data(json.dumps(found.document(), indent=2, ensure_ascii=False) + "\n")
        return
    if not found.budgets:
        console.say("no objectives are defined, so there is nothing to say")
        return
    lines = status_text.sentences(found, worst) if plain else status_text.table(found, worst, console.output().width)
    for text, verdict in lines:
        console.output().print(console.verdict("").append(text).append_text(console.verdict(verdict)))


def _proofs(workspace: "Workspace") -> "Mapping[str, LastProof]":
    """When each objective's alerts were last shown to work, from all that is kept."""
    from sloproof.workspace.last_proofs import kept_proofs, newest

    return newest([*kept_proofs(workspace), *_runs(workspace)])


def _runs(workspace: "Workspace") -> "list[tuple[str, LastProof]]":
    """The runs of the history that judged an objective; a history that cannot be read is told, and left out."""
    from sloproof.errors import PartFailed
    from sloproof.history import HISTORY_FILE, History
    from sloproof.workspace.last_proofs import LastProof

    file = workspace.state / HISTORY_FILE
    if not file.is_file():
        return []
    try:
        with History.open(file) as past:
            runs = [run for kind in _HISTORY_KINDS for run in past.runs(kind=kind, limit=_MOST_RUNS)]
    except PartFailed as failure:
        console.say(f"past runs are left out: {failure.message}")
        return []
    return [
        (objective.slo, LastProof(run.kind, run.ended_at, run.verdict, run.name))
        for run in runs
        for objective in run.objectives
    ]


def _seconds(text: str) -> float:
    from sloproof.definition import parse_duration
    from sloproof.errors import UsageError

    try:
        seconds = parse_duration(text).total_seconds()
    except ValueError:
        seconds = 0.0
    if seconds < 1:
        raise UsageError(f"`--every {text}` is no duration of a second or more", hint="write `10s` or `1m`")
    return seconds


def _clock() -> str:
    return time.strftime("%H:%M:%S")
