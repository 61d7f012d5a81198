"""slo/no-part-of-total: bad or good events that are all of the total, or none of it."""

from collections.abc import Iterator

from sloproof.checks.subject import Place, Subject, indicators_of
from sloproof.errors import Problem
from sloproof.promql import Matcher, Selector, parse_selector
from sloproof.slo import SLO

ID = "slo/no-part-of-total"


def check(subject: Subject) -> Iterator[Problem]:
    """Counters of one metric whose matchers alone show that one is no part of the other."""
    for slo, place in subject.slos:
        for counters in (indicator.counters() for indicator in indicators_of(slo)):
            if counters is None:
                continue
            total = parse_selector(counters.total)
            for word, none, text in (("bad", "every event bad", counters.bad), ("good", "no event bad", counters.good)):
                if text is not None:
                    yield from _of_pair(slo, place, word, none, parse_selector(text), total)


def _of_pair(slo: SLO, place: Place, word: str, verdict: str, part: Selector, total: Selector) -> Iterator[Problem]:
    if part.metric != total.metric:
        return
    if set(part.matchers) <= set(total.matchers):
        yield place.warning(
            f"`{slo.identity}` calls {verdict}: `{part}` counts everything that `{total}` counts",
            ID,
            f"narrow the selector of {word} events by a label that only they have",
        )
    for one, other in ((one, other) for one in part.matchers for other in total.matchers):
        if _exclude(one, other):
            yield place.warning(
                f"`{slo.identity}` looks for {word} events with `{one}` among events with `{other}`, "
                "where there are none",
                ID,
                f"let the selector of all events match {word} ones too: leave `{other}` out",
            )


def _exclude(one: Matcher, other: Matcher) -> bool:
    """Whether two plain matchers of one label have no series in common."""
    if one.label != other.label:
        return False
    if one.operator == other.operator == "=":
        return one.value != other.value
    return {one.operator, other.operator} == {"=", "!="} and one.value == other.value
