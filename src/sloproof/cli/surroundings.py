"""A lab that is up, as a run wants it."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from sloproof.errors import Refused, UsageError

if TYPE_CHECKING:
    from sloproof.alerts import Timing
    from sloproof.chaos.surroundings import Surroundings
    from sloproof.lab.state import LabState
    from sloproof.workspace import Workspace


def lab_folder(workspace: "Workspace", system: str) -> Path:
    """Where the lab of a system keeps its state.

    Raises:
        UsageError: there is no such system.
    """
    from sloproof.lab.systems import find_system

    find_system(system)
    return workspace.state / "lab" / system


def known_instances(system: str) -> int:
    """How many instances a system of the lab has; 0 for any other."""
    from sloproof.lab.systems import known_parts

    return len(known_parts().get(system, {}).get("instance", ()))


def parts_folder(workspace: "Workspace") -> Path:
    """Where binaries that were fetched for this workspace lie."""
    return workspace.state / "parts"


def history_file(workspace: "Workspace") -> Path:
    """Where the workspace's past runs are kept."""
    from sloproof.history import HISTORY_FILE

    return workspace.state / HISTORY_FILE


def running_lab(workspace: "Workspace", system: str) -> "LabState":
    """The lab of a system.

    Raises:
        UsageError: it is not up.
    """
    from sloproof import lab

    status = lab.status(lab_folder(workspace, system))
    if status is None or status.stale:
        raise UsageError(f"the lab of `{system}` is not up", hint=f"start it with `sloproof lab up {system}`")
    return status.state


def surroundings_of(workspace: "Workspace", state: "LabState", *, own_rules: bool = True) -> "Surroundings":
    """Everything a run needs to know of a lab and of the definitions that are judged in it.

    Args:
        workspace: the definitions.
        state: the lab.
        own_rules: refuse a lab that runs other rules than these definitions imply.

    Raises:
        Refused: the lab runs rules of other definitions than these.
    """
    from sloproof.alerts import Timing
    from sloproof.chaos.surroundings import Surroundings
    from sloproof.prometheus import Prometheus

    timing = Timing(
        scale=state.scale, scrape=_seconds(state.scrape_interval), evaluation=workspace.settings.evaluation_interval
    )
    if own_rules:
        _refuse_other_rules(workspace, state, timing)
    slos = tuple(slo for slo in workspace.slos if slo.service.name == state.system)
    return Surroundings(
        workspace=workspace.root,
        state=workspace.state,
        lab_file=state.folder / "lab.json",
        target=state.balancer,
        instances=tuple(sorted(state.instances)),
        notifications=state.notifications,
        timing=timing,
        prometheus=Prometheus(state.prometheus),
        policies={slo.identity: workspace.policy(slo) for slo in slos},
        slos=slos,
        allowed=workspace.settings.targets,
        environment=_credentials(state),
        traces=state.folder / "traces",
    )


def _refuse_other_rules(workspace: "Workspace", state: "LabState", timing: "Timing") -> None:
    """Promises made from one definition say nothing about rules made from another."""
    from sloproof.workspace.lab_files import lab_files

    for path, text in lab_files(workspace, state.system, timing)(f"{state.webhook}/alerts").items():
        file = state.folder / "generated" / path
        if not file.is_file() or file.read_text(encoding="utf-8") != text:
            raise Refused(
                f"the definitions have changed since the lab of `{state.system}` was started: it runs another `{path}`",
                hint=f"start it anew: `sloproof lab down {state.system}`, then `sloproof lab up {state.system}`",
            )


def new_run_folder(workspace: "Workspace", name: str) -> Path:
    """A folder for one run, named by its time; it does not exist yet."""
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%f")[:-3]
    return workspace.state / "runs" / f"{stamp}-{name}"


def _seconds(seconds: float) -> timedelta:
    return timedelta(seconds=seconds)


def _credentials(state: "LabState") -> dict[str, str]:
    file = state.seed_password_file
    return {"TASKS_PASSWORD": file.read_text(encoding="utf-8").strip()} if file.is_file() else {}
