"""server/retention-too-short: a budget over more days than the server remembers."""

from collections.abc import Iterator
from datetime import timedelta

from sloproof.checks.subject import Subject
from sloproof.definition import format_duration, parse_duration
from sloproof.errors import Problem
from sloproof.prometheus import NotServed, Prometheus

ID = "server/retention-too-short"
UNKNOWN = "server/retention-unknown"
DEFAULT = timedelta(days=15)
"""What Prometheus keeps when neither a time nor a size is set."""
_YEAR = "y"


def check(subject: Subject, prometheus: Prometheus, start: float, end: float) -> Iterator[Problem]:
    """Budget windows longer than the retention; told once, where the longest stands."""
    if not subject.slos:
        return
    slo, place = max(subject.slos, key=lambda one: one[0].longest_window)
    kept = _retention(prometheus)
    if kept is None:
        yield place.warning(
            f"`{prometheus.url}` does not tell how long it keeps samples, "
            f"and `{slo.identity}` needs `{format_duration(slo.longest_window)}`",
            UNKNOWN,
            "make sure that its retention is longer than the longest window",
        )
    elif kept < slo.longest_window:
        also = sum(kept < other.longest_window for other, _ in subject.slos) - 1
        yield place.problem(
            f"the budget of `{slo.identity}` looks back `{format_duration(slo.longest_window)}`, and "
            f"`{prometheus.url}` keeps samples for `{format_duration(kept)}`"
            + (f"; so do {also} more objectives" if also else ""),
            ID,
            f"set `--storage.tsdb.retention.time={format_duration(slo.longest_window + timedelta(days=1))}`, "
            "or shorten the window",
        )


def _retention(prometheus: Prometheus) -> timedelta | None:
    """How long samples stay; None where the server does not tell, or keeps by size alone."""
    try:
        flags = prometheus.flags()
    except NotServed:
        return None
    text, size = flags.get("storage.tsdb.retention.time", ""), flags.get("storage.tsdb.retention.size", "0B")
    if text in ("", "0s"):
        return DEFAULT if size in ("", "0B") and text else None
    years, _, rest = text.rpartition(_YEAR)
    return timedelta(days=365) * int(years or 0) + (parse_duration(rest) if rest else timedelta())
