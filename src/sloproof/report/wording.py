"""Numbers, times and foreign text as people read them: 0.32 %, 812 ms, 40.1/s, 63 s, 14:03:22."""

import math
import re
from collections.abc import Callable
from datetime import UTC, datetime

from sloproof.report.recorded import Unit

NO_DATA = "no data"
_MOST_DECIMALS = 6
_NEARLY_ALL = 0.99
_MANY_TIMES = 10
_LEAST_DIFFERENCE = 0.00001
_SECOND_MS = 1000.0
_MINUTE, _TEN_MINUTES, _HOUR = 60, 600, 3600
_WHOLE_SECONDS_FROM = 10
_LITERAL = re.compile(r"`([^`]+)`")


def unquoted(text: str) -> str:
    """Text without the backticks around its literals, for a drawing, which has no font of its own for them."""
    return _LITERAL.sub(r"\1", text)


def literals(text: str) -> list[tuple[str, bool]]:
    """A sentence in its parts: plain text, and the literals that stand in backticks.

    Args:
        text: anything; a backtick without its partner stays text.

    Returns:
        Each part, and whether it is a literal.
    """
    return [(part, place % 2 == 1) for place, part in enumerate(_LITERAL.split(text)) if part]


def number(value: float, digits: int = 3) -> str:
    """A number with a few significant digits, without an exponent: `0.0032`, `40.1`, `12,345`."""
    if not value:
        return "0"
    decimals = min(max(digits - 1 - math.floor(math.log10(abs(value))), 0), _MOST_DECIMALS)
    text = f"{value:,.{decimals}f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    if text in ("0", "-0"):
        return f"{'<' if value > 0 else '>-'}0.{'0' * (_MOST_DECIMALS - 1)}1"
    return text


def ratio(value: float | None) -> str:
    """A ratio of 1 in per cent; what is not quite all never reads `100 %`."""
    if value is None:
        return NO_DATA
    if _NEARLY_ALL <= value < 1:
        decimals = min(1 - math.floor(math.log10((1 - value) * 100)), _MOST_DECIMALS)
        cut = math.floor(round(value * 100 * 10**decimals, 6)) / 10**decimals
        return f"{f'{cut:.{decimals}f}'.rstrip('0').rstrip('.')} %"
    return f"{number(value * 100)} %"


def spent(value: float | None) -> str:
    """A share of a budget; what is spent many times over is told as a factor: `607 times`."""
    return f"{number(value)} times" if value is not None and value >= _MANY_TIMES else ratio(value)


def points(value: float | None) -> str:
    """The difference of two ratios in percentage points, with its sign: `+0.02 points`."""
    if value is None:
        return NO_DATA
    if abs(value) < _LEAST_DIFFERENCE:
        return "none" if value == 0 else "under 0.001 points"
    return f"{'+' if value > 0 else ''}{number(value * 100)} points"


def milliseconds(value: float | None) -> str:
    """Milliseconds, in seconds from 1,000 ms up."""
    if value is None:
        return NO_DATA
    return f"{number(value / _SECOND_MS)} s" if abs(value) >= _SECOND_MS else f"{number(value)} ms"


def rate(value: float | None) -> str:
    """Events per second."""
    return NO_DATA if value is None else f"{number(value)}/s"


def factor(value: float | None) -> str:
    """A factor, such as a burn rate."""
    return NO_DATA if value is None else f"{number(value)}x"


def count(value: float | None) -> str:
    """A count; Prometheus's estimates keep one decimal."""
    if value is None:
        return NO_DATA
    return f"{value:,.0f}" if value == round(value) else f"{value:,.1f}"


_UNITS: dict[Unit, Callable[[float | None], str]] = {
    "requests/s": rate,
    "ms": milliseconds,
    "ratio": ratio,
    "x": factor,
    "count": count,
}


_UNIT_NAMES: dict[Unit, str] = {
    "requests/s": "requests/s",
    "ms": "ms",
    "ratio": "per cent",
    "x": "factor",
    "count": "count",
}


def unit_name(unit: Unit) -> str:
    """What a chart's values are shown in."""
    return _UNIT_NAMES[unit]


def measurement(value: float | None, unit: Unit) -> str:
    """A value in its unit, or `no data`."""
    return _UNITS[unit](value)


def elapsed(seconds: float | None) -> str:
    """A length of time: `2.4 s`, `63 s`, `12 min 05 s`, `3 h 20 min`."""
    if seconds is None:
        return NO_DATA
    if abs(seconds) < _WHOLE_SECONDS_FROM:
        return f"{round(seconds, 1):g} s"
    whole = round(seconds)
    if whole < _TEN_MINUTES:
        return f"{whole} s"
    if whole < _HOUR:
        return f"{whole // _MINUTE} min {whole % _MINUTE:02d} s"
    return f"{whole // _HOUR} h {whole % _HOUR // _MINUTE:02d} min"


def between(first: float, last: float) -> str:
    """Two lengths of time: `61-66 s`."""
    low, high = elapsed(first), elapsed(last)
    if low == high:
        return low
    short = low.endswith(" s") and high.endswith(" s") and "min" not in low + high
    return f"{low.removesuffix(' s')}-{high}" if short else f"{low} to {high}"


def clock(at: float) -> str:
    """The wall clock in UTC, `14:03:22`."""
    return datetime.fromtimestamp(at, UTC).strftime("%H:%M:%S")


def day(at: float) -> str:
    """The date in UTC, `2026-11-22`."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d")


def windows(scale: float) -> str:
    """What the rules' windows were: real, or divided."""
    return "real windows" if scale == 1 else f"windows divided by {number(scale)}"
