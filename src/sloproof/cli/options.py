"""Options that more than one command takes."""

from datetime import timedelta

from sloproof.definition import parse_duration
from sloproof.errors import UsageError


def duration(text: str, option: str) -> timedelta:
    """Read an option that is a length of time.

    Args:
        text: what was given.
        option: the option's name, for the message.

    Raises:
        UsageError: it is no duration, or none above zero.
    """
    try:
        length = parse_duration(text)
    except ValueError as error:
        what, _, hint = str(error).partition("; ")
        raise UsageError(f"{option}: {what}", hint=hint) from None
    if not length:
        raise UsageError(f"{option}: `{text}` is no time at all", hint="give a length above zero, such as `30s`")
    return length
