"""`sloproof schedule`, and what `sloproof chaos daemon` is made of."""

import shutil
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sloproof.cli import console

if TYPE_CHECKING:
    from sloproof.chaos.schedule import Schedule
    from sloproof.workspace import Workspace


class Kind(StrEnum):
    """Who keeps the clock."""

    SYSTEMD = "systemd"
    CRON = "cron"
    KUBERNETES = "kubernetes"
    GITHUB = "github"


Kinds = Annotated[Kind | None, typer.Argument(metavar="[KIND]", help="systemd, cron, kubernetes or github.")]
Out = Annotated[Path | None, typer.Option(metavar="FOLDER", help="Write files there; printed by default.")]
Image = Annotated[str | None, typer.Option(help="For kubernetes: holds sloproof and the workspace; pinned.")]
Namespace = Annotated[str, typer.Option(help="For kubernetes: where the jobs go.")]
At = Annotated[str | None, typer.Option("--workspace", help="For systemd and cron: where the workspace lies there.")]
Program = Annotated[str | None, typer.Option(help="For systemd and cron: where `sloproof` lies there.")]


def schedule(
    kind: Kinds = None,
    out: Out = None,
    image: Image = None,
    namespace: Namespace = "",
    at: At = None,
    program: Program = None,
) -> None:
    """Tell when experiments and drills run next, or write that for a scheduler."""
    from sloproof.workspace import load_workspace
    from sloproof.workspace.files import write_file

    workspace = load_workspace()
    found = schedules_of(workspace)
    if kind is None:
        for one in found:
            when = next(one.after(datetime.now(UTC)))
            console.show(f"{when:%a %F %H:%M %Z}  {one.name}  sloproof {' '.join(one.errand.run)}")
        return
    place, tool = at or str(workspace.root), program or shutil.which("sloproof") or sys.argv[0]
    for name, text in _files(kind, found, place, tool, image, namespace).items():
        if out is None:
            console.data(f"# {name}\n{text}\n")
        else:
            write_file(out / name, text)
            console.say(f"wrote {out / name}")


def schedules_of(workspace: "Workspace") -> "tuple[Schedule, ...]":
    """The schedules of a workspace.

    Raises:
        UsageError: there is none.
    """
    from sloproof.chaos.schedule import Schedule
    from sloproof.errors import UsageError

    found = workspace.all_of(Schedule)
    if not found:
        raise UsageError(
            "no schedule is defined",
            hint='write one in `chaos/`, as `Schedule(name="nightly", cron="0 3 * * *", run=Drill(availability))`',
        )
    return found


def _files(
    kind: Kind, found: "Sequence[Schedule]", place: str, tool: str, image: str | None, namespace: str
) -> dict[str, str]:
    from sloproof.chaos import schedule_files
    from sloproof.errors import UsageError

    if kind is Kind.SYSTEMD:
        return schedule_files.systemd_units(found, workspace=place, program=tool)
    if kind is Kind.CRON:
        return {"sloproof.crontab": schedule_files.crontab(found, workspace=place, program=tool)}
    if kind is Kind.GITHUB:
        return {"scheduled.yml": schedule_files.github_workflow(found)}
    if image is None:
        raise UsageError("`kubernetes` needs `--image`", hint="one with sloproof and the workspace, pinned by a tag")
    return {"cronjobs.yaml": schedule_files.cron_jobs(found, image=image, namespace=namespace)}


def held_back(workspace: "Workspace", url: str | None) -> "Callable[[Schedule], str]":
    """Why an errand may not begin now: a limit of the workspace, or a budget.

    The command that an errand runs is refused for the same limits; to ask before spares its system's start.

    Args:
        workspace: the definitions, and their limits.
        url: the Prometheus that knows the budgets; None asks nobody.
    """
    from sloproof.chaos.experiment import Experiment
    from sloproof.cli.admission import refusals

    spent = _budget_of(workspace, url)

    def why_not(schedule: "Schedule") -> str:
        if isinstance(schedule.run, Experiment):
            found = next((one.message for one in refusals(schedule.run, workspace)), "")
        else:  # how long a drill takes only its plan can tell; the drill asks again when it has one
            found = workspace.settings.safety.why_not_now(datetime.now(UTC), timedelta())
        return found.removesuffix("; nothing was sent") or spent(schedule.system)

    return why_not


def _budget_of(workspace: "Workspace", url: str | None) -> Callable[[str], str]:
    """Why a system may not be broken now: a budget that is spent, or that nobody can tell.

    Args:
        workspace: the definitions.
        url: the Prometheus that knows the budgets; None asks nobody.
    """
    from sloproof.errors import SloproofError
    from sloproof.prometheus import Prometheus
    from sloproof.workspace.status import status_of

    def spent(system: str) -> str:
        if url is None:
            return ""
        try:
            with Prometheus(url, allowed=workspace.settings.targets) as prometheus:
                found = status_of(workspace.only(system), prometheus).whole()
        except SloproofError as error:
            return f"the budgets are unknown: {error.message}"
        own = [one for one in found.budgets if one.slo.service.name == system]
        unknown = [one.slo.identity for one in own if one.left is None]
        gone = [one.slo.identity for one in own if one.left is not None and one.left <= 0]
        if gone:
            return f"the budget of `{gone[0]}` is spent"
        return f"the budget of `{unknown[0]}` is unknown" if unknown else ""

    return spent
