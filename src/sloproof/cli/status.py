"""`sloproof status`."""

import json
from typing import TYPE_CHECKING, Annotated

import typer

from sloproof.cli import console

if TYPE_CHECKING:
    from sloproof.workspace.status import BudgetStatus, Status

Url = Annotated[
    str,
    typer.Option("--prometheus", metavar="URL", help="The Prometheus that runs the rules and scrapes the services."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print every figure as JSON.")]

_HEADINGS = ("OBJECTIVE", "PROMISED", "BUDGET LEFT", "BAD EVENTS LEFT", "BURN NOW", "MEASURED")


def status(url: Url, as_json: AsJson = False) -> None:
    """Show what is left of every error budget, worst first.

    The ledger counts closed periods once, from the raw counters, and loses nothing in a scrape gap; without it the
    figure is that of the recorded rules. Where the two differ by more than 5 % of the budget, both are shown. Exit 1:
    a budget is overspent. Exit 3: there is no figure, or too little of the window was measured.
    """
    from sloproof.prometheus import Prometheus
    from sloproof.workspace import load_workspace
    from sloproof.workspace.status import status_of

    workspace = load_workspace()
    with Prometheus(url, allowed=workspace.settings.targets) as prometheus:
        found = status_of(workspace, prometheus)
    if as_json:
        console.data(json.dumps(found.document(), indent=2, ensure_ascii=False) + "\n")
    else:
        _show(found)
    if found.failures:
        raise found.failures[0]
    raise typer.Exit(found.verdict.exit_code)


def _show(found: "Status") -> None:
    if not found.budgets:
        console.say("no objectives are defined, so there is nothing to say")
        return
    rows = [_HEADINGS, *(_cells(one) for one in found.budgets)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEADINGS))]
    ends = [console.verdict(""), *(console.verdict(str(one.verdict)) for one in found.budgets)]
    for row, end in zip(rows, ends, strict=True):
        cells = "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        console.output().print(console.verdict("").append(f"{cells}  ").append_text(end))
    for one in found.budgets:
        for note in one.notes:
            console.show(f"{one.slo.identity}: {note}")


def _cells(one: "BudgetStatus") -> tuple[str, ...]:
    group = f" {{{', '.join(one.group)}}}" if one.group else ""
    left = _share(one.left)
    if one.differ:
        left = f"{_share(one.ledger)} by ledger, {_share(one.recorded)} recorded"
    return (
        one.slo.identity + group,
        f"{one.slo.objective} % over {one.slo.promised_over}",
        left,
        "-" if one.errors_left is None else f"{one.errors_left:,.0f}",
        "-" if one.burn is None else f"{one.burn:.2f}x ({one.burn_window})",
        _share(one.coverage),
    )


def _share(ratio: float | None) -> str:
    return "-" if ratio is None else f"{ratio * 100:.1f} %"
