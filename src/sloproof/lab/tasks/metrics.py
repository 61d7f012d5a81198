"""What an instance says about the requests it served."""

from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest

BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 1.0, 2.5, 5.0)
"""Bucket edges in seconds; each latency threshold of an SLO must be one of them."""

_ALWAYS = (401, 422, 429, 500, 503)


class CacheMetrics:
    """Look-ups in the cache, by result; every series exists from the start, at 0.

    Args:
        registry: where they are published.
        instance: value of the `instance` label.
    """

    def __init__(self, registry: CollectorRegistry, instance: str) -> None:
        counter = Counter(
            "cache_requests_total",
            "Look-ups in the cache and writes to it that failed, by result.",
            ("cache_name", "result", "instance"),
            registry=registry,
        )
        children = (counter.labels("tarefas", result, instance) for result in ("hit", "miss", "error"))
        self.hit, self.miss, self.error = (child.inc for child in children)


class RequestMetrics:
    """Counters and a histogram, by method and route.

    Every series that can be foreseen exists from the start, at 0: a series that is born at its first error
    hides that error from `rate()`.

    Args:
        registry: where they are published.
        instance: value of the `instance` label.
        routes: method, route template and the codes that it answers beside the general ones.
    """

    def __init__(
        self, registry: CollectorRegistry, instance: str, routes: Iterable[tuple[str, str, tuple[int, ...]]]
    ) -> None:
        self.registry = registry
        self._instance = instance
        self._requests = Counter(
            "http_requests_total",
            "Requests answered, by method, route template and status code.",
            ("method", "route", "code", "instance"),
            registry=self.registry,
        )
        self._duration = Histogram(
            "http_request_duration_seconds",
            "Time from the request's arrival at the instance to the end of its answer.",
            ("method", "route", "instance"),
            buckets=BUCKETS,
            registry=self.registry,
        )
        self._counters: dict[tuple[str, str, int], Counter] = {}
        self._histograms: dict[tuple[str, str], Histogram] = {}
        for method, route, codes in routes:
            self._histogram(method, route)
            for code in {*codes, *_ALWAYS}:
                self._counter(method, route, code)

    def record(self, method: str, route: str, code: int, seconds: float) -> None:
        """Count one answer.

        Args:
            method: HTTP method.
            route: the route's template, never the path itself.
            code: status code.
            seconds: how long the answer took.
        """
        self._counter(method, route, code).inc()
        self._histogram(method, route).observe(seconds)

    def page(self) -> bytes:
        """The metrics in Prometheus' text format."""
        return generate_latest(self.registry)

    def _counter(self, method: str, route: str, code: int) -> Counter:
        # The library takes a lock and rebuilds the label tuple at each look-up; the children are kept here instead.
        key = (method, route, code)
        if key not in self._counters:
            self._counters[key] = self._requests.labels(method, route, str(code), self._instance)
        return self._counters[key]

    def _histogram(self, method: str, route: str) -> Histogram:
        key = (method, route)
        if key not in self._histograms:
            self._histograms[key] = self._duration.labels(method, route, self._instance)
        return self._histograms[key]
