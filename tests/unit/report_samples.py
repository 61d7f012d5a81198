"""Realistic and hostile runs for the report's tests; `python tests/unit/report_samples.py` prints one as HTML."""

import random
import sys
from decimal import Decimal
from typing import Any

from sloproof.report.html import render_html
from sloproof.report.load_rows import ComparisonRow, HealthRow, LoadPhaseRow, QuantileRow, SpanRow, TraceRow
from sloproof.report.model import (
    AlertBar,
    BalanceRow,
    Chart,
    Deploy,
    EventCounts,
    ExpectationRow,
    FaultBar,
    Limit,
    ObjectiveRow,
    Phase,
    RunReport,
    Series,
    Span,
)
from sloproof.report.recorded import Point, Verdict

START = 1_795_356_202.0
SECONDS = 150
KILLED, BACK = 45, 60
SLOWED, UNDONE = 85, 135
SLOW = "800 ms into 30 % of requests"
PENDING, FIRING, NOTIFIED, RESOLVED = 115.2, 117.2, 118.5, 139.8
HOSTILE = (
    "<script>document.title='owned'</script>\"'></style><svg onload=alert(1)><img src=x onerror=alert(1)> "
    "javascript:alert(1) {{ 7*7 }} {% raw %} \u2028 \u202e \x1b[31m [red]x[/red] | `b` [a](http://x.test) @user "
)
LONG = "w" * 400


def _jitter(seed: int) -> random.Random:
    return random.Random(seed)


def _slow(second: int) -> bool:
    return SLOWED <= second < UNDONE


def _rate(second: int, chance: random.Random) -> float:
    return 40 + chance.uniform(-1.2, 1.2) - (6 if second == KILLED else 0)


def _quantile(base: float, slow: float, spread: float, seed: int) -> tuple[Point, ...]:
    chance = _jitter(seed)
    points: list[Point] = []
    for second in range(SECONDS):
        value = slow if _slow(second) else base * (2.2 if KILLED <= second < KILLED + 2 else 1)
        points.append((START + second, value * chance.uniform(1 - spread, 1 + spread)))
    return tuple(points)


def _burn(window: int) -> tuple[Point, ...]:
    """A burn rate over a window of this many seconds: 30 % slow requests of 5 % allowed burn 6x."""
    points: list[Point] = []
    for second in range(10, SECONDS, 2):
        span = min(window, second)
        points.append((START + second, 6.0 * sum(_slow(at) for at in range(second - span, second)) / span))
    return tuple(points)


def _errors(seed: int) -> tuple[Point, ...]:
    chance = _jitter(seed)
    return tuple((START + second, 0.025 if second == KILLED else 0.0003 * chance.random()) for second in range(SECONDS))


def _charts() -> tuple[Chart, ...]:
    chance = _jitter(1)
    asked = tuple((START + second, 40.0) for second in range(SECONDS))
    achieved = tuple((START + second, _rate(second, chance)) for second in range(SECONDS))
    return (
        Chart(
            title="Request rate",
            unit="requests/s",
            series=(Series(label="asked", points=asked), Series(label="achieved", points=achieved)),
        ),
        Chart(
            title="Latency",
            unit="ms",
            logarithmic=True,
            band=True,
            series=(
                Series(label="p50", points=_quantile(9.0, 10.5, 0.12, 2)),
                Series(label="p95", points=_quantile(42.0, 810.0, 0.06, 3)),
                Series(label="p99", points=_quantile(71.0, 838.0, 0.09, 4)),
            ),
            limits=(Limit(value=500, label="promised to 95 %"),),
        ),
        Chart(
            title="Error ratio",
            unit="ratio",
            series=(Series(label="5xx", points=_errors(5)),),
            limits=(Limit(value=0.001, label="allowed"),),
        ),
        Chart(
            title="Burn rate of tasks/latency",
            unit="x",
            series=(Series(label="long, 60 s", points=_burn(60)), Series(label="short, 5 s", points=_burn(5))),
            limits=(Limit(value=3, label="fires above"),),
        ),
    )


def _objectives() -> tuple[ObjectiveRow, ...]:
    def row(verdict: Verdict, phase: str, slo: str, counts: tuple[int, float, int], **more: Any) -> ObjectiveRow:
        bad, scraped, total = counts
        return ObjectiveRow(
            phase=phase,
            slo=slo,
            objective=Decimal("99.9" if slo == "tasks/availability" else "95"),
            verdict=verdict,
            by_generator=EventCounts(bad=bad, total=total),
            by_prometheus=EventCounts(bad=scraped, total=total - 3),
            budget_window="30d",
            **more,
        )

    open_note = "needs 3,340 more requests to decide"
    return (
        row("PASS", "steady load", "tasks/availability", (0, 0, 1604), lower=0, upper=0.00077, budget_spent=0),
        row("PASS", "steady load", "tasks/latency", (2, 2, 1604), lower=0.0004, upper=0.0031, budget_spent=4e-7),
        row(
            "UNDECIDED",
            "lose one instance",
            "tasks/availability",
            (1, 1, 1604),
            lower=0.00003,
            upper=0.0046,
            judged=EventCounts(bad=1, total=1204),
            budget_spent=0.00001,
            note=open_note,
        ),
        row(
            "FAIL",
            "slow backend",
            "tasks/latency",
            (523, 519.7, 2804),
            lower=0.17,
            upper=0.204,
            budget_spent=0.00012,
            must_hold=False,
            note="not expected to hold here",
        ),
    )


def _expectation(phase: str, expected: str, observed: str, detail: str = "") -> ExpectationRow:
    return ExpectationRow(phase=phase, expected=expected, observed=observed, verdict="PASS", detail=detail)


def _expectations() -> tuple[ExpectationRow, ...]:
    steady, lost, slow = "steady load", "lose one instance", "slow backend"
    return (
        _expectation(steady, "tasks/availability holds", "0 bad of 1,604", "at most 0.077 % bad, 0.1 % allowed"),
        _expectation(steady, "tasks/latency holds", "0.125 % slower than 500 ms", "at most 0.31 %, 5 % allowed"),
        _expectation(lost, "a1 takes no requests while it is down", "a1 served 0 %, a2 100 %", "last one 0.4 s later"),
        _expectation(lost, "a1 serves again", "a1 served 49.7 % after its return", "first request after 2.1 s"),
        _expectation(slow, "tasks/latency is missed", "18.7 % slower than 500 ms", "at least 17 %, 5 % allowed"),
        _expectation(slow, "TasksLatencyFastBurn fires", "fired 32 s after the fault", "promised 30-35 s"),
        _expectation(slow, "Alertmanager notifies", "notified 1.3 s after it fired"),
        _expectation(slow, "TasksLatencyFastBurn resolves", "resolved 4.8 s after the undo", "promised 3-7 s"),
    )


def _faults() -> tuple[FaultBar, ...]:
    killed = "a1 answered no health check from 0.2 s on"
    slowed = "p95 rose from 42 ms to 810 ms"
    return (
        FaultBar(label="kill a1", injected_at=START + KILLED, undone_at=START + BACK, verified=killed),
        FaultBar(label=SLOW, injected_at=START + SLOWED, undone_at=START + UNDONE, verified=slowed),
    )


def _alert() -> AlertBar:
    return AlertBar(
        alert="TasksLatencyFastBurn",
        pending_at=START + PENDING,
        firing_at=START + FIRING,
        notified_at=START + NOTIFIED,
        resolved_at=START + RESOLVED,
        promised_firing=Span(start=START + SLOWED + 30, end=START + SLOWED + 35),
        promised_clearing=Span(start=START + UNDONE + 3, end=START + UNDONE + 7),
        fault=SLOW,
    )


def _health() -> tuple[HealthRow, ...]:
    return (
        HealthRow(name="achieved against asked rate", observed="99.8 % (at least 98 %)", verdict="PASS"),
        HealthRow(name="scheduling lag, p99", observed="3.1 ms (at most 20 ms)", verdict="PASS"),
        HealthRow(name="processor", observed="31 % of one core (at most 80 %)", verdict="PASS"),
    )


def _traces() -> tuple[TraceRow, ...]:
    """A request that was sent twice by the balancer, one that was slow in the target, one that nobody answered."""
    slow = SpanRow(name="GET /tarefas/{id}", instance="a2", began_after=0.003, lasted=0.811)
    first = SpanRow(name="GET /tarefas", instance="a1", began_after=0.001, lasted=0.02, failed=True)
    second = SpanRow(name="GET /tarefas", instance="a2", began_after=0.048, lasted=0.015)
    named = [
        ("lose one instance", "failed: 5xx", "GET /tarefas", 503, KILLED + 1, 0.07, (first, second)),
        ("lose one instance", "failed: connection", "POST /tarefas", 0, KILLED + 1.4, 0.002, ()),
        ("slow backend", "among the slowest", "GET /tarefas/{id}", 200, SLOWED + 7.2, 0.832, (slow,)),
    ]
    first_id = 0x4BF92F3577B34DA6A3CE929D0E0E4736
    return tuple(
        TraceRow(
            phase=phase,
            why=why,
            name=name,
            status=status,
            started_at=START + at,
            latency=latency,
            spans=spans,
            trace_id=f"{number:032x}",
        )
        for number, (phase, why, name, status, at, latency, spans) in enumerate(named, first_id)
    )


def realistic(verdict: Verdict = "PASS") -> RunReport:
    """A demo of 150 s: steady load, a1 killed and back, a slow backend, its alert fired and resolved."""
    return RunReport(
        title="Demo: the tasks system under load and faults",
        verdict=verdict,
        headline="Availability held while one of two instances was lost, and the latency alert fired 32 s after "
        "the backend slowed, as promised.",
        command="sloproof demo",
        repeat="sloproof demo --seed 7",
        started_at=START,
        ended_at=START + SECONDS,
        system="tasks",
        scale=60,
        expectations=_expectations(),
        objectives=_objectives(),
        latency=(
            QuantileRow(phase="steady load", q=0.5, value=42.1, lower=40.3, upper=44.0, relative_error=0.01),
            QuantileRow(phase="steady load", q=0.99, value=812.0, lower=640.0, relative_error=0.01),
            QuantileRow(phase="lose one instance", q=0.99, lower=1650.0, relative_error=0.01),
        ),
        compared_with="Compared with run 12 (2026-11-01 10:00 UTC, release 1.4)",
        comparisons=(
            ComparisonRow(
                figure="p95",
                verdict="PASS",
                decides=True,
                before=0.2,
                after=0.204,
                lower=0.01,
                upper=0.03,
                told="p95 is slower by 2 % (1 % to 3 %); at most 5 % slower is accepted",
            ),
            ComparisonRow(
                figure="p50",
                verdict="UNDECIDED",
                decides=False,
                before=0.04,
                after=0.04,
                lower=-0.03,
                upper=0.02,
                told="no change of p50 seen: between 3 % faster and 2 % slower",
            ),
        ),
        phases=(
            Phase(name="steady load", start=START, end=START + 40),
            Phase(name="lose one instance", start=START + 40, end=START + 80),
            Phase(name="slow backend", start=START + 80, end=START + 150),
        ),
        faults=_faults(),
        alerts=(_alert(),),
        deploys=(Deploy(release="1.4.2", at=START + 22),),
        charts=_charts(),
        balance_fault="kill a1",
        balance=(
            BalanceRow(instance="a1", before=0.502, during=0.0, after=0.497),
            BalanceRow(instance="a2", before=0.498, during=1.0, after=0.503),
        ),
        load=(
            LoadPhaseRow(phase="steady load", name="warm-up", seconds=7, requests=700, failed=0, p50=4, p95=9, p99=31),
            LoadPhaseRow(
                phase="steady load", name="spike", seconds=20, requests=9_000, failed=90, p50=6, p95=48, p99=1_240
            ),
            LoadPhaseRow(phase="steady load", name="silence", seconds=5, requests=0, failed=0),
        ),
        generator=_health(),
        traces=_traces(),
        environment={
            "sloproof": "0.1.0",
            "Python": "3.11.7",
            "Prometheus": "2.42.0",
            "Alertmanager": "0.25.0",
            "Envoy": "1.35.0",
            "PostgreSQL": "16.2",
            "Locust": "2.47.0",
            "Chaos Toolkit": "1.19.0",
        },
        notes=("Windows were divided by 60, so that a 1 h window is 60 s here; the alert's arithmetic is the same.",),
    )


def empty() -> RunReport:
    """A run that ended at once and measured nothing."""
    chart = Chart(title="Latency", unit="ms", series=(Series(label="p95"),))
    return RunReport(
        title="Gate",
        verdict="UNDECIDED",
        headline="Nothing was measured.",
        started_at=START,
        ended_at=START,
        charts=(chart,),
    )


def crowded() -> RunReport:
    """Three phases with faults in which twelve alerts live, most of them several times, close together."""
    report, lives = realistic(), []
    tiers = ("Fast", "Medium", "Slow", "Trickle")
    alerts = [f"{service}{tier}Burn" for service in ("TasksAvailability", "TasksLatency", "Quiet") for tier in tiers]
    for begin, end in ((0, 40), (40, 80), (80, 150)):
        for place, alert in enumerate(alerts):
            quiet = alert.startswith("Quiet") and tiers[place % 4] != "Slow"
            pending = None if quiet else START + begin + 3 + place * 1.4
            firing = None if pending is None else pending + 1
            lives.append(
                AlertBar(
                    alert=alert,
                    pending_at=pending,
                    firing_at=firing,
                    notified_at=None if firing is None else firing + 1,
                    resolved_at=None if firing is None or place % 3 else min(firing + 12, START + end),
                    promised_firing=Span(start=START + begin + 4, end=START + begin + 9),
                    until=START + end,
                )
            )
    return report.model_copy(update={"alerts": tuple(lives)})


def hostile() -> RunReport:
    """The realistic run with hostile text in every place that takes text."""

    def poisoned(value: object, key: str = "") -> object:
        if isinstance(value, dict):
            return {
                HOSTILE + LONG if key == "environment" else name: poisoned(inner, name) for name, inner in value.items()
            }
        if isinstance(value, list):
            return [poisoned(inner, key) for inner in value]
        kept = key in ("verdict", "unit", "objective", "schema_version")
        return f"{value}{HOSTILE}{LONG}" if isinstance(value, str) and value and not kept else value

    return RunReport.model_validate(poisoned(realistic().model_dump(mode="json")))


def ten_minutes() -> RunReport:
    """600 s as a load of two objectives draws them: nineteen lines in seven charts, one noisy point a second."""
    chance = _jitter(9)

    def line(label: str) -> Series:
        return Series(label=label, points=tuple((START + second, chance.uniform(1, 900)) for second in range(600)))

    def chart(number: int, lines: int) -> Chart:
        made = tuple(line(f"line {number}.{one}") for one in range(lines))
        return Chart(title=f"Chart {number}", unit="ms", series=made, band=lines == 3)

    charts = tuple(chart(number, lines) for number, lines in enumerate((2, 3, 2, 2, 4, 4, 2)))
    return realistic().model_copy(update={"charts": charts, "ended_at": START + 600})


if __name__ == "__main__":
    made = {"realistic": realistic, "empty": empty, "hostile": hostile, "crowded": crowded, "ten_minutes": ten_minutes}
    sys.stdout.write(render_html(made[sys.argv[1] if len(sys.argv) > 1 else "realistic"]()))
