"""One short HTTP exchange with a part of the target, refused when the target is not allowed."""

import http.client
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from sloproof.errors import PartFailed
from sloproof.targets import check_target

TIMEOUT = 2.0
"""Seconds for connecting, and again for each read."""


class Unreachable(PartFailed):
    """Nothing answered in time.

    Args:
        refused: whether the port refused the connection, so that nothing listens there.
    """

    def __init__(self, message: str, *, refused: bool) -> None:
        super().__init__(message)
        self.refused = refused


@dataclass(frozen=True)
class Answer:
    """What came back.

    Args:
        status: the HTTP status.
        text: the body.
    """

    status: int
    text: str


def exchange(method: str, url: str, *, allowed: Sequence[str] = (), timeout: float = TIMEOUT, body: str = "") -> Answer:
    """Send one request, straight to its host: no proxy, no redirect, no retry.

    Args:
        method: such as `GET` or `POST`.
        url: `http://host:port/path?query`.
        allowed: targets beyond loopback that the workspace lists.
        timeout: seconds for connecting, and again for each read.
        body: text that is sent along; JSON when it begins with `{` or `[`.

    Returns:
        The status and the body.

    Raises:
        Refused: the target is not allowed; nothing was sent.
        Unreachable: nothing answered in time.
    """
    check_target(url, allowed)
    parts = urlsplit(url)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port or 80, timeout=timeout)
    try:
        connection.request(method, path, body.encode() or None, {"connection": "close", **_kind_of(body)})
        reply = connection.getresponse()
        return Answer(reply.status, reply.read().decode("utf-8", errors="replace"))
    except ConnectionRefusedError:
        raise Unreachable(f"`{url}` refused the connection", refused=True) from None
    except (OSError, http.client.HTTPException) as error:
        raise Unreachable(f"`{url}` did not answer: {error or type(error).__name__}", refused=False) from error
    finally:
        connection.close()


def healthy(url: str, *, allowed: Sequence[str] = (), timeout: float = TIMEOUT) -> bool:
    """Whether a health URL answers 200.

    Args:
        url: the health URL.
        allowed: targets beyond loopback that the workspace lists.
        timeout: seconds for connecting, and again for each read.

    Raises:
        Refused: the target is not allowed; nothing was sent.
    """
    try:
        return exchange("GET", url, allowed=allowed, timeout=timeout).status == http.client.OK
    except Unreachable:
        return False


def _kind_of(body: str) -> dict[str, str]:
    if not body:
        return {}
    return {"content-type": "application/json" if body[0] in "{[" else "text/plain; charset=utf-8"}
