"""`sloproof gate NAME` and `gate serve`."""

import time
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from sloproof.cli import gate_serve

if TYPE_CHECKING:
    from sloproof.alerts import Timing
    from sloproof.cli.gate_runs import GateRuns
    from sloproof.gate.definition import Gate
    from sloproof.prometheus import Prometheus
    from sloproof.verdict.gate_decision import GateDecision
    from sloproof.workspace import Workspace
    from sloproof.workspace.live_gate import LiveWorld


class _NameFirst(TyperGroup):
    """`gate release` is short for `gate run release`."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Take a first word that is no command for a gate's name."""
        known = not args or args[0] in self.commands or args[0].startswith("-")
        return super().resolve_command(ctx, args if known else ["run", *args])


app = typer.Typer(
    cls=_NameFirst,
    help="Decide whether a release may go on: `sloproof gate NAME` is short for `gate run NAME`.",
    no_args_is_help=True,
)

GateName = Annotated[str, typer.Argument(help="A gate, such as `release`.")]
Url = Annotated[
    str | None,
    typer.Option("--prometheus", metavar="URL", help="Ask this Prometheus for the live status; the lab's by default."),
]
Release = Annotated[
    str | None, typer.Option(help="What is judged; SLOPROOF_RELEASE or the workspace's commit by default.")
]
Take = Annotated[
    str | None,
    typer.Option(metavar="AGE", help="Run nothing: take runs of this release that ended not longer ago, such as 2h."),
]
Reports = Annotated[
    list[str] | None,
    typer.Option(
        "--report",
        metavar="FORMAT[=PATH]",
        help="Also write junit, markdown, json, html, sarif or openmetrics; repeatable; `-` is standard output.",
    ),
]


@app.command(short_help="Decide one gate.")
def run(
    name: GateName, release: Release = None, prometheus: Url = None, take: Take = None, report: Reports = None
) -> None:
    """Ask for everything that a gate requires, and decide.

    Exit 0: everything passed. 1: something was missed. 3: something could not be shown. 5: refused. 6: a part failed.
    7: a fault could not be undone.
    """
    from sloproof.cli.gate_output import announce, publish
    from sloproof.cli.gate_records import gate_report, keep_records, remember_gate
    from sloproof.cli.options import duration
    from sloproof.cli.release import release_of
    from sloproof.cli.report_files import check_places, report_files
    from sloproof.cli.surroundings import new_run_folder
    from sloproof.gate.definition import Gate
    from sloproof.gate.examination import examine
    from sloproof.report.gate_formats import FORMATS
    from sloproof.workspace import load_workspace

    workspace = load_workspace()
    gate = workspace.named(Gate, name)
    files = report_files(report or (), FORMATS)
    check_places(files)
    judged = release_of(workspace.root, release)
    age = duration(take, "--take") if take is not None else None
    runs = _runs(workspace, gate, judged, age)
    world = _world(workspace, gate, runs, prometheus)
    decision = _placed(examine(gate, world, release=judged, clock=time.time, say=announce), workspace, gate)
    folders = list(dict.fromkeys(record.folder for record in runs.told))
    told = gate_report(decision, folders, workspace.root)
    folder = keep_records(told, new_run_folder(workspace, f"gate-{name}"), folders)
    remember_gate(workspace, decision, folder)
    publish(told, files)
    raise typer.Exit(decision.exit_code)


app.command("serve", short_help="Answer for gates over HTTP: Argo Rollouts, Flagger.")(gate_serve.serve)


def _runs(workspace: "Workspace", gate: "Gate", release: str, take: Any) -> "GateRuns":
    from sloproof.cli.gate_runs import GateRuns
    from sloproof.cli.surroundings import history_file, running_lab, surroundings_of

    def surroundings() -> Any:
        return surroundings_of(workspace, running_lab(workspace, gate.system))

    return GateRuns(workspace, surroundings, history_file(workspace), release, take)


def _world(workspace: "Workspace", gate: "Gate", runs: "GateRuns", url: str | None) -> "LiveWorld":
    from sloproof.cli.surroundings import parts_folder
    from sloproof.lab import parts
    from sloproof.workspace.live_gate import LiveWorld

    def live() -> "tuple[Prometheus, Timing]":
        from sloproof.prometheus import Prometheus

        if url is not None:
            return Prometheus(url, allowed=workspace.settings.targets), workspace.settings.timing()
        lab = runs.surroundings()
        return lab.prometheus, lab.timing

    return LiveWorld(workspace, gate.system, runs, live, lambda: parts.find("promtool", parts_folder(workspace)))


def _placed(decision: "GateDecision", workspace: "Workspace", gate: "Gate") -> "GateDecision":
    located = workspace.location(gate)
    return decision if located is None else decision.model_copy(update={"path": located.path, "line": located.line})
