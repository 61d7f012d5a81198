"""Which dashboard is looked at, and the Prometheus that it is drawn from."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from difflib import get_close_matches
from pathlib import Path
from statistics import mode
from typing import TYPE_CHECKING

from sloproof.errors import PartFailed, UsageError

if TYPE_CHECKING:
    from sloproof.lab.state import LabState
    from sloproof.prometheus import Prometheus
    from sloproof.workspace import Workspace


_NEAREST, _A_FEW = 3, 8


@dataclass(frozen=True)
class DashboardSource:
    """A dashboard's JSON, what it is called, and the Prometheus to ask."""

    name: str
    source: str
    url: str


def chosen_dashboard(workspace: "Workspace", name: str, url: str) -> DashboardSource:
    """The dashboard that a reader means.

    Args:
        workspace: the definitions.
        name: of a generated dashboard, or a JSON file.
        url: the Prometheus; empty for that of the lab that is up, whose clock the dashboard gets.

    Raises:
        UsageError: there is no such dashboard or file, or no URL and no lab.
    """
    lab = None if url else _lab(workspace, name)
    address = url if lab is None else lab.prometheus
    if name.endswith(".json") or "/" in name:
        return DashboardSource(name, _text(Path(name)), address)
    return DashboardSource(name, _generated(_linked(workspace, address), name, lab), address)


def scrape_seconds(given: str, prometheus: "Prometheus", workspace: "Workspace") -> float:
    """Seconds between scrapes: as given, as most targets of this Prometheus have it, or as the workspace says."""
    from sloproof.cli.options import duration

    if given:
        return duration(given, "--scrape-interval").total_seconds()
    try:
        intervals = [target.interval for target in prometheus.targets() if target.interval > 0]
    except PartFailed:  # the page tells what is wrong with this server
        intervals = []
    return mode(intervals) if intervals else workspace.settings.scrape_interval.total_seconds()


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise UsageError(f"`{file}` is not UTF-8 text", hint="give a dashboard's JSON file") from None
    except FileNotFoundError:
        raise UsageError(f"there is no file `{file}`", hint="give a dashboard's name, or its JSON file") from None


def _linked(workspace: "Workspace", address: str) -> "Workspace":
    """The workspace whose panels lead to the Prometheus that is asked, where its settings name none."""
    if workspace.settings.prometheus_url or "@" in address:
        return workspace
    return replace(workspace, settings=workspace.settings.model_copy(update={"prometheus_url": address}))


def _generated(workspace: "Workspace", name: str, lab: "LabState | None") -> str:
    from sloproof.alerts import Timing
    from sloproof.dashboards import to_json
    from sloproof.workspace.dashboard_artifacts import dashboards

    timing = workspace.settings.timing()
    if lab is not None:
        scrape = timedelta(seconds=lab.scrape_interval)
        timing = Timing(scale=lab.scale, scrape=scrape, evaluation=workspace.settings.evaluation_interval)
        workspace = workspace.only(lab.system)
    found = dict(dashboards(workspace, timing))
    if name not in found:
        raise UsageError(f"no dashboard is called `{name}`", hint=_hint(name, sorted(found)))
    return to_json(found[name])


def _hint(name: str, known: list[str]) -> str:
    if not known:
        return "write an objective first"
    if near := get_close_matches(name, known, _NEAREST) or [one for one in known if name in one][:_NEAREST]:
        return f"did you mean {_listed(near)}?"
    if len(known) <= _A_FEW:
        return f"there are {_listed(known)}"
    return f"there are {len(known)}, such as {_listed(known[:_NEAREST])}; `dashboards/generated/` has a file of each"


def _listed(names: Sequence[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _lab(workspace: "Workspace", name: str) -> "LabState":
    """The lab that is up; where several are, the one whose system the dashboard's name begins with."""
    from sloproof import lab

    folders = sorted((workspace.state / "lab").glob("*/lab.json"))
    states = [status.state for file in folders if (status := lab.status(file.parent)) is not None and not status.stale]
    fitting = [state for state in states if name.startswith(state.system)] or states
    if len(fitting) == 1:
        return fitting[0]
    what = "several labs are up" if fitting else "no lab is up"
    raise UsageError(f"which Prometheus to ask is not known: {what}", hint="give `--prometheus URL`")
