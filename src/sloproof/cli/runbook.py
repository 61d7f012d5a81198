"""`sloproof runbook`."""

from contextlib import suppress
from typing import TYPE_CHECKING, Annotated

import typer

from sloproof.cli import console

if TYPE_CHECKING:
    from sloproof.workspace import Workspace

Alert = Annotated[str | None, typer.Argument(metavar="[ALERT]", help="The alert's name, as the page or mail says it.")]
Url = Annotated[
    str | None,
    typer.Option(
        "--prometheus", metavar="URL", help="The Prometheus that runs the rules; the lab's own where one is up."
    ),
]
Record = Annotated[
    bool, typer.Option("--record", help="Keep which alerts fired in past runs in `alerts/seen.json`, for the pages.")
]


def runbook(alert: Alert = None, url: Url = None, record: Record = False) -> None:
    """Show the page of an alert, with what its queries answer now.

    Without a Prometheus, or with one that does not answer, the page is shown nevertheless, and says so. Exit 6: live
    values were asked for, and something did not answer.
    """
    from sloproof.errors import UsageError
    from sloproof.workspace import load_workspace

    workspace = load_workspace()
    if record:
        _record(workspace)
    elif alert is None:
        raise UsageError("whose page?", hint="name an alert, such as the ones that `sloproof status` shows")
    if alert is not None:
        _page(workspace, alert, url)


def _page(workspace: "Workspace", alert: str, url: str | None) -> None:
    from sloproof.prometheus import Prometheus
    from sloproof.runbooks.live import with_answers, with_heading
    from sloproof.workspace.live_page import alert_named, live_page, page_of

    owned = alert_named(workspace, alert)
    text = page_of(workspace.root, owned.rule)
    place = url or _of_the_lab(workspace, owned.service.name)
    if place is None:
        linked = with_answers(text, {}, workspace.settings.prometheus_url)
        _show(with_heading(linked, ["no live values: `--prometheus URL` says where to ask"]))
        return
    with Prometheus(place, allowed=workspace.settings.targets) as prometheus:
        found = live_page(text, owned.rule, prometheus)
    _show(found.text)
    if found.failures:
        raise found.failures[0]


def _of_the_lab(workspace: "Workspace", system: str) -> str | None:
    """The Prometheus of a service's lab; None where none is up."""
    from sloproof.cli.surroundings import running_lab
    from sloproof.errors import SloproofError

    with suppress(SloproofError):
        return running_lab(workspace, system).prometheus
    return None


def _show(text: str) -> None:
    """Drawn on a terminal, with long links unbroken at the end; elsewhere Markdown, for every screen reader."""
    if not console.output().is_terminal:
        console.lines(text)
        return
    from rich.markdown import Markdown
    from rich.text import Text

    from sloproof.runbooks.live import links_apart

    page, links = links_apart(text)
    console.output().print(Markdown(page, code_theme="ansi_dark", hyperlinks=False), soft_wrap=False)
    if links:
        console.output().print("\nLinks")
    for number, link in enumerate(links, start=1):
        console.output().print(Text(f"link {number}: {link}"), soft_wrap=True)


def _record(workspace: "Workspace") -> None:
    from sloproof.cli.surroundings import history_file
    from sloproof.history import History
    from sloproof.workspace.alert_memory import SEEN, keep_seen, seen_in
    from sloproof.workspace.artifacts import read_page

    with History.open(history_file(workspace)) as past:
        seen = [one for run in past.runs(limit=_MOST_RUNS) for one in run.alerts]
    file, new = keep_seen(workspace.root, seen_in(read_page(workspace.root)(SEEN)), seen)
    console.say(f"kept {new} new of {len(seen)} in {file}; `sloproof generate` tells it in the runbooks")


_MOST_RUNS = 1000
