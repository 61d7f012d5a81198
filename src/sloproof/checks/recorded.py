"""The labels of every series that the generated rules record, worked out from the rules themselves."""

import re
from collections.abc import Mapping, Sequence

from sloproof import names
from sloproof.checks.subject import GeneratedGroup, GeneratedRule
from sloproof.promql import Matcher, Selector
from sloproof.promql.label_sets import Joined, Labels, LabelSets, joined

_Key = tuple[str, str, str]
"""The name of a recorded series, its service and its objective."""


class Recorded:
    """The recorded series of a workspace and their labels.

    Args:
        groups: the generated rules.
    """

    def __init__(self, groups: Sequence[GeneratedGroup]) -> None:
        self._rules: dict[_Key, list[GeneratedRule]] = {}
        self._names: dict[str, list[_Key]] = {}
        self._series: dict[_Key, list[Labels | None]] = {}
        self._joined: dict[int, Joined] = {}
        self._known: dict[str, LabelSets] = {}
        self._services: set[str | None] = set()
        self.complete = True
        """Whether nothing was asked for that a service without rules here may record."""
        for rule in (rule for group in groups for rule in group.rules if not rule.is_alert):
            self._rules.setdefault(_key(rule.name, rule.labels), []).append(rule)
        for key in self._rules:
            self._names.setdefault(key[0], []).append(key)
            self._services.add(key[1])

    def joined(self, rule: GeneratedRule) -> Joined:
        """How one of the rules puts series together."""
        found = self._joined.get(id(rule))
        if found is None:
            found = self._joined[id(rule)] = joined(rule.expression, self.known)
        return found

    def known(self, selector: Selector) -> LabelSets:
        """The labels of the recorded series that a selector matches; None for a series of another origin."""
        key = str(selector)
        if key not in self._known:
            self._known[key] = self._recorded(selector)
        return self._known[key]

    def lacks(self, selector: Selector) -> bool:
        """Whether a selector asks for one of our series and no rule records it."""
        if selector.metric in self._names:
            return self.known(selector) == ()
        return selector.metric.startswith(names.RECORDED)

    def _recorded(self, selector: Selector) -> LabelSets:
        equal = {m.label: m.value for m in selector.matchers if m.operator == "="}
        if selector.metric.startswith(names.RECORDED) and equal.get(names.SERVICE) not in self._services:
            self.complete = False
        if selector.metric not in self._names:
            return None
        candidates = self._candidates(selector.metric, equal)
        known = [labels for labels in candidates if labels is not None]
        if len(known) < len(candidates):
            return None
        only_equal = len(equal) == len(selector.matchers)
        return tuple(
            labels
            for labels in known
            if (only_equal and equal.items() <= labels.items()) or _matches(selector.matchers, labels)
        )

    def _candidates(self, metric: str, equal: Mapping[str, str]) -> list[Labels | None]:
        if names.SERVICE in equal and names.SLO in equal:
            key = _key(metric, equal)
            return self._labels(key) if key in self._rules else []
        return [labels for key in self._names[metric] for labels in self._labels(key)]

    def _labels(self, key: _Key) -> list[Labels | None]:
        """The labels of the series that the rules of a key record, worked out when they are first asked for."""
        if key not in self._series:
            self._series[key] = [None]  # what a rule that reads itself is told
            found: list[Labels | None] = []
            for rule in self._rules[key]:
                inferred = self.joined(rule).sets
                found += [None] if inferred is None else [{**one, **rule.labels} for one in inferred]
            self._series[key] = found
        return self._series[key]


def _key(metric: str, labels: Mapping[str, str]) -> _Key:
    return metric, labels.get(names.SERVICE, ""), labels.get(names.SLO, "")


def _matches(matchers: Sequence[Matcher], labels: Labels) -> bool:
    return all(_meets(matcher, labels.get(matcher.label, "")) for matcher in matchers)


def _meets(matcher: Matcher, value: str | None) -> bool:
    if value is None:
        return True
    if matcher.operator in ("=", "!="):
        return (matcher.value == value) is (matcher.operator == "=")
    return (re.fullmatch(matcher.value, value) is not None) is (matcher.operator == "=~")
