"""Tells Grafana and an OpenTelemetry collector of a run, where the workspace says so; neither changes a verdict."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from sloproof.cli import console
from sloproof.cli.grafana_access import BOUND, opened_grafana
from sloproof.errors import PartFailed, SloproofError

if TYPE_CHECKING:
    from sloproof.workspace import Workspace


@contextmanager
def told_elsewhere(workspace: "Workspace", folder: Path, system: str, experiment: str) -> Iterator[None]:
    """A run of which others are told once it is over, however it ended.

    Args:
        workspace: whose settings name them.
        folder: of the run.
        system: what is broken.
        experiment: its name.
    """
    try:
        yield
    finally:
        for tell in (_tell_grafana, _tell_collector):
            try:
                tell(workspace, folder, system, experiment)
            except (SloproofError, OSError) as error:
                console.say(f"not told elsewhere: {error}")


def _tell_grafana(workspace: "Workspace", folder: Path, system: str, experiment: str) -> None:
    settings = workspace.settings
    if not settings.grafana_url:
        return
    from sloproof.chaos.journal import read_events
    from sloproof.chaos.told_events import annotations

    with opened_grafana(workspace) as grafana:
        for annotation in annotations(read_events(folder), system, experiment):
            grafana.annotate(annotation)


def _tell_collector(workspace: "Workspace", folder: Path, system: str, experiment: str) -> None:
    settings = workspace.settings
    if not settings.otlp_endpoint:
        return
    from sloproof.chaos.journal import read_events
    from sloproof.chaos.told_events import trace
    from sloproof.http import Connection

    document = trace(read_events(folder), system, experiment, folder.name)
    if document is None:
        return
    with Connection("the collector", settings.otlp_endpoint, timeout=BOUND, allowed=settings.targets) as collector:
        reply = collector.post("/v1/traces", document)
    if not reply.succeeded:
        raise PartFailed(f"the collector at `{settings.otlp_endpoint}` refused the spans (status {reply.status})")
