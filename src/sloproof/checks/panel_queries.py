"""dashboard/fixed-rate-window, dashboard/bare-counter: panels of a workspace's own that will mislead somebody."""

from collections.abc import Iterator

from sloproof.checks.subject import Subject
from sloproof.dashboards.expressions import bare_counters, fixed_rates
from sloproof.errors import Problem

FIXED_RATE_WINDOW = "dashboard/fixed-rate-window"
BARE_COUNTER = "dashboard/bare-counter"


def check(subject: Subject) -> Iterator[Problem]:
    """Rates over a window that may hold one scrape, and counters that are drawn as they stand."""
    for title, expression, place in subject.panels:
        for rate in fixed_rates(expression):
            yield place.warning(
                f"`{title}` reads `{rate}`: zoomed in or scraped less often, that window holds too few samples",
                FIXED_RATE_WINDOW,
                "write `$__rate_interval` for the window; Grafana makes it four scrapes at least",
            )
        for name in bare_counters(expression):
            yield place.warning(
                f"`{title}` draws the counter `{name}` as it stands: it only grows, and falls to zero at each restart",
                BARE_COUNTER,
                f"draw `rate({name}[$__rate_interval])`",
            )
