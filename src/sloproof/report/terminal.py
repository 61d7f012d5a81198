"""A run for the terminal: rich tables where there is colour, else plain lines; nothing is printed here."""

import math
import re
import textwrap
from collections.abc import Callable, Sequence
from itertools import groupby
from typing import TypeVar

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table as RichTable
from rich.text import Text

from sloproof.foreign_text import visible
from sloproof.report import tables, wording
from sloproof.report.load_rows import LoadPhaseRow, QuantileRow
from sloproof.report.model import ExpectationRow, ObjectiveRow, RunReport
from sloproof.verdict.statistics import FEWEST_BATCHES

STYLES = {"PASS": "bold green", "FAIL": "bold red", "UNDECIDED": "bold yellow"}
SYMBOLS = {"PASS": "✓", "FAIL": "✗", "UNDECIDED": "?"}
_INDENT = " " * 11
_UNIT, _JOINED = re.compile(r"(?<=\d) (?=(%|ms|s|min|h|d)(\W|$))"), "\u00a0"
LEAST_WIDTH = 40
_SUREST = 0.999999
Row = TypeVar("Row", ExpectationRow, ObjectiveRow, LoadPhaseRow)


def expectation_table(report: RunReport) -> RenderableType:
    """Expected against observed, as a rich table.

    Args:
        report: the run.

    Returns:
        A table, or a sentence where nothing was expected; markup in foreign text is not interpreted.
    """
    return drawn_table(tables.expectations(report))


def render_terminal(report: RunReport) -> RenderableType:
    """The verdict, the headline, what was expected against what was observed, and the objectives.

    Args:
        report: the run.
    """
    stamp = (f"{SYMBOLS[report.verdict]} {report.verdict}", STYLES[report.verdict])
    verdict = Text.assemble(stamp, " ", (visible(report.title), "bold"))
    headline = Text(visible(report.headline))
    made = [drawn_table(table(report)) for table in (tables.expectations, tables.objectives_in_brief)]
    made += [
        drawn_table(table)
        for table in (tables.latency(report), tables.load(report), tables.comparisons(report))
        if table.rows
    ]
    return Group(*made, Text(""), verdict, headline)


def render_plain(report: RunReport, width: int = 80) -> str:
    """Expected against observed as plain lines: no colour, no frame, for logs and screen readers.

    Args:
        report: the run.
        width: columns to stay within; at least 40.

    Returns:
        One entry a row under a heading for each phase, the verdict in words first; then the objectives and
        the load in the same way; the run's verdict is the last line.
    """
    columns = max(width, LEAST_WIDTH)
    expected = _phased(report.expectations, _entry, columns) or ["Nothing was expected of this run."]
    judged = _phased(report.objectives, _objective_entry, columns)
    objectives = ["", "objectives", *judged] if judged else []
    loaded = _phased(report.load, _load_entry, columns)
    load = ["", "load", *loaded] if loaded else []
    figures = [*_latency_lines(report, columns), *load, *_comparison_lines(report, columns)]
    last = wrapped(report.verdict, f"{report.title}: {report.headline}", columns)
    return "\n".join([*expected, *objectives, *figures, *([""] if judged or figures else []), *last]) + "\n"


def _latency_lines(report: RunReport, width: int) -> list[str]:
    rows = tables.latency(report).rows
    told = [f"{name} in {phase}: {value}{_bounds(low, high)}" for name, phase, value, low, high in rows]
    open_ones = [row for row in report.latency if row.value is not None and row.upper is None]
    if open_ones:
        told.append(
            f"an upper bound takes at least {FEWEST_BATCHES} s and {_requests_for_bounds(open_ones)}, and more where "
            "slow requests come in clusters"
        )
    return ["", "latency", *(line for text in told for line in wrapped("", text, width))] if told else []


def _requests_for_bounds(rows: Sequence[QuantileRow]) -> str:
    """How many requests an upper bound of each quantile takes, if none of them is slower than it."""
    sure = {row.q: min(row.confidence, _SUREST) for row in rows if 0 < row.q < 1}
    needed = {f"p{q * 100:g}": math.ceil(math.log1p(-sure[q]) / math.log(q)) for q in sorted(sure)}
    return ", ".join(f"{wording.count(count)} requests for {name}" for name, count in needed.items())


def _bounds(low: str, high: str) -> str:
    """The bounds that are known, behind a value."""
    known = [(word, bound) for word, bound in (("at least", low), ("at most", high)) if bound != wording.NO_DATA]
    return "".join(f", {word} {bound}" for word, bound in known)


def _comparison_lines(report: RunReport, width: int) -> list[str]:
    rows = tables.comparisons(report).rows
    title = textwrap.wrap(visible(report.compared_with), width, subsequent_indent="  ")
    told = [line for verdict, _, text in rows for line in wrapped("" if verdict == "-" else verdict, text, width)]
    return ["", *title, *told] if told else []


def _phased(rows: Sequence[Row], entry: Callable[[Row, int], list[str]], width: int) -> list[str]:
    lines: list[str] = []
    for phase, found in groupby(rows, key=lambda row: row.phase):
        if phase:
            lines += textwrap.wrap(visible(f"phase: {phase}"), width, subsequent_indent="  ")
        lines += [line for row in found for line in entry(row, width)]
    return lines


def wrapped(start: str, text: str, width: int) -> list[str]:
    """Text in lines within a width, indented behind a first word; a figure and its unit stay together."""
    first, whole = f"{start:<{len(_INDENT) - 1}} ", _UNIT.sub(_JOINED, visible(text))
    lines = textwrap.wrap(whole, width, initial_indent=first, subsequent_indent=_INDENT) or [start]
    return [line.replace(_JOINED, " ") for line in lines]


def _entry(row: ExpectationRow, width: int) -> list[str]:
    observed = f"{row.observed} ({row.detail})" if row.detail else row.observed
    return wrapped(row.verdict, f"expected: {row.expected}", width) + wrapped("", f"observed: {observed}", width)


def _judged(row: ObjectiveRow) -> tuple[str, ...]:
    decided = f"{tables.counts_of(row.decided_on)}; {tables.bounds(row)}"
    if row.decided_on == row.by_generator:
        return (f"load generator: {decided}",)
    return f"judged, without the warm-up: {decided}", f"load generator, with it: {tables.counts_of(row.by_generator)}"


def _objective_entry(row: ObjectiveRow, width: int) -> list[str]:
    told = (
        *_judged(row),
        f"Prometheus: {tables.counts_of(row.by_prometheus)}; difference: {wording.points(row.difference)}",
        f"budget spent: {tables.spent(row)}",
        *([row.note] if row.note else []),
    )
    first = wrapped(tables.stamp(row), f"{row.slo} {row.objective} %", width)
    return first + [line for text in told for line in wrapped("", text, width)]


def drawn_table(table: tables.Table) -> RenderableType:
    """A table for a terminal with colour, or its sentence where it has no rows; foreign markup is not interpreted."""
    if not table.rows:
        return Text(table.empty)
    drawn = RichTable(
        title=Text(visible(table.title), style="bold"),
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
    verdict = text.strip("()")
    if verdict not in STYLES:
        return Text(visible(text))
    return Text(f"{SYMBOLS[verdict]} {text}", style=STYLES[text] if text == verdict else "dim")


def _load_entry(row: LoadPhaseRow, width: int) -> list[str]:
    if not row.requests:
        return wrapped("", f"{row.name}: no requests in {wording.elapsed(row.seconds)}", width)
    latency = (f"{name} {wording.milliseconds(value)}" for name, value in tables.quantiles_of(row))
    seen = f"{wording.count(row.requests)} requests in {wording.elapsed(row.seconds)}, {wording.rate(row.rate)}"
    ended = ", ".join([f"{wording.ratio(row.failure_ratio)} failed", *tables.not_served(row)])
    text = f"{row.name}: {seen}; {', '.join(latency)}; {ended}"
    return wrapped("", text, width)
