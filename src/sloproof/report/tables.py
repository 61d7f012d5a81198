"""A run's tables as rows of plain text, for the formats that have no page: Markdown and the terminal."""

from collections.abc import Sequence
from dataclasses import dataclass

from sloproof.report import wording
from sloproof.report.alert_times import Change, changes
from sloproof.report.load_rows import ComparisonRow, LoadPhaseRow, SpanRow, TraceRow
from sloproof.report.model import EventCounts, FaultBar, ObjectiveRow, RunReport

_WORTH_TELLING = 0.001
"""Seconds of waiting in the generator; less is the clock's own grain."""


@dataclass(frozen=True)
class Table:
    """A table of plain, foreign text: whoever shows it escapes it.

    Args:
        title: what it is.
        columns: their names.
        rows: one text a column.
        empty: the sentence that stands in its place without rows.
    """

    title: str
    columns: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]
    empty: str


def expectations(report: RunReport) -> Table:
    """What was expected and what was observed."""
    rows = [
        (row.verdict, _with(row.expected, row.phase), _with(row.observed, row.detail)) for row in report.expectations
    ]
    columns = ("Verdict", "Expected", "Observed")
    return Table("Expected and observed", columns, rows, "Nothing was expected of this run.")


def objectives(report: RunReport) -> Table:
    """Each objective by both sources."""
    columns = ("Verdict", "Objective", "Phase", "Judged", "Load generator", "Prometheus", "Difference", "Budget spent")
    rows = [_objective(row) for row in report.objectives]
    return Table("Objectives", columns, rows, "No objective was judged in this run.")


def _objective(row: ObjectiveRow) -> tuple[str, ...]:
    bounded = row.lower is not None or row.upper is not None
    return (
        stamp(row),
        _with(f"{row.slo} {row.objective} %", row.note),
        row.phase,
        _with(
            counts_of(row.decided_on), f"{wording.ratio(row.lower)} to {wording.ratio(row.upper)}" if bounded else ""
        ),
        counts_of(row.by_generator),
        counts_of(row.by_prometheus),
        wording.points(row.difference),
        spent(row),
    )


def objectives_in_brief(report: RunReport) -> Table:
    """The same in five columns, for 80 characters."""
    columns = ("Verdict", "Objective", "Bad events", "Prometheus differs by", "Budget spent")
    rows = [_objective_in_brief(row) for row in report.objectives]
    return Table("Objectives", columns, rows, "No objective was judged in this run.")


def _objective_in_brief(row: ObjectiveRow) -> tuple[str, ...]:
    where = "; ".join(text for text in (row.phase, row.note) if text)
    name = _with(f"{row.slo} {row.objective} %", where)
    bad = f"{counts_of(row.decided_on)}; {bounds(row)}"
    return stamp(row), name, bad, wording.points(row.difference), wording.spent(row.budget_spent)


def stamp(row: ObjectiveRow) -> str:
    """An objective's verdict, in brackets where no expectation asked it to hold."""
    return row.verdict if row.must_hold else f"({row.verdict})"


def bounds(row: ObjectiveRow) -> str:
    """The bounds of the judged error ratio."""
    if row.lower is None and row.upper is None:
        return f"bounds: {wording.NO_DATA}"
    return f"at least {wording.ratio(row.lower)}, at most {wording.ratio(row.upper)}"


def spent(row: ObjectiveRow) -> str:
    """The share of the budget that was spent, and of which."""
    window = row.budget_window if row.budget_window and row.budget_spent is not None else ""
    joint = " " if wording.spent(row.budget_spent).endswith("times") else " of "
    return wording.spent(row.budget_spent) + (f"{joint}{window}" if window else "")


def latency(report: RunReport) -> Table:
    """The quantiles of each phase, with their bounds."""
    rows = [
        (
            f"p{row.q * 100:g}",
            row.phase,
            "not known" if row.value is None else wording.milliseconds(row.value),
            wording.milliseconds(row.lower),
            wording.milliseconds(row.upper),
        )
        for row in report.latency
    ]
    first = next(iter(report.latency), None)
    error = f", each bound with {wording.ratio(first.confidence)} confidence" if first else ""
    within = f"values within {wording.ratio(first.relative_error)}" if first else ""
    title = f"Latency ({within}{error})" if first else "Latency"
    columns = ("Quantile", "Phase", "Value", "At least", "At most")
    return Table(title, columns, rows, f"Latency: {wording.NO_DATA}.")


def comparisons(report: RunReport) -> Table:
    """This run beside an earlier one; a verdict in brackets decides nothing."""
    rows = [(_decided(row), row.figure, row.told) for row in report.comparisons]
    empty = "This run was not compared with an earlier one."
    return Table(report.compared_with or "Comparison", ("Verdict", "Figure", "Change"), rows, empty)


def _decided(row: ComparisonRow) -> str:
    return row.verdict if row.decides else "-"


def load(report: RunReport) -> Table:
    """What became of the requests of each phase of the load."""
    columns = ("Load", "Length", "Requests", "Rate", "p50", "p95", "p99", "Failed")
    rows = [
        (
            _with(row.name, row.phase),
            wording.elapsed(row.seconds),
            wording.count(row.requests),
            wording.rate(row.rate),
            *(wording.milliseconds(value) for _, value in quantiles_of(row)),
            ", ".join([wording.ratio(row.failure_ratio), *not_served(row)]),
        )
        for row in report.load
    ]
    return Table("Load", columns, rows, f"The figures of the load: {wording.NO_DATA}.")


def not_served(row: LoadPhaseRow) -> list[str]:
    """What became of requests that are no failures and were not served either, in words; none without such."""
    open_ones = [f"{wording.count(row.unanswered)} never answered"] if row.unanswered else []
    return open_ones + ([f"{wording.count(row.turned_away)} answered 4xx or 429"] if row.turned_away else [])


def quantiles_of(row: LoadPhaseRow) -> tuple[tuple[str, float | None], ...]:
    """The quantiles of a phase by their names, milliseconds."""
    return ("p50", row.p50), ("p95", row.p95), ("p99", row.p99)


def alerts(report: RunReport) -> Table:
    """When each alert changed its state, beside the promise."""
    rows = [(alert.alert, *(_change(change) for change in changes(alert, report))) for alert in report.alerts]
    columns = ("Alert", "Pending", "Firing", "Notified", "Resolved")
    return Table("Alerts", columns, rows, "No alert was watched in this run.")


def faults(report: RunReport) -> Table:
    """What was broken, when, and how its effect was seen."""
    rows = [_fault(fault, report) for fault in report.faults]
    return Table("Faults", ("Fault", "Injected", "Undone", "Effect"), rows, "Nothing was broken in this run.")


def deploys(report: RunReport) -> Table:
    """Releases that came into service meanwhile."""
    rows = [(one.release, wording.elapsed(one.at - report.started_at)) for one in report.deploys]
    return Table("Deploys", ("Release", "In service"), rows, "No deploy was recorded in this time.")


def balance(report: RunReport) -> Table:
    """The share of each instance around the fault."""
    rows = [
        (row.instance, *(wording.ratio(share) for share in (row.before, row.during, row.after)))
        for row in report.balance
    ]
    title = f"Balance around the fault: {report.balance_fault}" if report.balance_fault else "Balance"
    return Table(
        title, ("Instance", "Before", "During", "After"), rows, f"The balance between instances: {wording.NO_DATA}."
    )


def generator(report: RunReport) -> Table:
    """The health of the load generator."""
    rows = [(row.verdict, row.name, row.observed) for row in report.generator]
    empty = f"The health of the load generator: {wording.NO_DATA}."
    return Table("Load generator", ("Verdict", "What", "Observed"), rows, empty)


def traces(report: RunReport) -> Table:
    """Requests to look into, with what the target did for them where it told any spans."""
    traced = any(row.spans for row in report.traces)
    rows = [
        (
            row.why,
            _with(row.name, answer(row)),
            wording.elapsed(row.started_at - report.started_at),
            lasted(row.latency),
            *(_spent(row) if traced else ()),
            row.trace_id,
        )
        for row in report.traces
    ]
    spent = ("In the target", "On the way", "Spans") if traced else ()
    columns = ("Why", "Request", "Started", "Latency", *spent, "Trace")
    return Table("Requests to look into", columns, rows, "No request was kept with its trace.")


def _spent(row: TraceRow) -> tuple[str, str, str]:
    spans = "; ".join(span_sentence(span) for span in row.spans) or wording.NO_DATA
    return lasted(row.in_target), lasted(row.outside), spans


def answer(row: TraceRow) -> str:
    """What came back, and in which phase."""
    status = str(row.status) if row.status else "no answer"
    waited = f"waited {lasted(row.waited)} to be sent" if row.waited > _WORTH_TELLING else ""
    return ", ".join(part for part in (status, row.phase, waited) if part)


def span_sentence(span: SpanRow) -> str:
    """One span in words: who, what, how long, and from when."""
    failed = ", an error" if span.failed else ""
    who = f"{span.instance}: " if span.instance else ""
    return f"{who}{span.name} {lasted(span.lasted)}, from {lasted(span.began_after)}{failed}"


def lasted(seconds: float | None) -> str:
    """A length of a request or of a part of it; seconds in, mostly milliseconds out."""
    return wording.milliseconds(None if seconds is None else seconds * 1000)


def environment(report: RunReport) -> Table:
    """Names and versions."""
    rows = list(report.environment.items())
    return Table("Versions and environment", ("What", "Version"), rows, f"Versions: {wording.NO_DATA}.")


def all_tables(report: RunReport) -> list[Table]:
    """Every table of a report, in its order."""
    made = (
        *(expectations, objectives, latency, load, comparisons),
        *(alerts, faults, deploys, balance, generator, traces, environment),
    )
    return [make(report) for make in made]


def _with(text: str, aside: str) -> str:
    return f"{text} ({aside})" if aside else text


def counts_of(counts: EventCounts | None) -> str:
    """The error ratio of one source with its events."""
    if counts is None:
        return wording.NO_DATA
    return f"{wording.ratio(counts.error_ratio)}, {wording.count(counts.bad)} bad of {wording.count(counts.total)}"


def _change(change: Change) -> str:
    told = change.measured if change.at is None else f"{change.measured} {change.origin}"
    return _with(told, f"promised {change.promise}: {change.judgement}" if change.promise else "")


def _fault(fault: FaultBar, report: RunReport) -> tuple[str, ...]:
    undone = "not undone" if fault.undone_at is None else wording.elapsed(fault.undone_at - report.started_at)
    injected = wording.elapsed(fault.injected_at - report.started_at)
    return fault.label, injected, undone, fault.verified or "not verified"
