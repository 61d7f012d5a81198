"""slo/selector-matches-nothing: an unknown metric or label, which looks like a perfect service."""

from collections.abc import Iterator
from datetime import timedelta

from sloproof import names
from sloproof.checks.subject import Place, Subject, indicators_of
from sloproof.errors import Problem
from sloproof.prometheus import Prometheus
from sloproof.promql import Selector, call, parse_selector, selectors_in
from sloproof.slo import SLO

ID = "slo/selector-matches-nothing"
UNKNOWN_LABEL = "slo/unknown-label"
CAUSE = "cause/matches-nothing"
_ANY_WINDOW = timedelta(minutes=5)


def check(subject: Subject, prometheus: Prometheus, start: float, end: float) -> Iterator[Problem]:
    """Selectors that match no series, and labels of matchers or of `by` that the metric does not have.

    A selector of errors may match nothing yet: that is a service without errors, so only its labels are checked.
    """
    for slo, place in subject.slos:
        required = {one: None for text in slo.sli.selectors() for one in selectors_in(text)}
        counted = [counters.bad for one in indicators_of(slo) if (counters := one.counters()) is not None]
        bad = [parse_selector(text) for text in counted if text is not None]
        for selector in dict.fromkeys((*required, *bad)):
            found = _problem(place, selector, prometheus, end, end - start)
            if found is not None and (selector in required or found.check == UNKNOWN_LABEL):
                yield found
        yield from _groups(slo, place, prometheus, end, end - start)
    yield from _causes(subject, prometheus, start, end)


def _groups(slo: SLO, place: Place, prometheus: Prometheus, end: float, seconds: float) -> Iterator[Problem]:
    """Labels of `by` that live series lack: each group then finds nothing, or all of them are one."""
    made = f"{slo.errors(_ANY_WINDOW)} {slo.total(_ANY_WINDOW)}" if slo.by else ""
    wanted = [label for label in slo.by if f'"{label}"' not in made]  # `label_replace` may make what series lack
    lacking: dict[tuple[str, str], set[str]] = {}
    for selectors in _read_together(slo) if wanted else ():
        labels = set().union(*(_labels(prometheus, one, end, seconds) for one in selectors))
        for label in wanted if labels else ():
            if label not in labels:
                lacking.setdefault((selectors[0].metric, label), labels)
    for (metric, label), labels in lacking.items():
        yield place.problem(
            f"`{slo.identity}` is split by `{label}`, and `{metric}` has no label `{label}`",
            UNKNOWN_LABEL,
            f"its labels are {', '.join(f'`{one}`' for one in sorted(labels))}; "
            f"take one of them, or take `{label}` out of `by`",
        )


def _read_together(slo: SLO) -> Iterator[tuple[Selector, ...]]:
    """Selectors of which one has to carry the labels: each counter; of an author's own expression any."""
    for indicator in indicators_of(slo):
        counters = indicator.counters()
        if counters is None:
            yield tuple(one for text in indicator.selectors() for one in selectors_in(text))
        else:
            counted = (counters.total, counters.bad, counters.good)
            yield from ((parse_selector(text),) for text in counted if text is not None)


def _causes(subject: Subject, prometheus: Prometheus, start: float, end: float) -> Iterator[Problem]:
    for rule, place in subject.alerts():
        for selector in selectors_in(rule.expression) if rule.labels.get(names.KIND) == names.CAUSE else ():
            if not _found(prometheus, selector, end, end - start):
                yield place.warning(
                    f"`{selector}` matches no series, so `{rule.name}` stays silent",
                    CAUSE,
                    "mend the selector, or wait until the target was scraped",
                )


def _problem(place: Place, selector: Selector, prometheus: Prometheus, end: float, seconds: float) -> Problem | None:
    if _found(prometheus, selector, end, seconds):
        return None
    bare = _labels(prometheus, Selector(selector.metric), end, seconds)
    unknown = [m.label for m in selector.matchers if bare and m.label not in bare and m.operator in ("=", "=~")]
    if unknown:
        return place.problem(
            f"`{selector.metric}` has no label `{unknown[0]}`",
            UNKNOWN_LABEL,
            f"its labels are {', '.join(f'`{label}`' for label in sorted(bare))}",
        )
    what = f"`{selector}` matches no series" if bare else f"there is no metric `{selector.metric}`"
    return place.problem(what, ID, "mend the selector, or wait until the target was scraped")


def _labels(prometheus: Prometheus, selector: Selector, at: float, seconds: float) -> set[str]:
    return {label for labels in _found(prometheus, selector, at, seconds) for label in labels} - {"__name__"}


def _found(prometheus: Prometheus, selector: Selector, at: float, seconds: float) -> list[dict[str, str]]:
    answer = prometheus.instant(call("last_over_time", selector.over(timedelta(seconds=round(seconds)))), at)
    return [dict(series.labels) for series in answer.series]
