"""Reads JSON that somebody else shaped: what has the wrong type counts as missing."""

import math
from collections.abc import Mapping
from typing import Any


def text(value: Any, otherwise: str = "") -> str:
    """The value when it is a text."""
    return value if isinstance(value, str) else otherwise


def number(value: Any) -> float | None:
    """The value when it is a finite number; truth values are none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value) if math.isfinite(value) else None
    except OverflowError:
        return None


def whole(value: Any, otherwise: int) -> int:
    """The value when it is a number, without its fraction."""
    found = number(value)
    return otherwise if found is None else int(found)


def mapping(value: Any) -> Mapping[str, Any]:
    """The value when it is an object."""
    return value if isinstance(value, dict) else {}


def items(value: Any) -> list[Any]:
    """The value when it is a list."""
    return value if isinstance(value, list) else []


def mappings(value: Any) -> list[Mapping[str, Any]]:
    """The objects of a list."""
    return [one for one in items(value) if isinstance(one, dict)]


def texts(value: Any) -> list[str]:
    """The texts of a list."""
    return [one for one in items(value) if isinstance(one, str)]
