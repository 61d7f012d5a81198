"""What became of a request, from its status code and its exception."""

from collections.abc import Iterator
from typing import Literal

Kind = Literal["5xx", "4xx", "429", "connection", "timeout", "other"]
"""Why a request did not go well. 4xx and 429 are answers, the rest are failures."""

FAILURES: frozenset[Kind] = frozenset({"5xx", "connection", "timeout", "other"})
"""The kinds that break a promise to the user."""

NO_ANSWER: frozenset[Kind] = frozenset({"connection", "timeout"})
"""The kinds that brought no answer at all, however soon that was known: slower than any threshold."""

TOO_MANY: Kind = "429"
"""The kind that says that too much was asked: an answer, and no service."""

NOT_SENT = "(no free user)"
"""Stands for the name of a request that was due and never sent, since all users were busy."""

_FAILED_BY_SERVER = 500
_TOO_MANY_REQUESTS = 429
_FAILED_BY_CLIENT = 400
_DEPTH = 8
# The HTTP clients have exception trees of their own, and none of them is imported here.
_CONNECTION_NAMES = frozenset(
    {"ConnectionError", "HTTPConnectionClosed", "HTTPParseError", "ProtocolError", "NewConnectionError", "SSLError"}
)


def outcome(status: int, exception: BaseException | None) -> Kind | None:
    """The kind of error that a finished request counts as.

    The status code decides, so that a locustfile cannot declare a 500 a success: the server counted it too.
    What the locustfile itself declares a failure on a good status is `other`.

    Args:
        status: HTTP status code; 0 when no answer came.
        exception: what the client or the locustfile attached to the request.

    Returns:
        The kind, or None when all went well.
    """
    if status >= _FAILED_BY_SERVER:
        return "5xx"
    if status == _TOO_MANY_REQUESTS:
        return "429"
    if status >= _FAILED_BY_CLIENT:
        return "4xx"
    return None if exception is None else _kind_of(exception)


def _kind_of(exception: BaseException) -> Kind:
    names = {parent.__name__ for parent in type(exception).__mro__}
    if isinstance(exception, OSError) or names & _CONNECTION_NAMES or _is_timeout(exception):
        return "timeout" if any(_is_timeout(cause) for cause in _causes(exception)) else "connection"
    return "other"


def _is_timeout(exception: BaseException) -> bool:
    names = (parent.__name__ for parent in type(exception).__mro__)
    return any(name.endswith(("Timeout", "TimeoutError")) for name in names)


def _causes(exception: BaseException) -> Iterator[BaseException]:
    """The exception and what it wraps: the clients hide a time-out in a connection error of their own."""
    cause: BaseException | None = exception
    for _ in range(_DEPTH):
        if cause is None:
            return
        yield cause
        wrapped = [getattr(cause, name, None) for name in ("original", "reason", "__cause__", "__context__")]
        cause = next((each for each in wrapped if isinstance(each, BaseException)), None)
