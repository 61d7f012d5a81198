"""Queries through prometheus-api-client, behind its traps.

The library has no time-out of its own, retries for seconds, follows redirects, reads proxies from the
environment, rounds the times of range queries to whole seconds and drops Prometheus's warnings. The session that it
is given here does none of that and keeps the body, so that the warnings can be read.
"""

import io
import json
import re
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import requests
import urllib3
from prometheus_api_client import PrometheusConnect
from prometheus_api_client.exceptions import PrometheusApiClientException
from urllib3.util.retry import Retry

from sloproof.errors import PartFailed
from sloproof.foreign_answers import instead, unsuccessful
from sloproof.http import BODY_LIMIT, timed_out, unreachable, unreadable

PART = "Prometheus"
_CHUNK = 64 * 1024
_HINTS = {
    "bad_data": "correct the expression",
    "unavailable": f"see whether {PART} has started and reaches its storage",
}
_STATUS = re.compile(r"HTTP Status Code (\d+)")


class NotAnswered(PartFailed):
    """A query that Prometheus read and could not answer; `why` is its own words, without the query."""

    def __init__(self, message: str, *, hint: str = "", why: str = "") -> None:
        super().__init__(message, hint=hint)
        self.why = why or message


class Result(NamedTuple):
    """The `result` of a query's data, and the warnings beside it."""

    result: Any
    warnings: tuple[str, ...]


class _BoundedSession(requests.Session):
    """A session whose exchanges end in time, go nowhere else, and leave their body behind."""

    def __init__(self, timeout: timedelta) -> None:
        super().__init__()
        self.trust_env = False
        self.limit = timeout
        self.body = b""

    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
        deadline = time.monotonic() + self.limit.total_seconds()
        self.body = b""
        response = super().send(request, **{**kwargs, "stream": True, "allow_redirects": False})
        with response:
            self.body = _read(response, deadline)
        response.raw = io.BytesIO(self.body)
        return response


def _read(response: requests.Response, deadline: float) -> bytes:
    # The library's time-out bounds each read, not the answer.
    body = bytearray()
    try:
        # `read1` returns what has come; `stream` would wait for a full chunk.
        while chunk := response.raw.read1(_CHUNK, decode_content=True):
            body += chunk
            if len(body) > BODY_LIMIT:
                raise unreadable(PART, response.url, f"more than {BODY_LIMIT} bytes")
            if time.monotonic() > deadline:
                raise requests.exceptions.ReadTimeout
    except urllib3.exceptions.ReadTimeoutError:
        raise requests.exceptions.ReadTimeout from None
    except urllib3.exceptions.HTTPError as error:
        raise requests.exceptions.ConnectionError(error) from error
    return bytes(body)


class Queries:
    """Instant and range queries of one Prometheus; not for several threads at once.

    Args:
        url: its base; whether it is an allowed target was checked before.
        timeout: for each query as a whole; Prometheus is told too, so that it gives up as well.
        credentials: user and password, where it asks for them.
    """

    def __init__(self, url: str, timeout: timedelta, credentials: tuple[str, str] | None = None) -> None:
        self._url = url
        self._timeout = timeout
        self._session = _BoundedSession(timeout)
        self._library = PrometheusConnect(
            url=url,
            auth=credentials,
            session=self._session,
            retry=Retry(total=0, read=False),
            timeout=timeout.total_seconds(),
        )

    def instant(self, expression: str, at: float) -> Result:
        """Evaluate at one instant, seconds since the epoch."""
        parameters = {"time": f"{at:.3f}", **self._give_up()}
        return self._ask("/api/v1/query", expression, lambda: self._library.custom_query(expression, parameters))

    def range(self, expression: str, start: float, end: float, step: float) -> Result:
        """Evaluate from `start` to `end`, seconds since the epoch, each `step` seconds."""
        exact = {"start": f"{start:.3f}", "end": f"{end:.3f}", **self._give_up()}
        first, last = (datetime.fromtimestamp(moment, UTC) for moment in (start, end))
        return self._ask(
            "/api/v1/query_range",
            expression,
            lambda: self._library.custom_query_range(expression, first, last, f"{step:.3f}", params=exact),
        )

    def close(self) -> None:
        """Give the sockets back."""
        self._session.close()

    def _give_up(self) -> dict[str, str]:
        return {"timeout": f"{round(self._timeout.total_seconds() * 1000)}ms"}

    def _ask(self, path: str, expression: str, query: Callable[[], Any]) -> Result:
        url = self._url + path
        try:
            return Result(query(), _warnings(self._session.body))
        except requests.exceptions.Timeout:
            raise timed_out(PART, url, self._timeout) from None
        except PrometheusApiClientException as error:
            raise self._refused(url, expression, error) from None
        except (requests.exceptions.JSONDecodeError, KeyError, TypeError, ValueError) as error:
            raise unreadable(PART, url, instead(_text(self._session.body))) from error
        except requests.exceptions.RequestException as error:
            raise unreachable(PART, self._url, _cause(error)) from error

    def _refused(self, url: str, expression: str, error: Exception) -> PartFailed:
        try:
            said = json.loads(self._session.body)
            kind, why = str(said["errorType"]), str(said["error"])
        except (ValueError, KeyError, TypeError):
            return self._failed(url, error)
        hint = _HINTS.get(kind, f"ask for less, or look into the log of {PART}")
        return NotAnswered(f"{PART} could not answer `{expression}`: {kind}: {why}", hint=hint, why=f"{kind}: {why}")

    def _failed(self, url: str, error: Exception) -> PartFailed:
        # The library puts the body's bytes into its words as Python writes them.
        status = _STATUS.search(str(error))
        if status is None:
            return PartFailed(f"`{url}` failed: {error}", hint=f"look into the log of {PART}")
        return unsuccessful(PART, url, int(status[1]), _text(self._session.body))


def _warnings(body: bytes) -> tuple[str, ...]:
    return tuple(json.loads(body).get("warnings") or ()) if b'"warnings"' in body else ()


def _text(body: bytes) -> str:
    return body.decode("utf-8", errors="replace")


def _cause(error: requests.exceptions.RequestException) -> str:
    """The operating system's words, without the layers that wrapped them."""
    wrapped = error.args[0] if error.args else error
    inner = getattr(wrapped, "reason", wrapped)
    if isinstance(inner, urllib3.exceptions.ProtocolError):
        return "the connection broke off"
    return str(inner).rpartition(": ")[2] or type(error).__name__
