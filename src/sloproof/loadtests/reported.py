"""What a locustfile reports of a request, read without trust: clients of its own hand over what they like.

Locust swallows what a listener raises, and the request with it; so a failure with an odd name would be no failure.
"""

import math
from collections.abc import Mapping
from typing import Any

_SERVED_BY = "x-served-by"


def seconds_of(response_time: Any) -> float:
    """The latency in seconds.

    Args:
        response_time: milliseconds; None for none, and below zero counts as zero.

    Raises:
        ValueError: nobody can tell how long it took.
        TypeError: it is no number.
    """
    seconds: float = (response_time or 0.0) / 1000
    if not math.isfinite(seconds):
        raise ValueError(f"`{response_time}` ms is no latency")
    return max(seconds, 0.0)


def status_of(response: Any) -> int:
    """The HTTP status code; 0 without an answer, or for an answer of another protocol."""
    status = getattr(response, "status_code", 0)
    if isinstance(status, int):
        return status
    return int(status) if isinstance(status, str) and status.isdecimal() else 0


def served_by(response: Any) -> str | None:
    """The instance that answered; None where the answer does not say."""
    headers = getattr(response, "headers", None)
    if isinstance(headers, dict):
        # A look into the fast client's own mapping spares an exception for each answer.
        found = headers.get(_SERVED_BY) if dict.__contains__(headers, _SERVED_BY) else None
    else:
        found = headers.get(_SERVED_BY) if isinstance(headers, Mapping) else None
    return None if found is None else str(found)


def bytes_of(response_length: Any) -> int:
    """The length of the answer's body; 0 where nobody knows."""
    return response_length if isinstance(response_length, int) and response_length > 0 else 0


def context_of(context: Any) -> dict[str, Any]:
    """What the request was sent with; empty for what is no dictionary."""
    return context if isinstance(context, dict) else {}
