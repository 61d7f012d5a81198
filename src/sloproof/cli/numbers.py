"""Numbers as people type them."""

from decimal import Decimal, InvalidOperation

from sloproof.errors import UsageError


def share_of(text: str) -> Decimal:
    """A part of one.

    Args:
        text: such as `0.1`.

    Raises:
        UsageError: it is no number.
    """
    try:
        return Decimal(text)
    except InvalidOperation as error:
        raise UsageError(f"`{text}` is no number", hint="give a part of 1, as `0.1`") from error
