"""What Prometheus and the notification receiver tell of an alert, put on one line of time. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any

from sloproof import names
from sloproof.chaos.facts import AlertTimeline

STATE = "alertstate"


def timelines(
    alerts: Mapping[str, float],
    states: Sequence[tuple[Mapping[str, str], Sequence[tuple[float, float]]]],
    notifications: Sequence[Mapping[str, Any]],
    *,
    start: float,
    end: float,
) -> dict[str, AlertTimeline]:
    """The timeline of each alert in a stretch of time.

    Args:
        alerts: names to look for, and the seconds between two evaluations of each.
        states: the raw `ALERTS` samples of the stretch: labels, and (epoch seconds, value) of each evaluation.
        notifications: what the receiver recorded: `received_at` (epoch seconds) and Alertmanager's `payload`.
        start: epoch seconds; what was active then was active before.
        end: epoch seconds; what is still firing then has not cleared.

    Returns:
        Timelines by name; an alert that was never active has an empty one.
    """
    return {alert: _timeline(alert, states, notifications, start, end, step) for alert, step in alerts.items()}


def unwatched(times: Iterable[float], start: float, end: float, longest: float) -> list[tuple[float, float]]:
    """The stretches of a run in which no rule was evaluated.

    Args:
        times: when rules were evaluated, epoch seconds, in any order.
        start: of the run, epoch seconds.
        end: of the run, epoch seconds.
        longest: time between two evaluations that is no gap yet, seconds.

    Returns:
        Beginning and end of each, epoch seconds, in their order.
    """
    seen = [start, *sorted(at for at in times if start < at < end), end]
    return [(before, after) for before, after in pairwise(seen) if after - before > longest]


def _timeline(
    alert: str,
    states: Sequence[tuple[Mapping[str, str], Sequence[tuple[float, float]]]],
    notifications: Sequence[Mapping[str, Any]],
    start: float,
    end: float,
    step: float,
) -> AlertTimeline:
    pending = _times(alert, "pending", states)
    firing = _times(alert, "firing", states)
    first = _first_stretch(firing, step)
    firing_at = firing[0] if firing else None
    before = [at for at in pending if firing_at is None or at < firing_at]
    cleared = firing[-1] + step if firing and firing[-1] + 2 * step < end else None
    return AlertTimeline(
        alert=alert,
        pending_at=_first_stretch(list(reversed(before)), -step)[-1] if before else None,
        firing_at=firing_at,
        notified_at=_told(alert, "firing", notifications, firing_at),
        paused_at=first[-1] + step if len(first) < len(firing) else None,
        cleared_at=cleared,
        resolution_at=_told(alert, "resolved", notifications, cleared),
        active_before=any(at <= start + step for at in (*pending, *firing)),
    )


def _times(
    alert: str, state: str, states: Sequence[tuple[Mapping[str, str], Sequence[tuple[float, float]]]]
) -> list[float]:
    return sorted(
        at
        for labels, points in states
        if labels.get(names.ALERT_NAME) == alert and labels.get(STATE) == state
        for at, value in points
        if value == 1
    )


def _first_stretch(times: Sequence[float], step: float) -> list[float]:
    """The times up to the first gap of more than two steps; the step is negative for falling times."""
    stretch: list[float] = []
    for at in times:
        if stretch and abs(at - stretch[-1]) > abs(step) * 2.5:
            break
        stretch.append(at)
    return stretch


def _told(alert: str, status: str, notifications: Sequence[Mapping[str, Any]], since: float | None) -> float | None:
    """When the receiver first heard that an alert has a status, not before `since`."""
    if since is None:
        return None
    heard = [
        float(notification["received_at"])
        for notification in notifications
        for one in notification["payload"].get("alerts", ())
        if one.get("status") == status and one.get("labels", {}).get(names.ALERT_NAME) == alert
    ]
    # The end is dated by the evaluation that would have come next; the news of it may be a moment quicker.
    return min((at for at in heard if at >= since - 2), default=None)
