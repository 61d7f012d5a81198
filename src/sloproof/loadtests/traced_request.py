"""The requests that a reader wants to look into: the slowest and the first that failed, each with its trace."""

import heapq
from collections.abc import Iterable, Sequence

from pydantic import BaseModel

SLOWEST_KEPT = 20
"""The slowest requests of a run; enough to see one cause from several, few enough to read."""
FAILED_KEPT = 5
"""The first failed requests of each kind: later ones mostly repeat them."""


class TracedRequest(BaseModel):
    """One request, with the trace that the target can be asked for.

    Args:
        trace_id: 32 hexadecimal digits, as sent in `traceparent`; empty for a client that sends none.
        name: method and route.
        status: HTTP status code, 0 without an answer.
        kind: what went wrong, empty for nothing.
        started_at: epoch second it was sent, or was due where tasks begin by the clock.
        latency: seconds from then until it ended.
        waited: seconds of it in which it waited in the generator to be sent.
    """

    trace_id: str
    name: str
    status: int = 0
    kind: str = ""
    started_at: float
    latency: float
    waited: float = 0.0


def trace_id(trace: Sequence[str]) -> str:
    """The trace that a request belongs to: 32 hexadecimal digits.

    Args:
        trace: its one `traceparent`, or nothing.

    Returns:
        The identity; empty for no header, or one that cannot be read.
    """
    parts = trace[0].split("-") if trace else ()
    return parts[1] if len(parts) > 1 else ""


Facts = tuple[Sequence[str], str, int, str, float, float, float]
"""A request as it is handed over, in the order of `TracedRequest`, with its `traceparent`; a model for each request of
a target that slows down, where each is the slowest so far, would cost more than counting it."""


def _told(facts: Facts) -> TracedRequest:
    trace, name, status, kind, started_at, latency, waited = facts
    return TracedRequest(
        trace_id=trace_id(trace),
        name=name,
        status=status,
        kind=kind,
        started_at=started_at,
        latency=latency,
        waited=waited,
    )


class TracedRequests:
    """Keeps a bounded number of requests, however many there were.

    Args:
        since: epoch second before whose beginning nothing is kept: the warm-up is always slow.
    """

    def __init__(self, since: float = 0.0) -> None:
        self._since = since
        self._slowest: list[tuple[float, int, Facts]] = []
        self._taken = 0
        self._failed: dict[str, list[Facts]] = {}
        self.floor = 0.0

    def take(self, request: "Facts") -> None:
        """Keep a request if it is among the slowest, or among the first of its kind to fail."""
        _, _, _, kind, started_at, latency, _ = request
        if started_at < self._since:
            return
        if kind:
            first = self._failed.setdefault(kind, [])
            if len(first) < FAILED_KEPT:
                first.append(request)
        if latency > self.floor:
            self._taken += 1
            heapq.heappush(self._slowest, (latency, -self._taken, request))
            if len(self._slowest) > SLOWEST_KEPT:
                heapq.heappop(self._slowest)
                self.floor = self._slowest[0][0]

    @property
    def slowest(self) -> list[TracedRequest]:
        """The slowest, the slowest of them first."""
        return slowest_of([_told(request) for *_, request in self._slowest])

    @property
    def failed(self) -> list[TracedRequest]:
        """The first failed ones of each kind, in the order of their beginning."""
        return first_failed_of([_told(request) for kind in self._failed.values() for request in kind])


def slowest_of(requests: Iterable[TracedRequest]) -> list[TracedRequest]:
    """The slowest of requests from several processes, the slowest first; as many as one process keeps."""
    return sorted(requests, key=lambda request: (-request.latency, request.started_at, request.trace_id))[:SLOWEST_KEPT]


def first_failed_of(requests: Iterable[TracedRequest]) -> list[TracedRequest]:
    """The first failed ones of each kind, in the order of their beginning; as many as one process keeps."""
    found: list[TracedRequest] = []
    seen: dict[str, int] = {}
    for request in sorted(requests, key=lambda request: (request.started_at, request.trace_id)):
        seen[request.kind] = seen.get(request.kind, 0) + 1
        if seen[request.kind] <= FAILED_KEPT:
            found.append(request)
    return found
