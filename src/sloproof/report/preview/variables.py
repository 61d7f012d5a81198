"""Grafana's variables in queries, titles and links: its own, and those of the dashboard with their defaults."""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import quote

from sloproof.definition import format_duration
from sloproof.report.preview.asking import Asker, Question
from sloproof.report.preview.json_values import items, mapping, mappings, text
from sloproof.report.preview.time_range import TimeRange

_NAME = re.compile(r"\$\{(\w+)(?:\.[^}:]*)?(?::([\w-]+))?\}|\$(\w+)|\[\[(\w+)(?::([\w-]+))?\]\]")
_SPECIAL = re.compile(r"[\\^$.*+?()\[\]{}|]")
_LABEL_VALUES = re.compile(r"\s*label_values\(\s*(?:(.+?)\s*,\s*)?([A-Za-z_]\w*)\s*\)\s*", re.DOTALL)
_QUERY_RESULT = re.compile(r"\s*query_result\((.+)\)\s*", re.DOTALL)
_ALL = "$__all"
_MOST_VALUES = 200


@dataclass(frozen=True)
class Variable:
    """A variable of a dashboard and what it stands for.

    Args:
        name: without `$`.
        label: what readers call it.
        values: chosen; several where it may hold several.
        several: whether queries want it as a pattern.
        hidden: whether Grafana shows no choice for it.
        told: why it has no value; empty where it has one.
        pattern: what stands for all values, where the dashboard sets it.
    """

    name: str
    label: str
    values: tuple[str, ...]
    several: bool = False
    hidden: bool = False
    told: str = ""
    pattern: str = ""

    def written(self, style: str) -> str:
        """The value in one of Grafana's styles; the style of a PromQL string without one."""
        if self.pattern and style != "text":
            return self.pattern
        plain = ",".join(self.values)
        escape = _STYLES.get(style)
        if escape is not None:
            return escape(self.values)
        if self.several:
            return _pattern(self.values)
        return plain.replace("\\", "\\\\").replace('"', '\\"')


def _pattern(values: Sequence[str]) -> str:
    """A regular expression within a PromQL string: `(a|b)`."""
    parts = [_SPECIAL.sub(r"\\\g<0>", value).replace("\\", "\\\\").replace('"', '\\"') for value in values]
    return parts[0] if len(parts) == 1 else f"({'|'.join(parts)})"


_STYLES: Mapping[str, Callable[[Sequence[str]], str]] = {
    "raw": ",".join,
    "text": " + ".join,
    "csv": ",".join,
    "pipe": "|".join,
    "regex": lambda values: values[0] if len(values) == 1 else f"({'|'.join(map(re.escape, values))})",
    "percentencode": lambda values: quote(",".join(values), safe=""),
    "queryparam": lambda values: quote(",".join(values), safe=""),
    "doublequote": lambda values: ",".join(f'"{value}"' for value in values),
    "singlequote": lambda values: ",".join(f"'{value}'" for value in values),
}


def filled(words: str, variables: Mapping[str, Variable], built_in: Mapping[str, str], style: str = "") -> str:
    """Text with its variables filled in; names that nobody knows stay as they are.

    Args:
        words: a query, title or address.
        variables: of the dashboard, by name.
        built_in: Grafana's own, by name.
        style: how values are written where the text does not say; for PromQL, if empty.
    """

    def value(match: re.Match[str]) -> str:
        name = match[1] or match[3] or match[4]
        if name in built_in:
            return built_in[name]
        return variables[name].written(match[2] or match[5] or style) if name in variables else match[0]

    return _NAME.sub(value, words)


def built_in(shown: TimeRange, step: float, rate: float, title: str = "") -> dict[str, str]:
    """Grafana's own variables for one panel.

    Args:
        shown: the panel's range.
        step: seconds between points.
        rate: `$__rate_interval`, seconds.
        title: of the dashboard.
    """
    length = max(round(shown.seconds), 1)
    return {
        "__interval": _duration(step),
        "__interval_ms": str(round(step * 1000)),
        "__rate_interval": _duration(rate),
        "__rate_interval_ms": str(round(rate * 1000)),
        "__range": f"{length}s",
        "__range_s": str(length),
        "__range_ms": str(length * 1000),
        "__from": str(round(shown.start * 1000)),
        "__to": str(round(shown.end * 1000)),
        "__dashboard": title,
        "timezone": "utc",
    }


def _duration(seconds: float) -> str:
    return format_duration(timedelta(milliseconds=max(math.ceil(seconds * 1000 - 1e-6), 1)))


def chosen(
    given: Sequence[Mapping[str, Any]],
    choices: Mapping[str, Sequence[str]],
    asker: Asker,
    shown: TimeRange,
    data_source: str,
) -> dict[str, Variable]:
    """Every variable of a dashboard with its value, in the dashboard's order.

    Args:
        given: Grafana's objects.
        choices: values that a reader asked for, by name.
        asker: answers variables that ask Prometheus.
        shown: the dashboard's range.
        data_source: what stands for a choice of data source.
    """
    known: dict[str, Variable] = {}
    for raw in given:
        name = text(raw.get("name"))
        if not name:
            continue
        values, told = tuple(choices.get(name, ())), ""
        pattern = ""
        if not values:
            values, told = _default(raw, known, asker, shown, data_source)
            pattern = text(raw.get("allValue")) if _is_all(raw) else ""
        several = bool(raw.get("multi") or raw.get("includeAll")) or len(values) > 1
        label = text(raw.get("label")) or name
        known[name] = Variable(name, label, values or ("",), several, raw.get("hide") == 2, told, pattern)  # noqa: PLR2004 - Grafana's code for hidden
    return known


def _default(
    raw: Mapping[str, Any], known: Mapping[str, Variable], asker: Asker, shown: TimeRange, data_source: str
) -> tuple[tuple[str, ...], str]:
    """What Grafana would choose when the dashboard is opened, and why nothing is there to choose."""
    kind = text(raw.get("type"))
    if kind == "datasource":
        return (data_source,), ""
    current = _current(raw)
    if current and not _is_all(raw) and "$__auto" not in current[0]:
        return current, ""
    if kind == "interval":
        offered = [one for one in _offered(raw) if not one.startswith("$__auto")]
        return tuple(offered[:1]) or ("1m",), ""
    if kind in ("textbox", "constant"):
        return (text(raw.get("query")),), ""
    if kind == "query":
        return _asked(raw, known, asker, shown)
    offered = _offered(raw)
    return (tuple(offered) if _is_all(raw) else tuple(offered[:1])), "" if offered else "it offers no value"


def _current(raw: Mapping[str, Any]) -> tuple[str, ...]:
    value = mapping(raw.get("current")).get("value")
    return tuple(str(one) for one in (items(value) or [value]) if isinstance(one, str | int | float) and one != "")


def _is_all(raw: Mapping[str, Any]) -> bool:
    current = _current(raw)
    return current == (_ALL,) or (not current and bool(raw.get("includeAll")))


def _offered(raw: Mapping[str, Any]) -> list[str]:
    options = [str(one.get("value", "")) for one in mappings(raw.get("options"))]
    selected = [str(one.get("value", "")) for one in mappings(raw.get("options")) if one.get("selected")]
    listed = [part.strip().partition(" : ") for part in re.split(r"(?<!\\),", text(raw.get("query")))]
    words = [value or name for name, _, value in listed]
    return [one for one in (selected or options or words) if one and one != _ALL]


def _asked(
    raw: Mapping[str, Any], known: Mapping[str, Variable], asker: Asker, shown: TimeRange
) -> tuple[tuple[str, ...], str]:
    query = text(raw.get("query")) or text(mapping(raw.get("query")).get("query")) or text(raw.get("definition"))
    expression, label = _expression(filled(query, known, built_in(shown, 60, 240)))
    if not expression:
        return (), f"`{query}` is no question that is understood here"
    reply = asker.ask(Question(expression, True, shown.start, shown.end, 60))
    if reply.error:
        return (), reply.error
    found = sorted({one.labels.get(label, "") for one in reply.series} - {""})
    kept = _picked(found, text(raw.get("regex")))[:_MOST_VALUES]
    if not kept:
        return (), f"`{query}` has no value in Prometheus"
    return (tuple(kept) if _is_all(raw) else tuple(kept[:1])), ""


def _expression(query: str) -> tuple[str, str]:
    """The instant query that tells a variable's values, and the label that holds them."""
    if match := _LABEL_VALUES.fullmatch(query):
        selector, label = match[1] or f'{{{match[2]}!=""}}', match[2]
        return f"group by ({label}) ({selector})", label
    if match := _QUERY_RESULT.fullmatch(query):
        return match[1], "__name__"
    return "", ""


def _picked(found: Sequence[str], regex: str) -> list[str]:
    bare = regex.removeprefix("/").removesuffix("/")
    if not bare:
        return list(found)
    try:
        matches = [(re.search(bare, one), one) for one in found]
    except re.error:
        return list(found)
    return [match[1] if match.re.groups and match[1] else one for match, one in matches if match]
