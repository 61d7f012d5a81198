"""What every definition shares: frozen models, names, and durations written as Prometheus writes them."""

import re
from datetime import timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, PlainSerializer, StringConstraints, ValidationError

_UNITS = {
    "w": timedelta(weeks=1),
    "d": timedelta(days=1),
    "h": timedelta(hours=1),
    "m": timedelta(minutes=1),
    "s": timedelta(seconds=1),
    "ms": timedelta(milliseconds=1),
}
_PART = re.compile(r"(\d+)(ms|[wdhms])")


class Definition(BaseModel):
    """A frozen value, given by keywords, that refuses what it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=False, allow_inf_nan=False)

    # One value, not a series of its fields: pydantic would take it for a tuple where a tuple is asked for.
    __iter__ = None  # type: ignore[assignment]


def in_a_line(error: Exception) -> str:
    """Why a file does not hold what it should, as half a sentence: `` `system` is missing, and 16 more ``.

    Args:
        error: what was raised; pydantic's own words run over many lines and name its documentation.
    """
    if not isinstance(error, ValidationError):
        return str(error)
    found = error.errors(include_url=False, include_context=False)
    place = ".".join(str(part) for part in found[0]["loc"])
    what = found[0]["msg"]
    first = f"`{place}` is missing" if found[0]["type"] == "missing" else f"`{place}`: {what}" if place else what
    return first + (f", and {len(found) - 1} more" if len(found) > 1 else "")


def parse_duration(text: str) -> timedelta:
    """Read a Prometheus duration such as `500ms`, `5m` or `1h30m`.

    Args:
        text: whole numbers with the units ms, s, m, h, d, w.

    Returns:
        The duration; exact to the millisecond.

    Raises:
        ValueError: the text is no such duration.
    """
    parts = _PART.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise ValueError(f"`{text}` is not a duration; write it as `500ms`, `30s`, `5m`, `1h` or `30d`")
    try:
        return sum((int(number) * _UNITS[unit] for number, unit in parts), timedelta())
    except OverflowError as error:
        raise ValueError(f"`{text}` is longer than any calendar") from error


@lru_cache(maxsize=4096)  # a workspace has few lengths and writes each thousands of times
def format_duration(duration: timedelta) -> str:
    """Write a duration as Prometheus reads it, in the largest units that fit.

    Args:
        duration: zero or more; parts of a millisecond are rounded.

    Returns:
        For example `1h30m`; `0s` for zero. Days are the largest unit, so that 30 days read `30d`.
    """
    left = round(duration / _UNITS["ms"])
    parts = []
    for unit in ("d", "h", "m", "s", "ms"):
        size = round(_UNITS[unit] / _UNITS["ms"])
        count, left = divmod(left, size)
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts) or "0s"


def _duration(value: Any) -> Any:
    return parse_duration(value) if isinstance(value, str) else value


def _positive(value: Any) -> Any:
    duration = _duration(value)
    if isinstance(duration, timedelta) and duration <= timedelta():
        raise ValueError(f"`{value}` must be longer than zero")
    return duration


_AsText = PlainSerializer(format_duration, return_type=str, when_used="json")
"""JSON keeps the spelling that is read back; pydantic's own would be `PT5M`."""

Duration = Annotated[timedelta, BeforeValidator(_duration), _AsText]
"""A length of time, zero allowed: a `timedelta`, or text such as `5m`."""

Length = Annotated[timedelta, BeforeValidator(_positive), _AsText]
"""A length of time above zero: a `timedelta`, or text such as `5m`."""

Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$", max_length=63)]
"""A name that is also a file name, a label value and a part of an alert's name: `slow-backend`."""


def exact(what: str) -> BeforeValidator:
    """A validator that refuses floats, which are not the number that was written.

    Args:
        what: is given, such as `objective`; for the message.
    """

    def check(value: Any) -> Any:
        if isinstance(value, float):
            raise ValueError(f'write the {what} as text, `"{value}"`: a float is not exact')
        return value

    return BeforeValidator(check)


def plain(number: Decimal) -> str:
    """A decimal without trailing zeros or exponent."""
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
