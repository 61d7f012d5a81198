"""`sloproof dashboards lint`."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from sloproof.cli import console

Files = Annotated[
    list[Path] | None, typer.Argument(help="Dashboards of anybody's, as JSON; those of this workspace by default.")
]


def lint(files: Files = None) -> None:
    """Say what is unwise in dashboards: no unit, no words for no data, rates over windows that can be too short."""
    from sloproof.dashboards.lint import lint as linted

    found, count = 0, 0
    for name, dashboard in _read(files) if files else _generated():
        count += 1
        for finding in linted(dashboard):
            found += 1
            console.show(f"{name}: {finding}")
    if found:
        console.failure(f"{found} findings in {count} dashboards", "docs/dashboards.md says what each rule is for")
        raise typer.Exit(1)
    console.say(f"nothing to find fault with in {count} dashboards")


def _generated() -> Iterator[tuple[str, Mapping[str, Any]]]:
    from sloproof.workspace import load_workspace
    from sloproof.workspace.dashboard_artifacts import dashboards

    workspace = load_workspace()
    return dashboards(workspace, workspace.settings.timing())


def _read(files: Sequence[Path]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    from sloproof.errors import UsageError

    for file in files:
        try:
            document = json.loads(file.read_text(encoding="utf-8"))
        except OSError as error:
            raise UsageError(f"`{file}` cannot be read: {error.strerror}", hint="name a dashboard's JSON") from None
        except ValueError as error:
            raise UsageError(f"`{file}` is not JSON: {error}", hint="export the dashboard from Grafana again") from None
        dashboard = document.get("dashboard", document) if isinstance(document, dict) else None
        if not isinstance(dashboard, dict) or not isinstance(dashboard.get("panels", []), list):
            raise UsageError(f"`{file}` holds no dashboard", hint="export the dashboard from Grafana as JSON")
        yield str(file), dashboard
