"""The labels of every series that the generated rules record, worked out from the rules themselves."""

import re
from collections.abc import Mapping, Sequence

from sloproof import names
from sloproof.checks.subject import GeneratedGroup
from sloproof.promql import Matcher, Selector
from sloproof.promql.label_sets import Labels, LabelSets, label_sets

_OURS = "slo:"
_PASSES = 2
"""A rule may read a series that a later group records; two readings settle their labels."""


class Recorded:
    """The recorded series of a workspace and their labels.

    Args:
        groups: the generated rules.
    """

    def __init__(self, groups: Sequence[GeneratedGroup]) -> None:
        self._series: dict[tuple[str, str, str], list[Labels | None]] = {}
        self._names: dict[str, list[tuple[str, str, str]]] = {}
        for _ in range(_PASSES):
            found: dict[tuple[str, str, str], list[Labels | None]] = {}
            for rule in (rule for group in groups for rule in group.rules if not rule.is_alert):
                inferred = label_sets(rule.expression, self.known)
                labels = [None] if inferred is None else [{**one, **rule.labels} for one in inferred]
                found.setdefault(_key(rule.name, rule.labels), []).extend(labels)
            self._series, self._names = found, {}
            for key in found:
                self._names.setdefault(key[0], []).append(key)

    def known(self, selector: Selector) -> LabelSets:
        """The labels of the recorded series that a selector matches; None for a series of another origin."""
        candidates = self._candidates(selector) if selector.metric in self._names else [None]
        known = [labels for labels in candidates if labels is not None]
        if len(known) < len(candidates):
            return None
        return tuple(labels for labels in known if _matches(selector.matchers, labels))

    def lacks(self, selector: Selector) -> bool:
        """Whether a selector asks for one of our series and no rule records it."""
        if selector.metric in self._names:
            return self.known(selector) == ()
        return selector.metric.startswith(_OURS)

    def _candidates(self, selector: Selector) -> list[Labels | None]:
        equal = {m.label: m.value for m in selector.matchers if m.operator == "="}
        if names.SERVICE in equal and names.SLO in equal:
            return self._series.get(_key(selector.metric, equal), [])
        return [labels for key in self._names[selector.metric] for labels in self._series[key]]


def _key(metric: str, labels: Mapping[str, str]) -> tuple[str, str, str]:
    return metric, labels.get(names.SERVICE, ""), labels.get(names.SLO, "")


def _matches(matchers: Sequence[Matcher], labels: Labels) -> bool:
    return all(_meets(matcher, labels.get(matcher.label, "")) for matcher in matchers)


def _meets(matcher: Matcher, value: str | None) -> bool:
    if value is None:
        return True
    if matcher.operator in ("=", "!="):
        return (matcher.value == value) is (matcher.operator == "=")
    return (re.fullmatch(matcher.value, value) is not None) is (matcher.operator == "=~")
