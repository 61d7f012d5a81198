"""What was measured over the time of a run, as charts: the generator's seconds, and Prometheus's recorded series."""

from collections.abc import Callable, Iterator, Sequence

from sloproof import names
from sloproof.alerts import BurnPolicy, Timing
from sloproof.alerts.recording import recorded
from sloproof.chaos.stage import Stage
from sloproof.definition import format_duration
from sloproof.loadtests import histogram
from sloproof.loadtests.evaluation import per_second
from sloproof.loadtests.second import Second
from sloproof.prometheus import Prometheus
from sloproof.report.model import Chart, Limit, Series
from sloproof.report.recorded import Point
from sloproof.slo import SLO

MOST_POINTS = 1_200
"""More points than a chart has pixels only make the file larger."""
MILLISECONDS = 1_000.0


def run_charts(stages: Sequence[Stage], prometheus: Prometheus | None) -> list[Chart]:
    """Every chart of a run.

    Args:
        stages: its parts, in order.
        prometheus: the adapter of the Prometheus that watched it; None where none did.
    """
    if prometheus is None:
        return [_rate(stages), _latency(stages, [])]
    facts = stages[0].facts
    start, end = facts.load.started_at, max(stage.facts.load.ended_at for stage in stages) + 5
    slos = [result.slo for result in facts.objectives]
    return [
        _rate(stages),
        _latency(stages, slos),
        *(_error_ratio(stages, slo, prometheus, facts.timing, start, end) for slo in slos),
        *(_burn(slo, facts.policies[slo.identity], prometheus, facts.timing, start, end) for slo in slos),
        _instances(stages, facts.instances),
    ]


def _rate(stages: Sequence[Stage]) -> Chart:
    asked = [
        (at, stage.facts.load.asked_rate)
        for stage in stages
        if stage.facts.load.asked_rate is not None
        for at in (stage.facts.load.started_at, stage.facts.load.drained_from)
    ]
    achieved = _seconds(stages, lambda second: float(second.completed))
    lines = (Series(label="asked", points=_stepwise(stages, asked)), Series(label="achieved", points=achieved))
    return Chart(title="Request rate", unit="requests/s", series=lines)


def _stepwise(stages: Sequence[Stage], asked: Sequence[tuple[float, float]]) -> tuple[Point, ...]:
    """A level a stage, with nothing asked between the stages."""
    gaps: list[Point] = [(stage.facts.load.drained_from + 0.5, None) for stage in stages]
    return tuple(sorted([*asked, *gaps], key=lambda point: point[0]))


def _latency(stages: Sequence[Stage], slos: Sequence[SLO]) -> Chart:
    lines = tuple(
        Series(label=label, points=_seconds(stages, _quantile(q)))
        for label, q in (("p50", 0.5), ("p95", 0.95), ("p99", 0.99))
    )
    limits = tuple(
        Limit(value=float(slo.sli.client_threshold) * MILLISECONDS, label=f"{slo.name} threshold")
        for slo in slos
        if slo.sli.client_threshold is not None
    )
    return Chart(title="Latency, as users saw it", unit="ms", series=lines, limits=limits, logarithmic=True, band=True)


def _quantile(q: float) -> Callable[[Second], float | None]:
    def read(second: Second) -> float | None:
        seconds = histogram.quantile(second.latency, q)
        return None if seconds is None else seconds * MILLISECONDS

    return read


def _error_ratio(
    stages: Sequence[Stage], slo: SLO, prometheus: Prometheus, timing: Timing, start: float, end: float
) -> Chart:
    seen = tuple(
        (at, bad / total if total else None) for stage in stages for at, bad, total in per_second(stage.facts.load, slo)
    )
    counted = _recorded(names.error_ratio(timing.base), slo, prometheus, timing, start, end)
    return Chart(
        title=f"Bad events: {slo.identity}",
        unit="ratio",
        series=(
            Series(label="generator", points=seen),
            Series(label="Prometheus", points=counted),
        ),
        limits=(Limit(value=float(slo.budget), label="allowed"),),
    )


def _burn(slo: SLO, policy: BurnPolicy, prometheus: Prometheus, timing: Timing, start: float, end: float) -> Chart:
    lines = []
    for tier in policy.tiers:
        points = _recorded(names.error_ratio(tier.long), slo, prometheus, timing, start, end)
        burn = tuple((at, None if value is None else value / float(slo.budget)) for at, value in points)
        lines.append(Series(label=f"{tier.name} {format_duration(tier.long)}", points=burn))
    factors = dict.fromkeys((tier.factor(slo.window), tier.name) for tier in policy.tiers)
    limits = tuple(Limit(value=float(factor), label=f"{name} fires") for factor, name in factors)
    return Chart(title=f"Burn rate: {slo.identity}", unit="x", series=tuple(lines), limits=limits)


def _instances(stages: Sequence[Stage], instances: Sequence[str]) -> Chart:
    lines = tuple(Series(label=name, points=_seconds(stages, _served(name))) for name in instances)
    return Chart(title="Answers by instance", unit="requests/s", series=lines)


def _served(name: str) -> Callable[[Second], float | None]:
    return lambda second: float(second.served_by.get(name, 0))


def _seconds(stages: Sequence[Stage], value: Callable[[Second], float | None]) -> tuple[Point, ...]:
    return tuple((second.at + 0.5, value(second)) for stage in stages for second in stage.facts.load.seconds)


def _recorded(
    metric: str, slo: SLO, prometheus: Prometheus, timing: Timing, start: float, end: float
) -> tuple[Point, ...]:
    step = max(timing.real(timing.evaluation).total_seconds(), (end - start) / MOST_POINTS)
    answer = prometheus.range(str(recorded(metric, slo, timing)), start, end, step)
    return tuple(_points(answer.series))


def _points(found: Sequence[object]) -> Iterator[Point]:
    for series in found:
        yield from series.points  # type: ignore[attr-defined]
