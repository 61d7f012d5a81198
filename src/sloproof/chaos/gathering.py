"""Asks every source about a run that is over: the load generator, Prometheus, its alerts, and who was notified."""

import json
import time
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from sloproof import names
from sloproof.alerts.promise import Events
from sloproof.alerts.recording import recorded
from sloproof.chaos.alert_watch import timelines, unwatched
from sloproof.chaos.facts import AlertTimeline, RunFacts
from sloproof.chaos.outcome import ChaosOutcome
from sloproof.chaos.surroundings import Surroundings
from sloproof.loadtests.evaluation import judge_load
from sloproof.loadtests.prometheus_counts import count_events
from sloproof.loadtests.promises import LoadPromise
from sloproof.loadtests.result import LoadResult
from sloproof.promql import Matcher, Selector
from sloproof.slo import SLO

MOST_POINTS = 10_000
"""Prometheus answers at most 11,000 points a series."""
MISSED_EVALUATIONS = 4
SHORTEST_GAP = 5.0
"""Seconds; a busy machine may be late with an evaluation or two."""


def gather(
    load: LoadResult,
    chaos: ChaosOutcome,
    surroundings: Surroundings,
    promises: Sequence[LoadPromise] = (),
    also: Sequence[str] = (),
) -> RunFacts:
    """Wait for the last scrapes, then ask every source about a run that is over.

    Args:
        load: the load generator's record.
        chaos: what was broken.
        surroundings: where it ran.
        promises: what is judged beside the objectives.
        also: alerts to watch beside the burn alerts; those that no rule makes are left out.
    """
    timing, prometheus = surroundings.timing, surroundings.prometheus
    settle = 3 * timing.scrape.total_seconds() + 2 * timing.real(timing.slow_evaluation).total_seconds()
    settle = min(settle, 3 * timing.scrape.total_seconds() + 2)
    time.sleep(max(0.0, load.ended_at + settle - time.time()))
    counted = {
        slo.identity: count_events(prometheus, slo, load.started_at - timing.scrape.total_seconds(), time.time())
        for slo in surroundings.slos
    }
    return RunFacts(
        load=load,
        chaos=chaos,
        objectives=judge_load(load, surroundings.slos, counted, promises),
        alerts=_alerts(surroundings, load.started_at, time.time(), also),
        before={slo.identity: _history(slo, surroundings, load.started_at) for slo in surroundings.slos},
        policies=surroundings.policies,
        timing=timing,
        instances=surroundings.instances,
        unwatched=_unwatched(surroundings, load.started_at, load.ended_at),
    )


def _unwatched(surroundings: Surroundings, start: float, end: float) -> list[tuple[float, float]]:
    """When no rule was evaluated, told by what the base rules recorded; nothing where they recorded nothing at all."""
    timing, length = surroundings.timing, timedelta(seconds=end - start)
    base = [recorded(names.total(timing.base), slo, timing) for slo in surroundings.slos]
    answers = [surroundings.prometheus.instant(one.over(length), end) for one in base]
    times = [at for answer in answers for series in answer.series for at, _ in series.points]
    longest = MISSED_EVALUATIONS * timing.real(timing.evaluation).total_seconds()
    return unwatched(times, start, end, max(longest, SHORTEST_GAP)) if times else []


def _alerts(surroundings: Surroundings, start: float, end: float, also: Sequence[str] = ()) -> dict[str, AlertTimeline]:
    wanted = _intervals(surroundings, also) | {
        names.burn_alert(slo.service.name, slo.name, tier.name): surroundings.timing.real(
            surroundings.timing.slow_evaluation if tier.long.days else surroundings.timing.evaluation
        ).total_seconds()
        for slo in surroundings.slos
        for tier in surroundings.policies[slo.identity].tiers
    }
    if not wanted:
        return {}
    found = alert_states(surroundings, sorted(wanted), start, end)
    return timelines(wanted, found, notifications(surroundings.notifications), start=start, end=end)


def alert_states(
    surroundings: Surroundings, alerts: Sequence[str], start: float, end: float
) -> list[tuple[Mapping[str, str], Sequence[tuple[float, float]]]]:
    """The raw `ALERTS` samples of a stretch of time: labels, and (epoch seconds, value) of each evaluation.

    Args:
        surroundings: where its Prometheus is.
        alerts: names.
        start: epoch seconds.
        end: epoch seconds.
    """
    states = Selector("ALERTS", (Matcher(names.ALERT_NAME, "=~", "|".join(alerts)),))
    # Raw samples carry the time of each evaluation; a grid would be off by up to a step.
    answer = surroundings.prometheus.instant(states.over(timedelta(seconds=end - start)), end)
    return [(series.labels, series.points) for series in answer.series]


def _intervals(surroundings: Surroundings, alerts: Sequence[str]) -> dict[str, float]:
    """The seconds between two evaluations of alerts by name, of those that a loaded rule makes."""
    if not alerts:
        return {}
    groups = surroundings.prometheus.rules()
    found = {rule.name: group.interval for group in groups for rule in group.rules if rule.kind == "alerting"}
    return {alert: found[alert] for alert in alerts if alert in found}


def notifications(file: Path) -> list[dict[str, Any]]:
    """What the receiver recorded; a last line that is still being written is left out.

    Args:
        file: JSON lines; may not exist.
    """
    if not file.is_file():
        return []
    lines = file.read_text(encoding="utf-8").split("\n")
    return [json.loads(line) for line in lines[:-1] if line]


def _history(slo: SLO, surroundings: Surroundings, start: float) -> list[Events]:
    """The recorded events of the longest window before the run, oldest first, at the rules' own step."""
    timing = surroundings.timing
    longest = max(timing.real(tier.long) for tier in surroundings.policies[slo.identity].tiers).total_seconds()
    step = max(timing.real(timing.evaluation).total_seconds(), longest / MOST_POINTS)
    found: list[dict[float, float]] = []
    for name in (names.errors(timing.base), names.total(timing.base)):
        answer = surroundings.prometheus.range(str(recorded(name, slo, timing)), start - longest, start, step)
        found.append({at: value for series in answer.series for at, value in series.points})
    bad, total = found
    return [Events(at=at, bad=bad.get(at, 0.0) * step, total=total[at] * step) for at in sorted(total)]
