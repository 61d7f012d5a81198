"""`sloproof dashboards push` and `sloproof dashboards mark`."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sloproof.cli import console

if TYPE_CHECKING:
    from sloproof.workspace import Workspace
    from sloproof.workspace.pushing import Plan, Planned

Url = Annotated[str | None, typer.Option(metavar="URL", help="Grafana; `grafana-url` of the workspace by default.")]
TokenFile = Annotated[
    Path | None,
    typer.Option(help="Holds the token; `grafana-token-file` of the workspace or SLOPROOF_GRAFANA_TOKEN by default."),
]
Folder = Annotated[str, typer.Option(metavar="UID", help="Folder in Grafana, made if missing; `general` for none.")]
Check = Annotated[bool, typer.Option("--check", help="Send nothing; exit 1 if Grafana has other dashboards.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Send without asking.")]
Service = Annotated[str, typer.Argument(help="The service that was deployed.")]
Words = Annotated[str, typer.Argument(metavar="TEXT", help="What was deployed, such as `v1.4.2`.")]

_SHOWN = 40
"""Lines of one dashboard's diff; the file in the repository holds the rest."""


def push(
    url: Url = None, token_file: TokenFile = None, folder: Folder = "sloproof", check: Check = False, yes: Yes = False
) -> None:
    """Store the dashboards that the definitions imply in a Grafana; shows what changes, and asks, before it sends."""
    from sloproof.cli.grafana_access import grafana_for
    from sloproof.errors import UsageError
    from sloproof.workspace import load_workspace, pushing
    from sloproof.workspace.dashboard_artifacts import dashboards

    workspace = load_workspace()
    with grafana_for(workspace, url, token_file) as grafana:
        plan = pushing.planned(grafana, dashboards(workspace, workspace.settings.timing()), folder)
        _show(plan)
        if not plan.changes:
            console.say(f"{len(plan.dashboards)} dashboards are up to date")
            return
        if check:
            console.failure(f"{_told(plan)} in Grafana differ from the definitions", "run `sloproof dashboards push`")
            raise typer.Exit(1)
        if not yes and not sys.stdin.isatty():
            raise UsageError("nothing was sent: nobody is here to be asked", hint="`--yes` sends without asking")
        if not yes and not typer.confirm(f"Store {_told(plan)}?", err=True):
            raise UsageError("nothing was sent", hint="`--check` only shows what would be")
        pushing.push(grafana, plan, _sent)
    console.say(f"{_told(plan)} stored")


def _told(plan: "Plan") -> str:
    return f"{len(plan.changes)} of {len(plan.dashboards)} dashboards"


def _show(plan: "Plan") -> None:
    if plan.makes_folder and plan.changes:
        console.show(f"new      folder {plan.folder}")
    for one in plan.changes:
        console.show(f"{one.kind:8} {one.name}: {one.told}")
        for line in one.lines[:_SHOWN]:
            console.show(f"    {line}")
        if len(one.lines) > _SHOWN:
            console.show(f"    ... and {len(one.lines) - _SHOWN} lines more")


def _sent(one: "Planned") -> None:
    console.say(f"stored {one.name}")


def mark(service: Service, text: Words, url: Url = None, token_file: TokenFile = None) -> None:
    """Mark a deploy on the graphs of a service, now; for the last step of a release.

    The history keeps it too, so that reports show it. `sloproof history deploy` does the same without a Grafana, or for
    a time that is past.
    """
    import time

    from sloproof.cli.grafana_access import deploy_mark, grafana_for
    from sloproof.errors import UsageError
    from sloproof.workspace import load_workspace

    workspace = load_workspace()
    known = [one.name for one in workspace.services]
    if service not in known:
        raise UsageError(
            f"there is no service `{service}`", hint=f"there are {', '.join(f'`{name}`' for name in known)}"
        )
    if not text.strip():
        raise UsageError("a mark without words says nothing", hint=f"as `dashboards mark {service} v1.4.2`")
    now = time.time()
    with grafana_for(workspace, url, token_file) as grafana:
        grafana.annotate(deploy_mark(service, text, now))
    console.say(f"marked the deploy of `{service}`")
    _remember(workspace, service, text, now)


def _remember(workspace: "Workspace", service: str, release: str, at: float) -> None:
    """For reports; a history that cannot be written takes no mark away."""
    from sloproof.errors import SloproofError
    from sloproof.history import HISTORY_FILE, History, PastDeploy

    try:
        with History.open(workspace.state / HISTORY_FILE) as past:
            past.record_deploy(PastDeploy(system=service, release=release, at=at))
    except SloproofError as error:
        console.say(f"not kept in the history: {error}")
