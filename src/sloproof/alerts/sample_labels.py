"""A concrete series that a selector matches, so that a rule test can feed it."""

from sloproof.alerts.label_pattern import example, matches
from sloproof.promql import Matcher, Selector, equals


def concrete(selector: Selector) -> Selector:
    """A series, with equality matchers only, that the selector matches.

    Args:
        selector: any selector; negative matchers are met by leaving the label out where that is enough.

    Returns:
        The series' name and labels as a selector.

    Raises:
        ValueError: no example was found for a pattern; the message names it.
    """
    labels: dict[str, str] = {}
    for matcher in selector.matchers:
        if matcher.operator in ("=", "=~"):
            labels[matcher.label] = matcher.value if matcher.operator == "=" else example(matcher.value)
    for matcher in selector.matchers:
        if not _matches(matcher, labels.get(matcher.label, "")):
            labels[matcher.label] = _avoiding(matcher, labels.get(matcher.label, ""))
    if not all(_matches(matcher, labels.get(matcher.label, "")) for matcher in selector.matchers):
        raise ValueError(f"no example series found for `{selector}`")
    return Selector(selector.metric, tuple(equals(label, value) for label, value in labels.items() if value))


def selects(selector: Selector, series: Selector) -> bool:
    """Whether a selector reads a series.

    Args:
        selector: any selector.
        series: a name with equality matchers only, as `concrete` gives it.
    """
    labels = {matcher.label: matcher.value for matcher in series.matchers}
    return selector.metric == series.metric and all(
        _matches(matcher, labels.get(matcher.label, "")) for matcher in selector.matchers
    )


def _avoiding(matcher: Matcher, current: str) -> str:
    candidates = ("", "other", "0", f"{current}0", f"not-{current}")
    return next((value for value in candidates if _matches(matcher, value)), current)


def _matches(matcher: Matcher, value: str) -> bool:
    if matcher.operator in ("=", "!="):
        return (matcher.value == value) is (matcher.operator == "=")
    return matches(matcher.value, value) is (matcher.operator == "=~")
