"""A run as OpenMetrics text: its verdict, its objectives by both sources, its latency and its alerts' times."""

from collections.abc import Iterator, Mapping

from sloproof.report.alert_times import changes
from sloproof.report.judged import of_run
from sloproof.report.model import EventCounts, ObjectiveRow, RunReport
from sloproof.report.openmetrics import exposition, gauge
from sloproof.verdict.judge import Verdict

Labels = Mapping[str, str]


def render_openmetrics(report: RunReport) -> str:
    """Write a run as gauges; what was not measured is left out, and the release is no label.

    Args:
        report: the run.

    Returns:
        The exposition. `sloproof_run_passed` is 1 for PASS alone; seconds and ratios of 1.
    """
    judged = of_run(report)
    own = {"kind": judged.kind, "run": judged.name, "system": judged.system}
    return exposition([*_whole(report, own), *_objectives(report, own), *_load(report, own), *_alerts(report, own)])


def _whole(report: RunReport, own: Labels) -> Iterator[str]:
    judged, took = of_run(report), round(report.ended_at - report.started_at, 3)
    passed = int(judged.verdict is Verdict.PASS)
    counts = [({**own, "verdict": verdict.value}, judged.count(verdict)) for verdict in Verdict]
    yield from gauge(
        "sloproof_run_passed", "Whether the run passed: 1 for PASS, 0 for FAIL and UNDECIDED.", [(own, passed)]
    )
    yield from gauge("sloproof_run_exit_code", "What the command ended with.", [(own, judged.exit_code)])
    yield from gauge("sloproof_run_duration_seconds", "How long the run took.", [(own, took)], unit="seconds")
    yield from gauge("sloproof_run_findings", "How many findings have this verdict.", counts)


def _objectives(report: RunReport, own: Labels) -> Iterator[str]:
    rows = [({**own, "phase": row.phase, "slo": row.slo}, row) for row in report.objectives]
    passed = [(labels, int(row.verdict == Verdict.PASS.value)) for labels, row in rows if row.must_hold]
    yield from gauge("sloproof_objective_passed", "Whether an objective that had to hold held: 1 for PASS.", passed)
    sources = [
        ({**labels, "source": source}, counts.error_ratio)
        for labels, row in rows
        for source, counts in _sources(row)
        if counts is not None
    ]
    yield from gauge("sloproof_objective_error_ratio", "Bad events of all events, by source.", sources, unit="ratio")
    bounds = [
        ({**labels, "bound": bound}, value)
        for labels, row in rows
        for bound, value in (("lower", row.lower), ("upper", row.upper))
    ]
    yield from gauge("sloproof_objective_bound_ratio", "Bounds of the judged error ratio.", bounds, unit="ratio")
    spent = [(labels, row.budget_spent) for labels, row in rows]
    yield from gauge(
        "sloproof_objective_budget_spent_ratio", "Share of the budget that was spent.", spent, unit="ratio"
    )


def _sources(row: ObjectiveRow) -> tuple[tuple[str, EventCounts | None], ...]:
    return ("judged", row.judged), ("load generator", row.by_generator), ("Prometheus", row.by_prometheus)


def _load(report: RunReport, own: Labels) -> Iterator[str]:
    quantiles = [
        ({**own, "phase": row.phase, "quantile": f"{row.q:g}"}, None if row.value is None else row.value / 1000)
        for row in report.latency
    ]
    yield from gauge(
        "sloproof_latency_seconds", "Latency as users saw it, warm-up left out.", quantiles, "seconds", "summary"
    )
    phases = [({**own, "phase": row.phase, "load": row.name}, row) for row in report.load]
    requests = [(labels, float(row.requests)) for labels, row in phases]
    yield from gauge("sloproof_load_requests", "Requests that were due.", requests)
    failed = [(labels, float(row.failed)) for labels, row in phases]
    yield from gauge("sloproof_load_failed_requests", "Requests that failed; 4xx and 429 are answers.", failed)


def _alerts(report: RunReport, own: Labels) -> Iterator[str]:
    times = [
        ({**own, "alert": alert.alert, "life": str(number), "change": change.state}, round(change.at - change.since, 3))
        for number, alert in enumerate(report.alerts, start=1)
        for change in changes(alert, report)
        if change.at is not None and change.state in ("firing", "resolved")
    ]
    meaning = "Seconds from the fault to the firing and from its undo to the end of it; from the start without a fault."
    yield from gauge("sloproof_alert_after_seconds", meaning, times, unit="seconds")
