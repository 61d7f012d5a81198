"""Watches Locust's HTTP clients from outside, so that locustfiles stay ordinary ones. Only in the generator process.

Locust reports a request when it is over; what is cut off at the end it never reports. So each session's `request` is
wrapped to know what is in flight, and each hop beneath it to keep it on allowed targets, traced and within its time.
All of it runs once a request, and what it costs is load that the generator cannot make: `benchmarks/load_overhead.py`.
"""

import os
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any, Protocol

import gevent
from gevent import GreenletExit, getcurrent
from geventhttpclient.client import HTTPClient
from geventhttpclient.connectionpool import ConnectionPool
from locust.clients import HttpSession, LocustHttpAdapter, ResponseContextManager
from locust.contrib.fasthttp import FastHttpSession, FastHttpUser
from locust.contrib.fasthttp import ResponseContextManager as FastResponseContextManager
from locust.exception import ResponseError
from urllib3.connection import HTTPConnection

from sloproof.loadtests.locust_arrivals import take_due
from sloproof.loadtests.plan import LoadPlan
from sloproof.loadtests.recorder import Recorder
from sloproof.targets import check_target

AnyCall = Callable[..., Any]
_DRAWN = 256
LATE = "sloproof_late"
"""Key of the request event's context: seconds from when the request was due until it was sent."""
TRACE = "sloproof_trace"
"""Key of the request event's context: a list of the one `traceparent` that the request is sent with."""


class Counting(Protocol):
    """Something that counts requests while a test runs."""

    recorder: Recorder | None
    drained_from: float
    uncounted: int

    def clock(self) -> float:
        """The epoch second."""
        ...

    @property
    def count(self) -> Callable[..., None]:
        """Counts a request that was reported as Locust's `request` event reports them."""
        ...


def watch_sessions(counting: Counting, plan: LoadPlan) -> None:
    """Wrap the HTTP clients of this process; once.

    Args:
        counting: told of each request's start and end; its `recorder` is None while nothing is to be counted, its
            `drained_from` above zero once no more load is asked for.
        plan: its time-out holds for requests that have none of their own, its targets for all of them.
    """
    FastHttpUser.network_timeout = plan.request_timeout
    FastHttpUser.connection_timeout = plan.request_timeout
    for session in (FastHttpSession, HttpSession):
        _wrap(session, "request", lambda original: _counted(original, counting))
    for caught in (FastResponseContextManager, ResponseContextManager):
        _wrap(caught, "__exit__", lambda original: _left(original, counting))
    gate = Gate(plan.allowed)
    _wrap(HTTPClient, "__init__", lambda original: _gated(original, gate))
    _wrap(HTTPClient, "_build_request", lambda original: _fast_hop(original, counting))
    _wrap(LocustHttpAdapter, "send", lambda original: _requests_hop(original, gate, plan.request_timeout, counting))
    _wrap(ConnectionPool, "_connect_socket", lambda original: _connected(original, counting))
    _wrap(HTTPConnection, "_new_conn", lambda original: _connected(original, counting))


@lru_cache(maxsize=1024)
def request_name(method: str, name: str) -> str:
    """Method and route: `GET /tarefas`, also where the locustfile's name has the method in it already."""
    return name if name.startswith(f"{method} ") else f"{method} {name}"


class Gate:
    """Lets requests through to allowed targets only; a locustfile may ask for any URL, and an answer may redirect.

    Args:
        allowed: targets beyond loopback, `host` or `host:port`.
    """

    def __init__(self, allowed: list[str]) -> None:
        self._allowed = allowed
        self._passed: set[str] = set()

    def check_host(self, scheme: str, host: str) -> None:
        """Raise `Refused` unless this host may be loaded; `host:port`, or the host alone."""
        self._check_origin(f"{scheme}://{host}")

    def check(self, url: str) -> None:
        """Raise `Refused` unless this URL's host may be loaded."""
        self._check_origin("/".join(url.split("/", 3)[:3]))

    def _check_origin(self, origin: str) -> None:
        if origin not in self._passed:
            check_target(origin, self._allowed)
            self._passed.add(origin)


def _wrap(owner: type, method: str, wrapper: Callable[[AnyCall], AnyCall]) -> None:
    setattr(owner, method, wrapper(getattr(owner, method)))


def _counted(original: AnyCall, counting: Counting) -> AnyCall:
    def request(session: Any, method: str, url: str, name: str | None = None, *args: Any, **options: Any) -> Any:
        recorder = counting.recorder
        if recorder is None:
            return original(session, method, url, name, *args, **options)
        if counting.drained_from:
            # Locust kills users that wait; one that woke just then must not be cut off in the midst of a request.
            gevent.sleep(0)
        begun, due, trace = counting.clock(), take_due(), [_traceparent()]
        options["context"] = _context(options.get("context"), trace, due, begun)
        setattr(getcurrent(), TRACE, trace)
        ticket = recorder.begin(
            request_name(method, name or session.request_name or url), begun if due is None else due, trace
        )
        try:
            answer = original(session, method, url, name, *args, **options)
        except GreenletExit:
            recorder.censor(ticket, counting.clock())
            raise
        except BaseException:
            recorder.end(ticket)
            raise
        recorder.end(ticket)
        counting.uncounted += bool(getattr(answer, "_catch_response", False))  # until its `with` block is left
        return answer

    return request


def _left(original: AnyCall, counting: Counting) -> AnyCall:
    """Locust reports nothing of a request whose `with` block raises; it was answered all the same."""

    def leave(response: Any, kind: Any, error: Any, *traceback: Any) -> Any:
        if counting.recorder is not None and response._catch_response:
            counting.uncounted -= 1
            if kind is not None and response._manual_result is None and not isinstance(error, ResponseError):
                told = response.request_meta
                failure = told["exception"] or _deepest(getattr(response, "error", None))
                counting.count(**{**told, "exception": failure})
        return original(response, kind, error, *traceback)

    return leave


def _deepest(error: BaseException | None) -> BaseException | None:
    """What went wrong at the bottom, as Locust tells it: its client wraps a refused connection in three others."""
    while error is not None and error.__context__ is not None:
        error = error.__context__
    return error


def _context(given: dict[str, Any] | None, trace: list[str], due: float | None, begun: float) -> dict[str, Any]:
    context: dict[str, Any] = {**given, TRACE: trace} if given else {TRACE: trace}
    if due is not None:
        context[LATE] = begun - due
    return context


def _gated(original: AnyCall, gate: Gate) -> AnyCall:
    """Each host gets a client of its own before anything is asked of it, its address included."""

    def start(client: HTTPClient, host: str, port: int | None = None, *args: Any, **options: Any) -> None:
        secure = options.get("ssl") or options.get("ssl_options") is not None
        gate.check_host("https" if secure else "http", _netloc(host, port))
        if options.get("proxy_host"):
            gate.check_host("http", _netloc(options["proxy_host"], options.get("proxy_port")))
        original(client, host, port, *args, **options)

    return start


def _netloc(host: str, port: int | None) -> str:
    name = f"[{host}]" if ":" in host and not host.startswith("[") else host
    return name if port is None else f"{name}:{port}"


def _fast_hop(original: AnyCall, counting: Counting) -> AnyCall:
    """The header goes into the text of the request: the client copies and checks its headers one by one, twice."""

    def build_request(client: HTTPClient, method: str, uri: str, **options: Any) -> str:
        text: str = original(client, method, uri, **options)
        headers, body = options.get("headers"), options.get("body")
        trace: list[str] | None = getattr(getcurrent(), TRACE, None)
        if headers and "traceparent" in headers:
            if trace:
                trace[0] = str(headers["traceparent"])
        else:
            text = f"{text[:-2]}traceparent: {trace[0] if trace else _traceparent()}\r\n\r\n"
        if body:
            _count_upload(body, counting)
        return text

    return build_request


def _requests_hop(original: AnyCall, gate: Gate, request_timeout: float, counting: Counting) -> AnyCall:
    def send(adapter: Any, request: Any, **options: Any) -> Any:
        gate.check(str(request.url))
        _trace(request.headers)
        _count_upload(request.body, counting)
        if options.get("timeout") is None:
            options["timeout"] = request_timeout
        return original(adapter, request, **options)

    return send


def _connected(original: AnyCall, counting: Counting) -> AnyCall:
    def connect(*args: Any, **options: Any) -> Any:
        connection = original(*args, **options)
        if counting.recorder is not None:
            counting.recorder.connect(counting.clock())
        return connection

    return connect


def _trace(headers: Any) -> None:
    """Send the trace of this greenlet's request along, or keep the one that the locustfile sends."""
    trace: list[str] | None = getattr(getcurrent(), TRACE, None)
    sent = headers.setdefault("traceparent", trace[0] if trace else _traceparent())
    if trace:
        trace[0] = str(sent)


def _count_upload(body: Any, counting: Counting) -> None:
    if body and counting.recorder is not None and isinstance(body, bytes | str):
        counting.recorder.upload(len(body), counting.clock())


def _traceparent() -> str:
    """A fresh trace context, sampled.

    Source: W3C Trace Context, section 3.2.
    """
    digits = next(_digits)
    return f"00-{digits[:32]}-{digits[32:]}-01"


def _random_digits() -> Iterator[str]:
    """48 random hexadecimal digits, again and again; drawn by the hundred, which costs a third of one by one."""
    while True:
        drawn = os.urandom(24 * _DRAWN).hex()
        yield from (drawn[at : at + 48] for at in range(0, len(drawn), 48))


_digits = _random_digits()
