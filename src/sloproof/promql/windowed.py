"""An expression in its author's own words, with `$window` where the generators put a window."""

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import promql_parser

from sloproof.definition import format_duration
from sloproof.promql.written import Written

PLACEHOLDER = "$window"
_PIECES = re.compile(
    r"""(?P<literal>"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|`[^`]*`)"""
    r"""|(?P<space>(?:\s|\#[^\n]*)+)|(?P<window>\$window\b)|."""
)
_QUOTES = frozenset("\"'`")
_SENTINEL = timedelta(days=397, milliseconds=983)
"""A length nobody writes: it is looked for in the parsed tree, to see where the placeholder really stands."""


@dataclass(frozen=True)
class Windowed:
    """PromQL that was parsed, yields series with one value each, and has a window of ours in it.

    Args:
        text: one line without comments; `$window` outside quotes stands for a window.
    """

    text: str

    def over(self, window: timedelta) -> Written:
        """The expression over a window, in brackets."""
        return Written(f"({_filled(self.text, window)})")


def parse_windowed(text: str) -> Windowed:
    """Read an expression such as `sum(rate(requests_total{code="500"}[$window]))`.

    The placeholder is found by reading PromQL's own tokens, so that `$window` inside a label's value stays what it
    is; afterwards the parsed tree must have a range of that length for each of them.

    Args:
        text: any PromQL that yields an instant vector.

    Returns:
        The expression on one line; comments are dropped, everything else is as written.

    Raises:
        ValueError: it does not parse, yields no instant vector, has no `[$window]`, or has one elsewhere.
    """
    if any(found[0] in _QUOTES for found in _PIECES.finditer(text)):
        raise ValueError(f"`{text}` has a quote that is not closed on its line")
    plain = _PIECES.sub(lambda found: " " if found["space"] else found[0], text).strip()
    placed = sum(1 for found in _PIECES.finditer(plain) if found["window"])
    if not placed:
        raise ValueError(f"`{text}` has no `[{PLACEHOLDER}]`, so it would say the same for every window")
    if _ranges(_parse(_filled(plain, _SENTINEL), shown=text)) != placed:
        raise ValueError(f"`{text}` has `{PLACEHOLDER}` where no range is; write it as `[{PLACEHOLDER}]`")
    _parse(f"sum({_filled(plain, _SENTINEL)})", shown=text)  # aggregations take only instant vectors
    return Windowed(plain)


def _filled(text: str, window: timedelta) -> str:
    return _PIECES.sub(lambda found: format_duration(window) if found["window"] else found[0], text)


def _parse(text: str, shown: str) -> Any:
    try:
        return promql_parser.parse(text)
    except ValueError as error:
        raise ValueError(f"`{shown}` is not PromQL that yields series: {error}") from None


def _ranges(parsed: Any) -> int:
    """How many windows and subqueries of the sentinel's length the tree has."""
    found = 0

    def look(node: Any) -> None:
        nonlocal found
        if isinstance(node, promql_parser.MatrixSelector | promql_parser.SubqueryExpr):
            found += node.range == _SENTINEL

    promql_parser.walk(parsed, look)
    return found
