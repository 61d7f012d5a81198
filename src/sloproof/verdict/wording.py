"""How figures are written in a reason."""

import math


def percent(ratio: float) -> str:
    """A ratio of 1 as per cent, to three significant digits: `0.0599 %`.

    Args:
        ratio: ratio of 1.
    """
    return f"{_plain(ratio * 100)} %"


def quantity(count: float) -> str:
    """A count with separators: `12,000`; decimals only where it has some.

    Args:
        count: zero or more.
    """
    return f"{count:,.0f}" if float(count).is_integer() else f"{count:,.1f}"


def counted(count: float, noun: str) -> str:
    """A count of things: `1 request`, `12,000 requests`.

    Args:
        count: zero or more.
        noun: one of them; its plural ends in `s`.
    """
    return f"{quantity(count)} {noun}{'' if count == 1 else 's'}"


def span(seconds: float) -> str:
    """About how long something takes, in the unit that reads best: `40 s`, `12 min`, `3.5 h`, `4 d`.

    Args:
        seconds: zero or more; parts of a second are a second.
    """
    units = ((86_400, "d"), (3_600, "h"), (60, "min"))
    for size, unit in units:
        if seconds >= 2 * size:
            return f"{float(f'{seconds / size:.2g}'):g} {unit}"
    return f"{math.ceil(seconds)} s"


def _plain(value: float) -> str:
    if value == 0:
        return "0"
    digits = 3
    text = f"{value:.{digits}g}"
    return f"{float(text):.10f}".rstrip("0").rstrip(".") if "e" in text else text
