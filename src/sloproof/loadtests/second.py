"""One second of truth, as the load generator saw it."""

from pydantic import BaseModel


class Second(BaseModel):
    """What completed within one second; seconds tile the run, empty ones included.

    Args:
        at: epoch second it begins with.
        started: requests sent.
        completed: requests that ended, well or badly.
        errors: kind (`5xx`, `4xx`, `429`, `connection`, `timeout`, `other`) -> completed requests.
        slower: threshold in seconds, as text -> completed requests strictly slower than it or never answered, exact
            and unrounded.
        latency: histogram of all completed requests, see `histogram`.
        served_by: value of the answer's `x-served-by` header -> completed requests.
        users: users running when the second ended.
        users_asked: users that a shape asked for when the second ended; None where their number is fixed.
        asked: arrivals per second that were asked for; None where users wait between tasks.
        waiting: arrivals that waited for a free user when the second was closed.
        in_flight: requests in flight when the second was closed.
        lag: the generator's worst scheduling lag, seconds.
        late: seconds of this second in which the generator ran more than 100 ms late; the mean of several processes.
        cpu: processor use of the generator, share of one core; the busiest of several processes.
        received: bytes of the answers' bodies, unpacked.
        sent: bytes of the requests' bodies.
        connections: connections that were opened.
        lost: generator processes that have gone missing in the run so far.
    """

    at: float
    started: int = 0
    completed: int = 0
    errors: dict[str, int] = {}
    slower: dict[str, int] = {}
    latency: dict[int, int] = {}
    served_by: dict[str, int] = {}
    users: int = 0
    users_asked: int | None = None
    asked: float | None = None
    waiting: int = 0
    in_flight: int = 0
    lag: float = 0.0
    late: float = 0.0
    cpu: float = 0.0
    received: int = 0
    sent: int = 0
    connections: int = 0
    lost: int = 0
