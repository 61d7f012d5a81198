"""Takes the metrics of a drill's own lab away, and times the alert that must say so.

The service stays healthy and its targets are still scraped: only what they expose is dropped, as when an exporter
loses its series. The lab belongs to the drill and ends with it, so nothing of this outlives it.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import yaml

from sloproof import names
from sloproof.alerts import AbsenceAlerts, Timing
from sloproof.alerts.promise import Promise
from sloproof.chaos.alert_watch import timelines
from sloproof.chaos.expecting import Finding, timed
from sloproof.chaos.facts import AlertTimeline
from sloproof.chaos.gathering import alert_states, notifications
from sloproof.chaos.surroundings import Surroundings
from sloproof.errors import PartFailed
from sloproof.slo import SLO
from sloproof.supervisor import Supervisor
from sloproof.verdict.judge import Verdict

PROMETHEUS = "prometheus"
RELOAD = timedelta(seconds=2)
"""How long Prometheus may take to scrape by its new configuration."""
NEWS = timedelta(seconds=75)
"""How long the news of an end may take; a minute when it was lost once."""
SPARE = 5.0
"""Seconds beyond its promise for which a change is waited for."""
_STEP = 0.25
_DROP_EVERYTHING = [{"source_labels": ["__name__"], "regex": ".+", "action": "drop"}]


@dataclass(frozen=True)
class Absence:
    """When metrics were gone, epoch seconds, and what became of each objective's absence alert."""

    gone_at: float
    back_at: float
    alerts: dict[str, AlertTimeline]


def drill_absence(
    slos: Sequence[SLO],
    absence: AbsenceAlerts,
    surroundings: Surroundings,
    lab_folder: Path,
    supervisor: Supervisor,
) -> tuple[Absence, list[Finding]]:
    """Let the metrics of a service vanish until its absence alerts fire, and come back until they clear.

    Args:
        slos: objectives of one service.
        absence: when its alerts tell.
        surroundings: the lab.
        lab_folder: where the lab's configuration lies.
        supervisor: that keeps its Prometheus.

    Returns:
        What was seen, and one finding for each objective and change.
    """
    timing, alerts = surroundings.timing, {names.absent_alert(slo.service.name, slo.name): slo for slo in slos}
    began = time.time()
    firing, clearing = firing_bounds(absence, timing), clearing_bounds(timing)
    with _without_metrics(lab_folder, slos[0].service.job, supervisor):
        gone = time.time()
        _wait(lambda: _active(surroundings) >= alerts.keys(), firing[1] + SPARE)
    back = time.time()
    _wait(lambda: not alerts.keys() & _active(surroundings), clearing[1] + SPARE)
    time.sleep(_settle(timing).total_seconds())
    # Prometheus forgets for some seconds where Alertmanager is when it reads its configuration, and sends again later.
    _wait(lambda: _told_resolved(surroundings, back) >= alerts.keys(), NEWS.total_seconds())
    step = timing.real(timing.evaluation).total_seconds()
    states = alert_states(surroundings, sorted(alerts), began, time.time())
    heard = notifications(surroundings.notifications)
    seen = timelines(dict.fromkeys(alerts, step), states, heard, start=began, end=time.time())
    findings = [one for alert, slo in alerts.items() for one in _judged(slo, seen[alert], gone, back, firing, clearing)]
    return Absence(gone, back, seen), findings


def longest_absence(absence: AbsenceAlerts, timing: Timing) -> timedelta:
    """How long the metrics' loss and their return are watched at most."""
    waited = firing_bounds(absence, timing)[1] + clearing_bounds(timing)[1] + 2 * SPARE
    return timedelta(seconds=waited) + _settle(timing) + NEWS


def firing_bounds(absence: AbsenceAlerts, timing: Timing) -> tuple[float, float]:
    """Between which seconds after the loss an absence alert must fire.

    The last sample stays in the base window until fewer than two are left there.
    """
    hold = max(timing.real(absence.no_series_for), timing.scrape * 2)
    evaluation, base = timing.real(timing.evaluation), timing.real(timing.base)
    earliest, latest = hold + base - 2 * timing.scrape, hold + base + timing.scrape + 3 * evaluation + RELOAD
    return earliest.total_seconds(), latest.total_seconds()


def clearing_bounds(timing: Timing) -> tuple[float, float]:
    """Between which seconds after the return an absence alert must clear: two scrapes make a rate."""
    return 0.0, (3 * timing.scrape + 3 * timing.real(timing.evaluation) + RELOAD).total_seconds()


def _settle(timing: Timing) -> timedelta:
    return timing.scrape + timing.real(timing.evaluation) * 3 + RELOAD


def _judged(
    slo: SLO,
    alert: AlertTimeline,
    gone: float,
    back: float,
    firing: tuple[float, float],
    clearing: tuple[float, float],
) -> Iterator[Finding]:
    what = f"`{slo.identity}` absent"
    if alert.active_before:
        yield Finding(f"{what}: is inactive before", "active", Verdict.UNDECIDED)
        return
    due = Promise(gone + firing[0], gone + firing[1])
    yield timed(
        f"{what}: fires when its metrics are gone", "fired", alert.firing_at, alert.notified_at, gone, due, None
    )
    if alert.firing_at is not None:
        due = Promise(back + clearing[0], back + clearing[1])
        what = f"{what}: resolves when they are back"
        yield timed(what, "resolved", alert.cleared_at, alert.resolution_at, back, due, None)


@contextmanager
def _without_metrics(lab_folder: Path, job: str, supervisor: Supervisor) -> Iterator[None]:
    file = lab_folder / "config" / "prometheus.yaml"
    kept = file.read_text(encoding="utf-8")
    file.write_text(_dropping(kept, job), encoding="utf-8")
    try:
        _reload(supervisor)
        yield
    finally:
        file.write_text(kept, encoding="utf-8")
        _reload(supervisor)


def _dropping(config: str, job: str) -> str:
    document: dict[str, Any] = yaml.safe_load(config)
    scraped = [one for one in document["scrape_configs"] if one["job_name"] == job]
    if not scraped:
        raise PartFailed(f"the lab's Prometheus scrapes no job `{job}`, so its metrics cannot be lost")
    for one in scraped:
        one["metric_relabel_configs"] = _DROP_EVERYTHING
    return yaml.safe_dump(document, sort_keys=False)


def _reload(supervisor: Supervisor) -> None:
    if not supervisor.signal(PROMETHEUS, "HUP"):
        raise PartFailed("the lab's Prometheus is not there to read its configuration again")


def _active(surroundings: Surroundings) -> set[str]:
    return {one.labels[names.ALERT_NAME] for one in surroundings.prometheus.alerts() if one.state == "firing"}


def _told_resolved(surroundings: Surroundings, since: float) -> set[str]:
    return {
        one["labels"][names.ALERT_NAME]
        for notification in notifications(surroundings.notifications)
        if notification["received_at"] >= since
        for one in notification["payload"].get("alerts", ())
        if one.get("status") == "resolved"
    }


def _wait(until: Callable[[], bool], seconds: float) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end and not until():
        time.sleep(_STEP)
