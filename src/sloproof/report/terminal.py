"""A run for the terminal: rich tables where there is colour, else plain lines; nothing is printed here."""

import textwrap

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table as RichTable
from rich.text import Text

from sloproof.report import tables, wording
from sloproof.report.model import ExpectationRow, RunReport

_STYLES = {"PASS": "bold green", "FAIL": "bold red", "UNDECIDED": "bold yellow"}
_SYMBOLS = {"PASS": "✓", "FAIL": "✗", "UNDECIDED": "?"}
_INDENT = " " * 11
_LEAST_WIDTH = 40


def expectation_table(report: RunReport) -> RenderableType:
    """Expected against observed, as a rich table.

    Args:
        report: the run.

    Returns:
        A table, or a sentence where nothing was expected; markup in foreign text is not interpreted.
    """
    return _rich(tables.expectations(report))


def render_terminal(report: RunReport) -> RenderableType:
    """The verdict, the headline, what was expected against what was observed, and the objectives.

    Args:
        report: the run.
    """
    stamp = (f"{_SYMBOLS[report.verdict]} {report.verdict}", _STYLES[report.verdict])
    verdict = Text.assemble(stamp, " ", (wording.visible(report.title), "bold"))
    headline = Text(wording.visible(report.headline))
    made = [_rich(table(report)) for table in (tables.expectations, tables.objectives_in_brief)]
    return Group(*made, Text(""), verdict, headline)


def render_plain(report: RunReport, width: int = 80) -> str:
    """Expected against observed as plain lines: no colour, no frame, for logs and screen readers.

    Args:
        report: the run.
        width: columns to stay within; at least 40.

    Returns:
        One entry a row, the verdict in words first; the run's verdict is the last line.
    """
    columns = max(width, _LEAST_WIDTH)
    lines = [line for row in report.expectations for line in _entry(row, columns)]
    last = _wrapped(report.verdict, f"{report.title}: {report.headline}", columns)
    return "\n".join([*(lines or ["Nothing was expected of this run."]), *last]) + "\n"


def _wrapped(start: str, text: str, width: int) -> list[str]:
    first = f"{start:<{len(_INDENT)}}"
    return textwrap.wrap(wording.visible(text), width, initial_indent=first, subsequent_indent=_INDENT) or [start]


def _entry(row: ExpectationRow, width: int) -> list[str]:
    observed = f"{row.observed} ({row.detail})" if row.detail else row.observed
    return _wrapped(row.verdict, f"expected: {row.expected}", width) + _wrapped("", f"observed: {observed}", width)


def _rich(table: tables.Table) -> RenderableType:
    if not table.rows:
        return Text(table.empty)
    drawn = RichTable(
        title=Text(wording.visible(table.title), style="bold"),
        title_justify="left",
        box=box.SIMPLE_HEAD,
        pad_edge=False,
    )
    for number, column in enumerate(table.columns):
        drawn.add_column(column, overflow="fold", no_wrap=number == 0 and column == "Verdict")
    for row in table.rows:
        drawn.add_row(*(_cell(cell) for cell in row))
    return drawn


def _cell(text: str) -> Text:
    shown = f"{_SYMBOLS[text]} {text}" if text in _STYLES else wording.visible(text)
    return Text(shown, style=_STYLES.get(text, ""))
