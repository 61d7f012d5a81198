"""The checks that ask a live Prometheus; each is a file of its own beside this one."""

import time
from collections.abc import Callable, Iterator
from datetime import timedelta

from sloproof.checks import (
    costly_query,
    errors_not_initialised,
    in_order,
    mixed_scales,
    retention_too_short,
    scrape_interval_differs,
    selector_matches_nothing,
    threshold_no_bucket,
    too_little_traffic,
)
from sloproof.checks.subject import Subject
from sloproof.errors import Problem
from sloproof.prometheus import Prometheus

LOOK_BACK = timedelta(hours=1)
"""How far back a series or a bucket may have been scraped for the last time."""

ONLINE: tuple[Callable[[Subject, Prometheus, float, float], Iterator[Problem]], ...] = (
    selector_matches_nothing.check,
    threshold_no_bucket.check,
    errors_not_initialised.check,
    too_little_traffic.check,
    retention_too_short.check,
    scrape_interval_differs.check,
    mixed_scales.check,
    costly_query.check,
)


def run_online(subject: Subject, prometheus: Prometheus) -> list[Problem]:
    """Everything wrong or unwise that only a live server shows, by file and line.

    Args:
        subject: the definitions.
        prometheus: the adapter of the server to ask.

    Raises:
        PartFailed: the server does not answer.
    """
    end = time.time()
    start = end - LOOK_BACK.total_seconds()
    return in_order(problem for check in ONLINE for problem in check(subject, prometheus, start, end))
