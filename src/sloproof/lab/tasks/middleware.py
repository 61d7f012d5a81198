"""What surrounds each request: its measurement, the name of who served it, and answers to what went wrong."""

import logging
import time
from collections.abc import Callable, Mapping
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sloproof.lab.tasks.answers import Rejected, refusal
from sloproof.lab.tasks.database import DatabaseUnavailable
from sloproof.lab.tasks.metrics import RequestMetrics

log = logging.getLogger(__name__)

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
UNKNOWN_ROUTE = "other"


class ServedBy:
    """Adds `x-served-by` to each answer.

    Args:
        application: what it surrounds.
        instance: the header's value.
    """

    def __init__(self, application: ASGIApp, instance: str) -> None:
        self._application = application
        self._header = (b"x-served-by", instance.encode())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on and mark its answer."""

        async def marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), self._header]
            await send(message)

        await self._application(scope, receive, marked if scope["type"] == "http" else send)


class Measured:
    """Counts and times each request of a user; probes and scrapes are no users.

    Args:
        application: what it surrounds.
        metrics: where it counts.
        routes: the template of each endpoint.
        unmeasured: endpoints that no user calls.
    """

    def __init__(
        self,
        application: ASGIApp,
        metrics: RequestMetrics,
        routes: Mapping[Callable[..., Any], str],
        unmeasured: frozenset[Callable[..., Any]],
    ) -> None:
        self._application = application
        self._metrics = metrics
        self._routes = routes
        self._unmeasured = unmeasured

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on and record how it ended."""
        if scope["type"] != "http":
            await self._application(scope, receive, send)
            return
        begun = time.perf_counter()
        status = 500

        async def noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._application(scope, receive, noted)
        finally:
            self._record(scope, status, time.perf_counter() - begun)

    def _record(self, scope: Scope, status: int, seconds: float) -> None:
        endpoint = scope.get("endpoint")
        if endpoint in self._unmeasured:
            return
        method = scope["method"] if scope["method"] in _METHODS else "OTHER"
        route = self._routes.get(endpoint, UNKNOWN_ROUTE) if endpoint else UNKNOWN_ROUTE
        self._metrics.record(method, route, status, seconds)


class Answered:
    """Turns what the endpoints raise into answers: refusals, 503 without the database, 500 for the rest.

    Args:
        application: what it surrounds.
    """

    def __init__(self, application: ASGIApp) -> None:
        self._application = application

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on; answer it here when that raised before an answer had begun."""
        if scope["type"] != "http":
            await self._application(scope, receive, send)
            return
        begun = False

        async def noted(message: Message) -> None:
            nonlocal begun
            begun = begun or message["type"] == "http.response.start"
            await send(message)

        try:
            await self._application(scope, receive, noted)
        except Exception as error:
            if begun:
                raise
            await refusal(_rejected(error, scope))(scope, receive, send)


def _rejected(error: Exception, scope: Scope) -> Rejected:
    if isinstance(error, Rejected):
        return error
    if isinstance(error, DatabaseUnavailable):
        log.error("database unavailable", extra={"path": scope["path"], "error": str(error)})
        return Rejected(503, "banco de dados indisponível", headers={"retry-after": "1"})
    log.error("request failed", extra={"path": scope["path"]}, exc_info=error)
    return Rejected(500, "erro interno")
