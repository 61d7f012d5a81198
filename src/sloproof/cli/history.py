"""`sloproof history`, `history show | pin | unpin`."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sloproof.cli import console
from sloproof.cli.numbers import run_number
from sloproof.cli.report_files import TO_STANDARD_OUTPUT
from sloproof.errors import UsageError

if TYPE_CHECKING:
    from rich.text import Text

    from sloproof.history import History, PastQuantile, PastRun

app = typer.Typer(help="What past runs found, and which of them is the baseline.")

Number = Annotated[str, typer.Argument(metavar="ID", help="A run's number, as `sloproof history` lists it.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print every figure as JSON.")]
Kind = Annotated[str | None, typer.Option(help="Only runs of this kind: load, chaos, demo, gate or drill.")]
RunName = Annotated[str | None, typer.Option("--name", help="Only runs of this profile, experiment or gate.")]
System = Annotated[str | None, typer.Option(help="Only runs against this system.")]
Release = Annotated[str | None, typer.Option(help="Only runs of this release.")]
Limit = Annotated[int, typer.Option(min=1, help="At most so many runs.")]

OfGate = Annotated[str | None, typer.Option("--gate", help="Only this gate.")]
Releases = Annotated[int | None, typer.Option(min=1, help="At most so many releases, the newest.")]
Page = Annotated[
    str | None, typer.Option("--output", "-o", metavar="FILE", help="Write a page in place; `-` is standard output.")
]

Reports = Annotated[
    list[str] | None,
    typer.Option(
        "--report",
        metavar="FORMAT[=PATH]",
        help="html, markdown, junit, json, sarif or openmetrics; repeatable; `-` is standard output. [html]",
    ),
]

_MOST_IN_A_PAGE = 40
_HEADINGS = ("RUN", "WHEN (UTC)", "KIND", "NAME", "SYSTEM", "RELEASE", "VERDICT")
_MOST = 20
_PARTIAL = " partial"


@app.callback(invoke_without_command=True)
def history(context: typer.Context) -> None:
    """What past runs found, newest first; without a command, the last runs are listed."""
    if context.invoked_subcommand is None:
        listed()


@app.command("list", short_help="List past runs, newest first.")
def listed(
    kind: Kind = None,
    name: RunName = None,
    system: System = None,
    release: Release = None,
    limit: Limit = _MOST,
    as_json: AsJson = False,
) -> None:
    """List past runs, newest first; `*` marks a baseline, `partial` a run that ended before its time."""
    with _history() as past:
        found = past.runs(kind=kind, name=name, system=system, release=release, limit=limit)
        pinned = past.pinned()
    if as_json:
        console.data(_json([_document(run, pinned) for run in found]))
    elif found:
        _table(found, pinned)
    else:
        console.say("no such run is in the history")


@app.command(short_help="Show one run: its objectives, its latency, its load.")
def show(number: Number, as_json: AsJson = False) -> None:
    """Show what is remembered of one run."""
    wanted = run_number(number)
    with _history() as past:
        run, pinned = past.run(wanted), past.pinned()
    if as_json:
        console.data(_json(_document(run, pinned)))
    else:
        for line in _lines(run, pinned):
            console.show(line)


@app.command(short_help="Write a past run or gate in another format.")
def report(number: Number, reports: Reports = None) -> None:
    """Write the report of a past run or gate again, in any format, from what it left in its folder."""
    from sloproof.cli.past_reports import write_again

    wanted = run_number(number)
    with _history() as past:
        run = past.run(wanted)
    write_again(run, reports or ["html"], _root())


@app.command(short_help="Make a run the baseline of its name and system.")
def pin(number: Number) -> None:
    """Make a run the baseline: later runs of its name are compared with it."""
    wanted = run_number(number)
    with _history() as past:
        before = past.run(wanted)
        earlier = past.baseline(before.name, before.system, before.kind)
        run = past.pin(wanted)
    instead = f", instead of run {earlier.id}" if earlier is not None and earlier.id != run.id else ""
    console.say(f"run {run.id} is now the baseline of {run.kind} `{run.name}` against `{run.system}`{instead}")
    if run.partial:
        console.say("it ended before its time: runs that last longer are refused to be compared with it")


@app.command(short_help="Take back that a run is a baseline.")
def unpin(number: Number) -> None:
    """Take back that a run is a baseline; the run stays in the history."""
    wanted = run_number(number)
    with _history() as past:
        past.run(wanted)
        was = past.unpin(wanted)
    console.say(f"run {wanted} is no baseline any more" if was else f"run {wanted} was no baseline")


@app.command(short_help="Tell that a release came into service.")
def deploy(
    release: Annotated[str, typer.Argument(help="What came into service, such as `1.4.2` or a commit.")],
    system: Annotated[str, typer.Option(help="The system that got it.")],
    at: Annotated[
        str | None, typer.Option(metavar="TIME", help="When, as `2026-11-22T14:03:22Z`; now by default.")
    ] = None,
) -> None:
    """Tell that a release came into service.

    Reports of runs of that time draw it through their charts. Where `grafana-url` names a Grafana, its dashboards are
    told too; `sloproof dashboards mark` does the same, and fails where they cannot be.
    """
    from sloproof.cli.grafana_access import deploy_marked
    from sloproof.cli.numbers import instant
    from sloproof.history import PastDeploy

    when = datetime.now(UTC).timestamp() if at is None else instant(at, "--at")
    if not release.strip() or not system.strip():
        raise UsageError("a deploy needs a release and a system", hint="as `history deploy 1.4.2 --system tasks`")
    with _history() as past:
        past.record_deploy(PastDeploy(system=system, release=release, at=when))
    console.say(f"recorded: `{release}` came into service in `{system}` at {_when(when)} UTC")
    deploy_marked(_root(), system, release, when)


@app.command(short_help="Show what gates decided of each release.")
def heatmap(
    gate: OfGate = None,
    system: System = None,
    releases: Releases = None,
    output: Page = None,
    as_json: AsJson = False,
) -> None:
    """Show what gates decided of each release: a row a gate and a requirement, a column a release."""
    from sloproof.verdict.heat_map import heat_map

    most = releases or (_MOST_IN_A_PAGE if output or as_json else _room())
    with _history() as past:
        found = heat_map(past.decisions(gate=gate, system=system), most)
    if output is not None:
        from sloproof.report.heat_map_html import render_html

        _write(output, render_html(found))
    elif as_json:
        console.data(_json(asdict(found)))
    else:
        from sloproof.report.heat_map_text import render_lines

        for line in render_lines(found):
            console.output().print(line)


def _room() -> int:
    from sloproof.report.heat_map_text import columns_for

    return columns_for(console.output().width)


def _write(output: str, text: str) -> None:
    from sloproof.workspace.files import write_file

    if output == TO_STANDARD_OUTPUT:
        console.data(text)
    else:
        write_file(Path(output), text)
        console.say(f"written: {output}")


def _history() -> "History":
    """The workspace's history; definitions that do not load hide no past."""
    from sloproof.history import HISTORY_FILE, History
    from sloproof.workspace.settings import STATE_FOLDER

    return History.open(_root() / STATE_FOLDER / HISTORY_FILE)


def _root() -> Path:
    from sloproof.workspace.settings import find_root

    return find_root(Path.cwd())


def _table(runs: "Sequence[PastRun]", pinned: frozenset[int]) -> None:
    rows = [_HEADINGS, *(_cells(run, pinned) for run in runs)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEADINGS))]
    for row in rows:
        *cells, verdict = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        shown = console.verdict("").append("  ".join(cells) + "  ").append_text(_verdict(verdict))
        console.output().print(shown)


def _verdict(cell: str) -> "Text":
    word, _, more = cell.rstrip().partition(" ")
    return console.verdict(word).append(f" {more}" if more else "")


def _cells(run: "PastRun", pinned: frozenset[int]) -> tuple[str, ...]:
    return (
        f"{run.id}{'*' if run.id in pinned else ''}",
        _when(run.started_at),
        run.kind,
        run.name,
        run.system,
        run.release or "-",
        f"{run.verdict.value}{_PARTIAL if run.partial else ''}",
    )


def _lines(run: "PastRun", pinned: frozenset[int]) -> "Iterator[str]":
    """One run for a reader."""
    from sloproof.verdict.wording import quantity

    ended = f"{run.verdict.value}, exit code {run.exit_code}"
    yield f"run {run.id}: {run.kind} `{run.name}` against `{run.system}`, {ended}"
    yield f"began {_when(run.started_at)} UTC, lasted {run.ended_at - run.started_at:.0f} s"
    if run.id in pinned:
        yield "baseline: later runs of this name are compared with it"
    for label, value in (("release", run.release), ("environment", run.environment), ("records", run.folder)):
        if value:
            yield f"{label}: {value}"
    if run.partial:
        yield "ended before its time"
    if run.kind != "gate":
        yield f"{quantity(run.completed)} requests, {quantity(run.failed)} failed"
    for quantile in run.quantiles:
        yield f"p{quantile.q * 100:g}: {_latency(quantile)}"
    for one in run.objectives:
        yield f"{one.verdict.value:9}  {one.slo} ({one.stage}): {one.reason}"
    for found in run.findings:
        yield f"{found.verdict.value:9}  {found.requirement}: {found.expected}: {found.observed}"
    for note in run.notes:
        yield f"note: {note}"


def _latency(quantile: "PastQuantile") -> str:
    if quantile.value is None:
        return "not known"
    bounds = "".join(
        f", {word} {bound * 1000:.0f} ms"
        for word, bound in (("at least", quantile.lower), ("at most", quantile.upper))
        if bound is not None
    )
    return f"{quantile.value * 1000:.0f} ms{bounds}"


def _document(run: "PastRun", pinned: frozenset[int]) -> dict[str, Any]:
    return {**run.model_dump(mode="json"), "baseline": run.id in pinned}


def _json(document: object) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _when(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S")
