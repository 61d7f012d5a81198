"""The one place that imports httpx: short exchanges with parts, bounded in time and size.

No proxy from the environment, no redirect, no retry; each target is checked before anything is sent to it.
"""

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Self
from urllib.parse import unquote, urlsplit, urlunsplit

import httpx

from sloproof.errors import PartFailed, UsageError
from sloproof.foreign_answers import instead
from sloproof.targets import check_target

TIMEOUT = timedelta(seconds=5)
BODY_LIMIT = 64 * 1024 * 1024
"""Bytes of an answer; a part that sends more is broken or is not the part it is taken for."""

Parameters = Mapping[str, str | Sequence[str]]


class Unreachable(PartFailed):
    """Nothing listens there, or it broke off."""


class TimedOut(PartFailed):
    """It did not answer in time."""


def unreachable(part: str, url: str, why: object) -> Unreachable:
    """The error for a part that cannot be reached.

    Args:
        part: its name, such as `Prometheus`.
        url: where it was looked for.
        why: what the network said.
    """
    return Unreachable(f"{part} at `{url}` cannot be reached: {why}", hint=f"start {part}, or correct its URL")


def timed_out(part: str, url: str, limit: timedelta) -> TimedOut:
    """The error for a part that takes too long.

    Args:
        part: its name, such as `Prometheus`.
        url: what was asked.
        limit: how long it was waited for.
    """
    return TimedOut(
        f"{part} did not answer `{url}` within {limit.total_seconds():g} s",
        hint=f"see whether {part} is overloaded or stopped, or allow it more time",
    )


def unreadable(part: str, url: str, why: object) -> PartFailed:
    """The error for an answer that is not what this part sends.

    Args:
        part: its name, such as `Prometheus`.
        url: what was asked.
        why: what is wrong with the answer.
    """
    return PartFailed(
        f"`{url}` answered something that is not {part}'s: {why}", hint=f"see whether {part} listens on this port"
    )


@dataclass(frozen=True)
class Reply:
    """What a part answered.

    Args:
        part: the name of the part.
        url: what was asked.
        status: the HTTP status.
        text: the body.
    """

    part: str
    url: str
    status: int
    text: str

    @property
    def succeeded(self) -> bool:
        """Whether the status is of the 200s."""
        return httpx.codes.is_success(self.status)

    def document(self) -> Any:
        """The body as JSON.

        Raises:
            PartFailed: it is not JSON.
        """
        try:
            return json.loads(self.text)
        except ValueError:
            raise unreadable(self.part, self.url, instead(self.text)) from None


def _parted(address: str) -> tuple[str, tuple[str, str] | None]:
    """An address without its user and password, and both of them where it has any."""
    parts = urlsplit(address)
    place = parts.netloc.rpartition("@")[2]
    url = urlunsplit(parts._replace(netloc=place))
    if parts.scheme not in ("http", "https"):
        raise UsageError(
            f"`{url}` is no address to ask: it begins with neither `http://` nor `https://`",
            hint="write it as `http://127.0.0.1:9090`",
        )
    if place == parts.netloc:
        return url, None
    return url, (unquote(parts.username or ""), unquote(parts.password or ""))


class Connection:
    """A client of one part, to be closed after use.

    Args:
        part: its name for messages, such as `Prometheus`.
        url: its base, `http://host:port` or with a path prefix; user and password in it are sent, and shown nowhere.
        timeout: for each exchange as a whole.
        allowed: targets beyond loopback that the workspace lists.
        headers: sent with each request.

    `url` is the base without user and password, as everybody may read it; `address` is the base as it was given, for
    processes that open it themselves.

    Raises:
        Refused: the target is not allowed; nothing was sent.
        UsageError: the base begins neither with `http://` nor with `https://`.
    """

    def __init__(
        self,
        part: str,
        url: str,
        *,
        timeout: timedelta = TIMEOUT,
        allowed: Sequence[str] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        check_target(url, allowed)
        self.part = part
        self.address = url.rstrip("/")
        self.url, self.credentials = _parted(self.address)
        self.timeout = timeout
        self._client = httpx.Client(
            timeout=timeout.total_seconds(),
            trust_env=False,
            follow_redirects=False,
            headers=dict(headers or {}),
            auth=self.credentials,
        )

    def get(self, path: str, parameters: Parameters | None = None) -> Reply:
        """Ask for a path below the base.

        Args:
            path: starts with a slash.
            parameters: of the query; a sequence repeats its name.

        Raises:
            Unreachable: nothing listens there, or it broke off.
            TimedOut: the answer was not complete in time.
            PartFailed: the answer is too long.
        """
        return self._exchange("GET", path, params=dict(parameters or {}))

    def post(self, path: str, document: object = None) -> Reply:
        """Send a JSON document, or nothing, to a path below the base; raises as `get`.

        Args:
            path: starts with a slash.
            document: what JSON can hold; None for an empty body.
        """
        return self._exchange("POST", path, json=document) if document is not None else self._exchange("POST", path)

    def delete(self, path: str) -> Reply:
        """Ask for the end of what a path below the base names; raises as `get`.

        Args:
            path: starts with a slash.
        """
        return self._exchange("DELETE", path)

    def close(self) -> None:
        """Give the sockets back."""
        self._client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _exchange(self, method: str, path: str, **request: Any) -> Reply:
        url = self.url + path
        deadline = time.monotonic() + self.timeout.total_seconds()
        with self._translated(url), self._client.stream(method, url, **request) as response:
            body = self._body(response, url, deadline)
            return Reply(self.part, url, response.status_code, body.decode("utf-8", errors="replace"))

    def _body(self, response: httpx.Response, url: str, deadline: float) -> bytes:
        # httpx bounds each read, not the answer: a part that sends a byte now and then would hold us for ever.
        body = bytearray()
        for chunk in response.iter_bytes():
            body += chunk
            if len(body) > BODY_LIMIT:
                raise unreadable(self.part, url, f"more than {BODY_LIMIT} bytes")
            if time.monotonic() > deadline:
                raise timed_out(self.part, url, self.timeout)
        return bytes(body)

    @contextmanager
    def _translated(self, url: str) -> Iterator[None]:
        try:
            yield
        except httpx.TimeoutException:
            raise timed_out(self.part, url, self.timeout) from None
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise unreachable(self.part, self.url, error or type(error).__name__) from error
