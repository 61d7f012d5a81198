"""Numbers as people type them."""

from datetime import datetime
from decimal import Decimal, InvalidOperation

from sloproof.errors import UsageError

_MOST_A_SECOND = 100_000
_LAST_RUN = 2**63 - 1


def share_of(text: str) -> Decimal:
    """A part of one.

    Args:
        text: such as `0.1`.

    Raises:
        UsageError: it is no number.
    """
    share = _number(text)
    if share is None:
        raise UsageError(f"`{text}` is no number", hint="give a part of 1, as `0.1`")
    return share


def rate_of(text: str) -> Decimal:
    """Arrivals per second.

    Args:
        text: such as `10` or `0.5`.

    Raises:
        UsageError: it is no number above zero that a generator could be asked for.
    """
    rate = _number(text)
    if rate is None or not 0 < rate <= _MOST_A_SECOND:
        raise UsageError(f"`{text}` is no rate", hint="give arrivals per second, as `10` or `0.5`")
    return rate


def run_number(text: str) -> int:
    """The number of a run of the history.

    Args:
        text: such as `12`.

    Raises:
        UsageError: it is none that a run can have.
    """
    if not text.isascii() or not text.isdecimal() or not 0 < int(text) <= _LAST_RUN:
        raise UsageError(f"`{text}` is no run's number", hint="`sloproof history` lists them")
    return int(text)


def instant(text: str, option: str) -> float:
    """A point in time, as epoch seconds.

    Args:
        text: an ISO time with its zone, such as `2026-11-22T14:03:22Z`.
        option: the option's name, for the message.

    Raises:
        UsageError: it is none, or says no zone.
    """
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise UsageError(f"{option}: `{text}` is no time", hint="give it with its zone, as `2026-11-22T14:03:22Z`")
    return found.timestamp()


def _number(text: str) -> Decimal | None:
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    return number if number.is_finite() else None
