"""slo/selector-matches-nothing: an unknown metric or label, which looks like a perfect service."""

from collections.abc import Iterator
from datetime import timedelta

from sloproof.checks.subject import Subject
from sloproof.errors import Problem
from sloproof.prometheus import Prometheus
from sloproof.promql import Selector, call, parse_selector

ID = "slo/selector-matches-nothing"
UNKNOWN_LABEL = "slo/unknown-label"


def check(subject: Subject, prometheus: Prometheus, start: float, end: float) -> Iterator[Problem]:
    """Selectors of totals that match no series, and matchers on labels that the metric does not have.

    A selector of errors may match nothing yet: that is a service without errors, so only its labels are checked.
    """
    for slo, place in subject.slos:
        counters = slo.sli.counters()
        for text, required in ((counters.total, True), (counters.bad, False), (counters.good, False)):
            if text is None:
                continue
            selector = parse_selector(text)
            if _exists(prometheus, selector, end, end - start):
                continue
            bare = _labels(prometheus, Selector(selector.metric), end, end - start)
            unknown = [m.label for m in selector.matchers if bare and m.label not in bare and m.operator in ("=", "=~")]
            if unknown:
                yield place.problem(
                    f"`{selector.metric}` has no label `{unknown[0]}`",
                    UNKNOWN_LABEL,
                    f"its labels are {', '.join(f'`{label}`' for label in sorted(bare))}",
                )
            elif required:
                what = f"`{text}` matches no series" if bare else f"there is no metric `{selector.metric}`"
                yield place.problem(what, ID, "mend the selector, or wait until the target was scraped")


def _exists(prometheus: Prometheus, selector: Selector, at: float, seconds: float) -> bool:
    return bool(_found(prometheus, selector, at, seconds))


def _labels(prometheus: Prometheus, selector: Selector, at: float, seconds: float) -> set[str]:
    return {label for labels in _found(prometheus, selector, at, seconds) for label in labels} - {"__name__"}


def _found(prometheus: Prometheus, selector: Selector, at: float, seconds: float) -> list[dict[str, str]]:
    answer = prometheus.instant(call("last_over_time", selector.over(timedelta(seconds=round(seconds)))), at)
    return [dict(series.labels) for series in answer.series]
