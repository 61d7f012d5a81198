"""slo/too-little-traffic: an objective that cannot page, because too little happens in its windows."""

from collections.abc import Iterator
from datetime import timedelta
from math import isnan

from sloproof.alerts import BurnTier
from sloproof.alerts.burn_alerts import percent
from sloproof.checks.subject import Place, Subject
from sloproof.definition import format_duration
from sloproof.errors import Problem
from sloproof.prometheus import Prometheus
from sloproof.prometheus_answers import Series
from sloproof.slo import SLO

ID = "slo/too-little-traffic"
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)


def check(subject: Subject, prometheus: Prometheus, start: float, end: float) -> Iterator[Problem]:
    """Tiers whose long window holds too few events, at the mean traffic of the last day, to fire when they should."""
    for slo, place in subject.slos:
        if slo.budgeting == "slices":
            continue  # time passes at any traffic
        hourly = _events_an_hour(subject, slo, prometheus, end)
        if hourly is not None:
            tiers = subject.policies[slo.identity].tiers
            late = [tier for tier in tiers if hourly * (tier.long / HOUR) < _needed(slo, tier)]
            if late:
                yield _problem(slo, place, hourly, late)


def _needed(slo: SLO, tier: BurnTier) -> float:
    """Events in the long window from which on the threshold decides, and not the minimum of bad events."""
    return slo.minimum_bad_events / min(1.0, float(tier.threshold(slo)))


def _problem(slo: SLO, place: Place, hourly: float, late: list[BurnTier]) -> Problem:
    def seen(tier: BurnTier) -> float:
        return hourly * (tier.long / HOUR)

    never = [tier for tier in late if seen(tier) < slo.minimum_bad_events]
    first = (never or late)[0]
    group = f" (the quietest group of {', '.join(f'`{label}`' for label in slo.by)})" if slo.by else ""
    what = (
        f"{hourly:.3g} events an hour{group} bring {seen(first):.3g} in the `{format_duration(first.long)}` of the "
        f"`{first.name}` tier, and it needs {slo.minimum_bad_events} that are bad: "
    )
    if never:
        what += f"not even a full outage fires {', '.join(f'`{tier.name}`' for tier in never)}"
    else:
        floor = slo.minimum_bad_events / seen(first) * 100
        what += f"it fires from {floor:.3g} % of bad events on, and not from {percent(first.threshold(slo))}"
    return place.warning(
        what,
        ID,
        "add probes, so that there is traffic to judge; or promise less, join services, or watch longer windows",
    )


def _events_an_hour(subject: Subject, slo: SLO, prometheus: Prometheus, end: float) -> float | None:
    """The mean of the quietest group over the measured hours of the last day; None when no whole hour was measured."""
    base, hour = subject.timing.real(subject.timing.base), HOUR.total_seconds()
    start = end - DAY.total_seconds() + hour
    answer = prometheus.range(slo.sli.total(base if slo.sli.by_slices else HOUR, by=slo.by), start, end, hour)
    # The rate of an hour spreads the events of a young counter over all of it, as if there had been none before.
    before = prometheus.range(slo.sli.total(base, by=slo.by), start - hour, end - hour, hour)
    begun = {(_group(series), round(at + hour)) for series in before.series for at, _ in series.points}
    groups = [
        [value for at, value in series.points if not isnan(value) and (_group(series), round(at)) in begun]
        for series in answer.series
    ]
    return min((sum(rates) / len(rates) * hour for rates in groups if rates), default=None)


def _group(series: Series) -> frozenset[tuple[str, str]]:
    return frozenset(series.labels.items())
