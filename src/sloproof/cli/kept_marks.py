"""What the workspace's history says of runs and deploys, as the marks that dashboards look for."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from sloproof.errors import SloproofError

if TYPE_CHECKING:
    from sloproof.grafana import Annotation
    from sloproof.history import PastRun
    from sloproof.workspace import Workspace

_MOST_RUNS = 200


def kept_marks(workspace: "Workspace") -> "list[Annotation]":
    """Load runs, chaos runs with their faults, and deploys, as a Grafana would have been told of them.

    Args:
        workspace: whose history.

    Returns:
        Nothing where there is no history, or it cannot be read: a preview is drawn without them.
    """
    from sloproof.cli.grafana_access import deploy_mark
    from sloproof.cli.surroundings import history_file
    from sloproof.history import History

    file = history_file(workspace)
    if not file.exists():
        return []
    try:
        with History.open(file) as past:
            runs = past.runs(limit=_MOST_RUNS)
            systems = {*(run.system for run in runs), *(service.name for service in workspace.services)}
            deploys = [one for system in sorted(systems) for one in past.deploys(system, 0, float("inf"))]
    except SloproofError:
        return []
    marks = [mark for run in runs for mark in _of_run(run)]
    return [*marks, *(deploy_mark(one.system, one.release, one.at) for one in deploys)]


def _of_run(run: "PastRun") -> "Iterator[Annotation]":
    from sloproof.chaos.journal import read_events
    from sloproof.chaos.told_events import annotations
    from sloproof.cli.grafana_access import load_mark

    if run.kind == "load":
        yield load_mark(run.system, run.name, run.started_at, run.ended_at)
    elif run.folder:
        yield from annotations(read_events(Path(run.folder)), run.system, run.name)
