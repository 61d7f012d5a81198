"""A concrete series that a selector matches, so that a rule test can feed it."""

import re
from collections.abc import Callable, Iterable
from re import _constants as kinds  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

from sloproof.promql import Matcher, Selector, equals

_ANY = "0"


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


def example(pattern: str) -> str:
    """A short text that a label pattern matches.

    Args:
        pattern: a regular expression as Prometheus writes it, anchored at both ends.

    Raises:
        ValueError: the pattern is beyond this small reader; the message names it.
    """
    try:
        text = "".join(_pieces(parser.parse(pattern)))
    except (re.error, KeyError, OverflowError, RecursionError):
        text = ""
    if re.fullmatch(pattern, text) is None:
        raise ValueError(f"no example found for the pattern `{pattern}`")
    return text


def _avoiding(matcher: Matcher, current: str) -> str:
    candidates = ("", "other", "0", f"{current}0", f"not-{current}")
    return next((value for value in candidates if _matches(matcher, value)), current)


def _matches(matcher: Matcher, value: str) -> bool:
    if matcher.operator in ("=", "!="):
        return (matcher.value == value) is (matcher.operator == "=")
    return (re.fullmatch(matcher.value, value) is not None) is (matcher.operator == "=~")


def _pieces(parsed: Iterable[tuple[Any, Any]]) -> Iterable[str]:
    for kind, argument in parsed:
        yield _READERS[kind](argument)


def _set(members: list[tuple[Any, Any]]) -> str:
    if members[0][0] is kinds.NEGATE:
        return next(c for c in "0a-_." if not any(_in_member(c, member) for member in members[1:]))
    kind, argument = members[0]
    if kind is kinds.CATEGORY:
        return {kinds.CATEGORY_DIGIT: "0", kinds.CATEGORY_WORD: "a", kinds.CATEGORY_SPACE: " "}[argument]
    return chr(argument if kind is kinds.LITERAL else argument[0])


def _in_member(character: str, member: tuple[Any, Any]) -> bool:
    kind, argument = member
    if kind is kinds.LITERAL:
        return bool(ord(character) == argument)
    return kind is kinds.RANGE and bool(argument[0] <= ord(character) <= argument[1])


def _repeat(argument: tuple[int, int, Any]) -> str:
    least, most, inside = argument
    return "".join(_pieces(inside)) * max(least, min(1, most))


_READERS: dict[Any, Callable[[Any], str]] = {
    kinds.LITERAL: chr,
    kinds.NOT_LITERAL: lambda code: _ANY if code != ord(_ANY) else "1",
    kinds.ANY: lambda _: _ANY,
    kinds.IN: _set,
    kinds.BRANCH: lambda branches: "".join(_pieces(branches[1][0])),
    kinds.SUBPATTERN: lambda group: "".join(_pieces(group[-1])),
    kinds.MAX_REPEAT: _repeat,
    kinds.MIN_REPEAT: _repeat,
    kinds.AT: lambda _: "",
}
