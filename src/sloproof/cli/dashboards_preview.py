"""`sloproof dashboards preview`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sloproof.cli import console

if TYPE_CHECKING:
    from sloproof.report.preview.page import Preview
    from sloproof.workspace import Workspace

Name = Annotated[str, typer.Argument(help="A generated dashboard, such as `overview`, or a dashboard's JSON file.")]
Url = Annotated[
    str,
    typer.Option(
        "--prometheus", metavar="URL", help="The Prometheus to ask; that of the lab that is up, if not given."
    ),
]
From = Annotated[str, typer.Option("--from", metavar="TIME", help="Instead of the dashboard's: `now-6h`, or ISO 8601.")]
To = Annotated[str, typer.Option("--to", metavar="TIME", help="The same for the end.")]
Variables = Annotated[
    list[str] | None, typer.Option("--var", metavar="NAME=VALUE", help="Choose a variable's value; repeat for several.")
]
Scrape = Annotated[
    str,
    typer.Option(
        "--scrape-interval", metavar="LENGTH", help="For `$__rate_interval`; Prometheus is asked, if not given."
    ),
]
Timeout = Annotated[str, typer.Option("--timeout", metavar="LENGTH", help="For each query.")]
Out = Annotated[
    Path | None, typer.Option("--out", "-o", metavar="FILE", help="The page; in `.sloproof/previews/`, if not given.")
]


def preview(
    name: Name = "overview",
    prometheus: Url = "",
    time_from: From = "",
    time_to: To = "",
    variables: Variables = None,
    scrape_interval: Scrape = "",
    timeout: Timeout = "10s",
    out: Out = None,
) -> None:
    """Draw a dashboard from a live Prometheus as one self-contained page.

    The dashboard is made from the definitions as they are now. The page needs neither network nor scripts. Exit 3: a
    query was not answered in full, or nothing has data; the page says which.
    """
    import time

    from sloproof.cli.dashboard_source import chosen_dashboard, scrape_seconds
    from sloproof.cli.kept_marks import kept_marks
    from sloproof.cli.options import duration
    from sloproof.prometheus import Prometheus
    from sloproof.report.preview.asking import Asking
    from sloproof.report.preview.page import Request
    from sloproof.report.preview.page import preview as draw
    from sloproof.workspace import load_workspace
    from sloproof.workspace.files import check_writable, write_file

    workspace = load_workspace()
    dashboard = chosen_dashboard(workspace, name, prometheus)
    choices, limit, file = _choices(variables or []), duration(timeout, "--timeout"), out or _page(workspace, name)
    check_writable(file)
    with Prometheus(dashboard.url, timeout=limit, allowed=workspace.settings.targets) as server:
        scrape = scrape_seconds(scrape_interval, server, workspace)
        request = Request(
            dashboard.source,
            dashboard.name,
            server.url,
            time.time(),
            scrape,
            time_from,
            time_to,
            choices,
            kept_marks(workspace),
        )
        drawn = draw(request, Asking(server))
    write_file(file, drawn.page)
    console.show(str(file))
    _tell(drawn)
    raise typer.Exit(0 if drawn.complete else 3)


def _tell(drawn: "Preview") -> None:
    from sloproof.report.preview.page import states_in_words

    console.say(f"panels: {states_in_words(drawn.counts)}")
    for problem in drawn.problems:
        console.say(f"  {problem}")


def _page(workspace: "Workspace", name: str) -> Path:
    return workspace.state / "previews" / f"{Path(name).name.removesuffix('.json')}.html"


def _choices(given: list[str]) -> dict[str, list[str]]:
    from sloproof.errors import UsageError

    choices: dict[str, list[str]] = {}
    for one in given:
        name, equals, value = one.partition("=")
        if not equals or not name:
            raise UsageError(f"--var: `{one}` names no value", hint="write it as `--var instance=a1`")
        choices.setdefault(name, []).append(value)
    return choices
