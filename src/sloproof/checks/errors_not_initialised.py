"""slo/errors-not-initialised, slo/young-error-series: errors that Prometheus never counts."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from sloproof.checks.subject import Place, Subject, indicators_of
from sloproof.errors import Problem
from sloproof.prometheus import Prometheus
from sloproof.promql import Selector, call, parse_selector
from sloproof.slo import SLO

ID = "slo/errors-not-initialised"
YOUNG = "slo/young-error-series"
_HINT = (
    "let the client create the series at 0 when it starts, for each code or result that it can count; `rate()` does "
    "not see the first value of a series, and up to a third of the errors is lost with it; where the client cannot be "
    "changed, say `born_late=True` on its `ErrorRatio`"
)
_Labels = frozenset[tuple[str, str]]


def check(subject: Subject, prometheus: Prometheus, start: float, end: float) -> Iterator[Problem]:
    """Error series that do not exist yet, and those that were born with their first error."""
    window = timedelta(seconds=round(end - start))
    for slo, place in subject.slos:
        for indicator in indicators_of(slo):
            counters = indicator.counters()
            if counters is not None and counters.bad is not None and not counters.born_late:
                bad, total = parse_selector(counters.bad), parse_selector(counters.total)
                yield from _of_counters(Seen(prometheus, window, start, end), slo, place, bad, total)


@dataclass(frozen=True)
class Seen:
    """What a server scraped in a window that ends now, and in the one before it."""

    prometheus: Prometheus
    window: timedelta
    start: float
    end: float

    def now(self, selector: Selector) -> set[_Labels]:
        """The series of the last window."""
        return self._series(selector, self.end)

    def before(self, selector: Selector) -> set[_Labels]:
        """The series of the window before."""
        return self._series(selector, self.start)

    def _series(self, selector: Selector, at: float) -> set[_Labels]:
        answer = self.prometheus.instant(call("last_over_time", selector.over(self.window)), at)
        return {frozenset((k, v) for k, v in one.labels.items() if k != "__name__") for one in answer.series}


def _of_counters(seen: Seen, slo: SLO, place: Place, bad: Selector, total: Selector) -> Iterator[Problem]:
    errors = seen.now(bad)
    if not errors:
        events = seen.now(total)
        if events:
            what = f"`{bad}` has no series yet, and `{total}` has {len(events)}: the first error will not be counted"
            yield place.warning(what, ID, _HINT)
        return
    # Series of targets that were not scraped before are new with their target, and lose nothing.
    scraped = {_target(labels) for labels in seen.before(total)}
    born = [labels for labels in errors - seen.before(bad) if _target(labels) in scraped]
    if born:
        yield place.warning(
            f"{len(born)} of the {len(errors)} error series of `{slo.identity}` were born in the last hour, "
            "and the first errors of each are not counted",
            YOUNG,
            _HINT,
        )


def _target(labels: _Labels) -> _Labels:
    return frozenset(pair for pair in labels if pair[0] in ("job", "instance"))
