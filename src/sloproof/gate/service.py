"""Gates over HTTP: a web metric for Argo Rollouts, a webhook for Flagger."""

import hmac
import json
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware, RequestResponseEndpoint
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sloproof.definition import parse_duration
from sloproof.gate.desk import Answer, Desk

LONGEST_WAIT = 600.0
_MOST_BODY = 64 * 1024
_MOST_RELEASE = 200
_RETRY_SOON = {"Retry-After": "5"}
_OPEN_PATHS = ("/healthz",)
_METRIC_STATUS = {"decided": 200, "running": 202, "busy": 409}
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


def application(
    desk: Desk, gates: Collection[str], *, wait: float, token: str = "", only_loopback: bool = True
) -> Starlette:
    """The service.

    Args:
        desk: runs the gates.
        gates: the names that may be asked for.
        wait: seconds that a caller waits who does not say how long.
        token: that callers must send as `Authorization: Bearer`; empty for none.
        only_loopback: refuse requests whose `Host` is no loopback name, as a web page that rebinds its name sends.

    Returns:
        `GET /healthz`, `GET /gates/NAME` and `POST /webhook/NAME`.
    """

    async def metric(request: Request) -> Response:
        name, release = request.path_params["name"], request.query_params.get("release", "")
        limit = _seconds(request.query_params.get("wait"), wait)
        refused = _refusal(name, release, limit)
        if refused is not None or limit is None:
            return refused or _problem(400, "no time to wait")
        answer = await desk.ask(name, release, limit)
        return JSONResponse(answer.document, _METRIC_STATUS[answer.state])

    async def webhook(request: Request) -> Response:
        try:
            payload = await _payload(request)
        except (ValueError, ClientDisconnect) as error:
            return _problem(400, f"the body is no JSON object: {error}")
        name, release = request.path_params["name"], _release(payload)
        limit = _seconds(request.query_params.get("wait"), wait)
        refused = _refusal(name, release, limit)
        if refused is not None or limit is None:
            return refused or _problem(400, "no time to wait")
        return _for_flagger(await desk.ask(name, release, limit))

    def _refusal(name: str, release: str, limit: float | None) -> Response | None:
        if name not in gates:
            return _problem(404, f"there is no gate `{name}`; there are: {', '.join(sorted(gates)) or 'none'}")
        if limit is None:
            return _problem(400, "`wait` is no duration; write it as `8s`")
        if len(release) > _MOST_RELEASE or not release.isprintable():
            return _problem(400, f"the release must be printable and at most {_MOST_RELEASE} characters long")
        return None

    async def health(_: Request) -> Response:
        return JSONResponse({"status": "ok", "gates": sorted(gates), "running": desk.busy_with})

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        yield
        await desk.close()

    return Starlette(
        routes=[
            Route("/healthz", health, methods=["GET"]),
            Route("/gates/{name}", metric, methods=["GET"]),
            Route("/webhook/{name}", webhook, methods=["POST"]),
        ],
        middleware=[Middleware(BaseHTTPMiddleware, dispatch=_guard(token, only_loopback))],
        exception_handlers={HTTPException: _told},
        lifespan=lifespan,
    )


def _guard(token: str, only_loopback: bool) -> Callable[[Request, RequestResponseEndpoint], Any]:
    """Refuses whoever has no token, and whatever a web page sends: asking for a gate may load a system."""

    async def dispatch(request: Request, proceed: RequestResponseEndpoint) -> Response:
        if only_loopback and _host(request) not in _LOOPBACK:
            return _problem(403, "this service answers to loopback names only")
        if request.headers.get("sec-fetch-site", "none") != "none" or "origin" in request.headers:
            return _problem(403, "this service does not answer to web pages")
        if token and request.url.path not in _OPEN_PATHS and not _bears(request, token):
            return _problem(401, "a token is needed", {"WWW-Authenticate": "Bearer"})
        return await proceed(request)

    return dispatch


def _host(request: Request) -> str:
    return urlsplit(f"//{request.headers.get('host', '')}").hostname or ""


def _bears(request: Request, token: str) -> bool:
    kind, _, given = request.headers.get("authorization", "").partition(" ")
    return kind.lower() == "bearer" and hmac.compare_digest(given.strip().encode(), token.encode())


def _for_flagger(answer: Answer) -> Response:
    """Flagger takes every status up to 202 for a pass, so only a pass gets one of those."""
    if answer.state == "decided":
        return JSONResponse(answer.document, 200 if answer.document.get("verdict") == "PASS" else 412)
    return JSONResponse(answer.document, 409 if answer.state == "busy" else 503, headers=_RETRY_SOON)


async def _payload(request: Request) -> dict[str, Any]:
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > _MOST_BODY:
            raise ValueError(f"more than {_MOST_BODY} bytes")
    try:
        payload = json.loads(body) if body.strip() else {}
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    if not isinstance(payload, dict):
        raise ValueError(f"a `{type(payload).__name__}`")
    return payload


def _release(payload: dict[str, Any]) -> str:
    """What Flagger rolls out: the release of its metadata, else the checksum of the canary's specification."""
    metadata = payload.get("metadata")
    named = metadata.get("release") if isinstance(metadata, dict) else None
    return str(named or payload.get("checksum") or "")


def _seconds(text: str | None, otherwise: float) -> float | None:
    """A duration of the query; None where it is none."""
    if text is None:
        return otherwise
    try:
        return min(parse_duration(text).total_seconds(), LONGEST_WAIT)
    except ValueError:
        return None


async def _told(_: Request, error: Exception) -> Response:
    """What the router refuses, in the form of everything else."""
    status = error.status_code if isinstance(error, HTTPException) else 500
    return _problem(status, str(getattr(error, "detail", "") or "refused"))


def _problem(status: int, what: str, headers: dict[str, str] | None = None) -> Response:
    return JSONResponse({"verdict": "UNDECIDED", "headline": what, "findings": []}, status, headers=headers)
