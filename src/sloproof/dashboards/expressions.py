"""What Grafana adds to PromQL."""

from dataclasses import dataclass
from datetime import timedelta

from sloproof.definition import format_duration
from sloproof.promql import Expression, Selector, check_expression, readings

RATE_INTERVAL = "$__rate_interval"
"""Grafana's window for rates: never shorter than four scrapes, however far one zooms in."""

_GRAFANA_DURATIONS = (RATE_INTERVAL, "$__interval", "$__range")


@dataclass(frozen=True)
class RateInterval(Expression):
    """The samples of a selector over the window that Grafana picks for a rate."""

    selector: Selector

    def __str__(self) -> str:
        return f"{self.selector}[{RATE_INTERVAL}]"


@dataclass(frozen=True)
class Asked(Expression):
    """PromQL as its author wrote it, with Grafana's own durations in it; checked when it was defined."""

    text: str

    def __str__(self) -> str:
        return f"({self.text})"


def check_panel_expression(text: str) -> None:
    """Raise ValueError when Prometheus could not read this expression once Grafana has filled in its durations.

    Args:
        text: PromQL; `$__rate_interval`, `$__interval` and `$__range` may stand for a window.

    Raises:
        ValueError: it does not parse, or its types do not fit.
    """
    for name in _GRAFANA_DURATIONS:
        text = text.replace(name, "5m")
    check_expression(text)


def filled(text: str) -> str:
    """Panel PromQL as Prometheus reads it, with lengths in place of Grafana's durations that nobody else writes."""
    for name, length in zip(_GRAFANA_DURATIONS, _LENGTHS, strict=True):
        text = text.replace(name, format_duration(length))
    return text


def fixed_rates(text: str) -> list[str]:
    """The counters whose rate is taken over a window of somebody's own, not over Grafana's, which never is too short.

    Raises:
        ValueError: it is not PromQL.
    """
    return [
        f"{one.function}({one.selector.metric}[{format_duration(one.window)}])"
        for one in readings(filled(text))
        if one.window is not None and one.function in _RATES and one.window not in _LENGTHS
    ]


def bare_counters(text: str) -> list[str]:
    """The counters that are read as they stand, which only ever grow until their process restarts.

    Raises:
        ValueError: it is not PromQL.
    """
    return [
        one.selector.metric
        for one in readings(filled(text))
        if one.selector.metric.endswith(_COUNTED) and one.function not in _RATES | _COUNTED_BY
    ]


_LENGTHS = (
    timedelta(seconds=241, milliseconds=7),
    timedelta(seconds=61, milliseconds=7),
    timedelta(hours=7, seconds=7),
)
_RATES = frozenset({"rate", "irate", "increase"})
_COUNTED_BY = frozenset({"resets", "changes", "absent", "absent_over_time", "timestamp"})
_COUNTED = ("_total", "_bucket", "_count", "_sum")
