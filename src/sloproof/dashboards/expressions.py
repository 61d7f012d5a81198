"""What Grafana adds to PromQL."""

from dataclasses import dataclass

from sloproof.promql import Expression, Selector, check_expression

RATE_INTERVAL = "$__rate_interval"
"""Grafana's window for rates: never shorter than four scrapes, however far one zooms in."""

_GRAFANA_DURATIONS = (RATE_INTERVAL, "$__interval", "$__range")


@dataclass(frozen=True)
class RateInterval(Expression):
    """The samples of a selector over the window that Grafana picks for a rate."""

    selector: Selector

    def __str__(self) -> str:
        return f"{self.selector}[{RATE_INTERVAL}]"


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
