"""An author's expression on another clock: every window, step and offset in it divided alike."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import promql_parser

from sloproof.definition import format_duration, parse_duration
from sloproof.promql.written import Written, parse_written

_LENGTH = r"(?:\d+(?:ms|[smhdwy]))+"
_PIECES = re.compile(
    r"""(?P<literal>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`[^`]*`)"""
    rf"""|\[\s*(?P<window>{_LENGTH})\s*\]"""
    rf"""|\[\s*(?P<reach>{_LENGTH})\s*:\s*(?P<step>{_LENGTH})?\s*\]"""
    rf"""|\b(?P<offset>offset)\s+(?P<sign>-?)\s*(?P<ago>{_LENGTH})(?![\w.])"""
    r"""|[a-zA-Z_][\w:]*|.""",
    re.DOTALL | re.IGNORECASE,
)
_SHORTEST = timedelta(milliseconds=1)
_YEAR = timedelta(days=365)


def parse_scaled(text: str, scale: int, fewest: timedelta) -> Written:
    """Read an expression and divide the lengths of time in it; as `parse_written` where the divisor is 1.

    Numbers stay what they are, also those that mean seconds, such as the horizon of `predict_linear`.

    Args:
        text: any PromQL that yields an instant vector.
        scale: what windows, subqueries and offsets are divided by.
        fewest: the length that windows keep at least, unless they were shorter already: a rate needs some scrapes.

    Raises:
        ValueError: it does not parse, or its lengths could not all be found.
    """
    written = parse_written(text)
    if scale == 1:
        return written

    def divided(length: timedelta) -> timedelta:
        return max(length / scale, _SHORTEST)

    def shortened(window: timedelta) -> timedelta:
        return max(divided(window), min(window, fewest))

    found = _PIECES.sub(lambda piece: _piece(piece, divided, shortened), written.text)
    expected = [shortened(length) if kind == "window" else divided(length) for kind, length in _lengths(written.text)]
    if [_rounded(length) for _, length in _lengths(found)] != [_rounded(length) for length in expected]:
        raise ValueError(f"the windows of `{text}` cannot be divided by {scale}: not all of them were found")
    return Written(found)


def _piece(
    piece: re.Match[str], divided: Callable[[timedelta], timedelta], shortened: Callable[[timedelta], timedelta]
) -> str:
    if piece["window"]:
        return f"[{format_duration(shortened(_length(piece['window'])))}]"
    if piece["reach"]:
        step = format_duration(divided(_length(piece["step"]))) if piece["step"] else ""
        return f"[{format_duration(divided(_length(piece['reach'])))}:{step}]"
    if piece["offset"]:
        return f"{piece['offset']} {piece['sign']}{format_duration(divided(_length(piece['ago'])))}"
    return piece[0]


def _length(text: str) -> timedelta:
    years = re.match(r"(\d+)y", text)
    if years is None:
        return parse_duration(text)
    rest = text[years.end() :]
    return int(years[1]) * _YEAR + (parse_duration(rest) if rest else timedelta())


def _lengths(text: str) -> list[tuple[str, timedelta]]:
    """Every length of an expression, as Prometheus reads it, without its sign."""
    found: list[tuple[str, timedelta]] = []

    def look(node: Any) -> None:
        inner = getattr(node, "vector_selector", node)
        if isinstance(node, promql_parser.MatrixSelector):
            found.append(("window", node.range))
        if isinstance(node, promql_parser.SubqueryExpr):
            found.extend(("reach", length) for length in (node.range, node.step) if length)
        if isinstance(inner, promql_parser.VectorSelector | promql_parser.SubqueryExpr) and inner.offset:
            found.append(("offset", abs(inner.offset)))

    promql_parser.walk(promql_parser.parse(text), look)
    return found


def _rounded(length: timedelta) -> int:
    return round(length / _SHORTEST)
