"""A recorded day as a load: requests of each minute, one line a minute, from a CSV file."""

import csv
import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from decimal import Decimal, InvalidOperation

from sloproof.errors import UsageError

MINUTE = 60.0
MOST_REQUESTS = 6_000_000
"""In a minute: a hundred thousand a second."""
_CLOCK = re.compile(r"([01]\d|2[0-3]):([0-5]\d)")
_MINUTES_A_DAY = 24 * 60
_COLUMNS = 2


def parse_trace(text: str, name: str) -> list[Decimal]:
    """Read requests per minute.

    Args:
        text: CSV. Each line is a minute: its requests, or a label and its requests. A label is a whole number, a
            time of day (`08:05`) or a date and time (`2026-03-01T08:05`), and each is one minute after the label
            before. A first line without numbers is a heading.
        name: of the file, for messages.

    Returns:
        The requests of each minute, in order; at least one minute.

    Raises:
        UsageError: a line is empty, holds no number or a negative one, or a minute is missing; with its number.
    """
    found: list[Decimal] = []
    before: int | None = None
    for line, fields in _lines(text):
        if line == 1 and _is_heading(fields):
            continue
        label, requests = _fields(fields, name, line)
        found.append(_requests(requests, name, line))
        minute = _minute(label, name, line)
        if minute is not None and before is not None and minute != before + 1 and not _midnight(label, before, minute):
            raise _wrong(name, line, f"`{label}` is not one minute after the line before", "give every minute a line")
        before = minute
    if not any(found):
        raise UsageError(f"`{name}` asks for no request at all", hint="give each minute a line with its requests")
    return found


def _lines(text: str) -> Iterator[tuple[int, Sequence[str]]]:
    whole = text.removeprefix("\ufeff").rstrip("\r\n")
    for line, fields in enumerate(csv.reader(whole.splitlines()), start=1) if whole else ():
        yield line, [field.strip() for field in fields]


def _is_heading(fields: Sequence[str]) -> bool:
    return bool(fields) and not any(character.isdigit() for character in "".join(fields))


def _fields(fields: Sequence[str], name: str, line: int) -> tuple[str, str]:
    if not any(fields):
        raise _wrong(name, line, "the line is empty", "write 0 for a minute without requests")
    if len(fields) > _COLUMNS:
        raise _wrong(name, line, f"{len(fields)} columns", "give the minute and its requests, or the requests alone")
    return (fields[0] if len(fields) == _COLUMNS else "", fields[-1])


def _requests(text: str, name: str, line: int) -> Decimal:
    try:
        requests = Decimal(text)
    except InvalidOperation:
        raise _wrong(name, line, f"`{text}` is no number of requests", "write it as `1200`") from None
    if not requests.is_finite() or not 0 <= requests <= MOST_REQUESTS:
        raise _wrong(name, line, f"`{text}` requests in a minute cannot be", f"give 0 to {MOST_REQUESTS:,}")
    return requests


def _minute(label: str, name: str, line: int) -> int | None:
    """Minutes since some beginning; None without a label."""
    if not label:
        return None
    if label.isdecimal():
        return int(label)
    if clock := _CLOCK.fullmatch(label):
        return int(clock[1]) * 60 + int(clock[2])
    try:
        at = datetime.fromisoformat(label)
    except ValueError:
        raise _wrong(name, line, f"`{label}` is no minute", "write it as `17`, `08:05` or `2026-03-01T08:05`") from None
    return at.toordinal() * _MINUTES_A_DAY + at.hour * 60 + at.minute


def _midnight(label: str, before: int, minute: int) -> bool:
    return ":" in label and minute == 0 and before == _MINUTES_A_DAY - 1


def _wrong(name: str, line: int, what: str, hint: str) -> UsageError:
    return UsageError(f"`{name}` line {line}: {what}", hint=hint)
