"""When a dashboard looks: Grafana's relative times, and how finely Prometheus is asked."""

import math
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sloproof.definition import parse_duration
from sloproof.errors import UsageError

_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800, "M": 2_592_000, "y": 31_536_000}
"""Lengths of Grafana's units; a month is 30 days here and a year 365."""
_RELATIVE = re.compile(r"now(?:([+-])(\d+)([smhdwMy]))?(?:/([smhdwMy]))?")
_EPOCH_MILLISECONDS = re.compile(r"\d{12,14}")
_MONDAY = 4 * 86400
"""The epoch began on a Thursday."""
_STEPS = (0.2, 0.5, 1, 2, 5, 10, 15, 20, 30, 60, 120, 300, 600, 900, 1200, 1800, 3600, 7200, 10800, 21600, 43200, 86400)
_MOST_STEPS = 10_000
_HINT = "write it as `now-6h`, `now`, or `2026-11-22T14:00:00Z`"


@dataclass(frozen=True)
class TimeRange:
    """What is looked at, epoch seconds."""

    start: float
    end: float

    @property
    def seconds(self) -> float:
        """Its length."""
        return self.end - self.start


def time_range(given_from: str, given_to: str, now: float) -> TimeRange:
    """Read the two ends of a range.

    Args:
        given_from: such as `now-6h`, `now/d`, an ISO 8601 time, or epoch milliseconds.
        given_to: the same.
        now: epoch seconds.

    Raises:
        UsageError: one of them is no time, or they are the wrong way round.
    """
    found = TimeRange(_moment(given_from, now, up=False), _moment(given_to, now, up=True))
    if found.seconds <= 0:
        raise UsageError(f"the range from `{given_from}` to `{given_to}` is empty", hint="give `--from` before `--to`")
    return found


def _moment(given: str, now: float, *, up: bool) -> float:
    words = given.strip()
    relative = _RELATIVE.fullmatch(words)
    if relative:
        sign, count, unit, rounded = relative.groups()
        at = now + (int(f"{sign}{count}") * _SECONDS[unit] if count else 0)
        return _rounded(at, _SECONDS[rounded], up=up) if rounded else at
    if _EPOCH_MILLISECONDS.fullmatch(words):
        return int(words) / 1000
    try:
        at_time = datetime.fromisoformat(words)
        return (at_time if at_time.tzinfo else at_time.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        raise UsageError(f"`{given}` is no time", hint=_HINT) from None


def _rounded(at: float, size: int, *, up: bool) -> float:
    offset = _MONDAY if size == _SECONDS["w"] else 0
    down = math.floor((at - offset) / size) * size + offset
    return down + size if up else down


def own_range(shown: TimeRange, time_from: str, time_shift: str) -> TimeRange:
    """The range of one panel, which may look further back than its dashboard.

    Args:
        shown: the dashboard's.
        time_from: Grafana's `timeFrom`, such as `30d` or `now-30d`; empty for the dashboard's.
        time_shift: Grafana's `timeShift`, such as `1d`; empty for none.
    """
    found = shown
    length = _length(time_from.removeprefix("now-"))
    if length:
        found = TimeRange(shown.end - length, shown.end)
    back = _length(time_shift.removeprefix("now-"))
    return TimeRange(found.start - back, found.end - back)


def _length(text: str) -> float:
    """Seconds; 0 for what is no length."""
    match = re.fullmatch(r"(\d+)([smhdwMy])", text.strip())
    return float(int(match[1]) * _SECONDS[match[2]]) if match else 0.0


def step_of(shown: TimeRange, points: int, least: float) -> float:
    """How far apart Prometheus is asked: a round length.

    Args:
        shown: the panel's range.
        points: how many the panel has room for.
        least: seconds; what is sampled no more often needs no finer steps.

    Returns:
        Seconds; never so few that Prometheus would refuse.
    """
    rough = max(shown.seconds / max(points, 1), shown.seconds / _MOST_STEPS)
    return max(next((step for step in _STEPS if step >= rough), rough), least, 0.001)


def least_step(interval: str, scrape: float) -> float:
    """The shortest step that a panel asks with, seconds.

    Args:
        interval: the panel's own, such as `30s` or `>30s`; empty for none.
        scrape: seconds between scrapes.
    """
    try:
        own = parse_duration(interval.removeprefix(">").strip()) if interval else timedelta()
    except ValueError:
        own = timedelta()
    return own.total_seconds() or scrape


def rate_interval(step: float, scrape: float) -> float:
    """Grafana's `$__rate_interval`: room for four scrapes, however far one zooms in; seconds."""
    return max(step + scrape, 4 * scrape)
