"""The one adapter to Prometheus. Nothing it says about missing data is dropped."""

import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Self

from sloproof.counter_increase import Increase, born_after, increase_of
from sloproof.errors import PartFailed
from sloproof.foreign_answers import unsuccessful
from sloproof.http import TIMEOUT, Connection, Reply, TimedOut, Unreachable
from sloproof.prometheus_answers import (
    ActiveAlert,
    Answer,
    Cost,
    LoadedGroup,
    Metadata,
    Read,
    Series,
    Target,
    read,
    read_alerts,
    read_cost,
    read_groups,
    read_metadata,
    read_series,
    read_targets,
)
from sloproof.promql import Expression, Selector, equals, parse_selector

if TYPE_CHECKING:
    from sloproof.prometheus_queries import Queries

PART = "Prometheus"
_NOT_SERVED = (404, 405, 501)
LOOKBACK = timedelta(minutes=5)
"""How far before an instant a sample may lie and still be the value at that instant; Prometheus's own default."""


class NotServed(PartFailed):
    """A server that speaks Prometheus's language and does not have this page; Mimir and Thanos lack some."""


class Prometheus:
    """A client of one Prometheus, to be closed after use; not for several threads at once.

    Args:
        url: its base, `http://host:port` or with a path prefix.
        timeout: for each exchange as a whole.
        allowed: targets beyond loopback that the workspace lists.

    Raises:
        Refused: the target is not allowed; nothing was sent.

    Every method but `ready` raises PartFailed when Prometheus cannot be reached, does not answer in time, refuses,
    or answers something that is not Prometheus's.
    """

    def __init__(self, url: str, *, timeout: timedelta = TIMEOUT, allowed: Sequence[str] = ()) -> None:
        self._connection = Connection(PART, url, timeout=timeout, allowed=allowed)
        self._opened: Queries | None = None

    @property
    def url(self) -> str:
        """Its base, without a slash at the end and without a password, as anybody may read it."""
        return self._connection.url

    @property
    def address(self) -> str:
        """Its base as it was given, for processes that open it themselves."""
        return self._connection.address

    def close(self) -> None:
        """Give the sockets back."""
        self._connection.close()
        if self._opened is not None:
            self._opened.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def ready(self) -> bool:
        """Whether it answers and serves queries; False while it starts, or when nothing is there."""
        try:
            return self._connection.get("/-/ready").succeeded
        except (Unreachable, TimedOut):
            return False

    def instant(self, expression: Expression | str, at: float | None = None) -> Answer:
        """Evaluate an expression at one instant.

        Args:
            expression: PromQL.
            at: seconds since the epoch, to the millisecond; None is now, by this machine's clock.

        Returns:
            One point a series, or the raw samples of each where the expression is a range selector. NaN stays NaN.
        """
        result = self._queries.instant(str(expression), time.time() if at is None else at)
        return self._answer("/api/v1/query", result)

    def range(self, expression: Expression | str, start: float, end: float, step: float) -> Answer:
        """Evaluate an expression at equal distances.

        Args:
            expression: PromQL.
            start: seconds since the epoch, to the millisecond.
            end: seconds since the epoch; included when a step falls on it.
            step: seconds, to the millisecond. Prometheus refuses more than 11,000 steps.

        Returns:
            A series has points only where it had a value.
        """
        return self._answer("/api/v1/query_range", self._queries.range(str(expression), start, end, step))

    def counter_increase(
        self, selector: Selector | str, start: float, end: float, lookback: timedelta = LOOKBACK
    ) -> Increase:
        """How much counters really grew between two instants, from raw samples: what Prometheus counted.

        `rate()` and `increase()` extrapolate, and miss the first value of a series that is born with it. Here each
        counter counts from its newest sample at or before `start` to its newest at or before `end`; so wait for one
        scrape after the last event before you ask.

        Args:
            selector: of counters, without a window.
            start: seconds since the epoch.
            end: seconds since the epoch, after `start`.
            lookback: how old the sample at `start` may be.

        Returns:
            Each counter's increase with the real times of its first and last sample. The first value of a counter that
            began after `start` counts only if its target (`job`, `instance`) had been scraped before; otherwise it
            may have counted for years, and is told as `unseen`.

        Raises:
            ValueError: the selector is none, or the times are the wrong way round.
        """
        plain = parse_selector(selector) if isinstance(selector, str) else selector
        if end <= start:
            raise ValueError(f"the end `{end}` is not after the start `{start}`")
        window = timedelta(seconds=end - start) + lookback
        answer = self.instant(plain.over(window), end)
        scrapes, warnings = self._scrapes(born_after(answer.series, start), window, end)
        increases = [
            increase_of(one, start, scraped_before=scrapes.get(_target(one), end) < one.points[0][0])
            for one in answer.series
        ]
        return Increase(series=tuple(increases), warnings=answer.warnings + warnings)

    def cost(self, expression: Expression | str, at: float | None = None) -> Cost:
        """What it costs the server to evaluate an expression at one instant; it is evaluated for that.

        Args:
            expression: PromQL.
            at: seconds since the epoch, to the millisecond; None is now, by this machine's clock.
        """
        moment = time.time() if at is None else at
        parameters = {"query": str(expression), "time": f"{moment:.3f}", "stats": "all"}
        return self._read("/api/v1/query", read_cost, parameters)

    def rules(self) -> tuple[LoadedGroup, ...]:
        """The groups of rules that it loaded."""
        return self._read("/api/v1/rules", read_groups)

    def alerts(self) -> tuple[ActiveAlert, ...]:
        """The alerts that are pending or firing."""
        return self._read("/api/v1/alerts", read_alerts)

    def targets(self) -> tuple[Target, ...]:
        """What it scrapes."""
        return self._read("/api/v1/targets", read_targets, {"state": "active"})

    def flags(self) -> dict[str, str]:
        """The command-line flags that it runs with, without dashes."""
        return self._read("/api/v1/status/flags", lambda data: {str(name): str(value) for name, value in data.items()})

    def metadata(self, metric: str = "") -> dict[str, Metadata]:
        """What targets say about their metrics.

        Args:
            metric: only this one; empty for all.
        """
        return self._read("/api/v1/metadata", read_metadata, {"metric": metric} if metric else {})

    def buckets(self, histogram: Selector | str, start: float, end: float) -> frozenset[Decimal]:
        """The upper edges of a classic histogram's buckets.

        Args:
            histogram: selector, named without `_bucket`.
            start: seconds since the epoch.
            end: seconds since the epoch.

        Returns:
            The `le` values in the histogram's own unit, infinity among them; `1` and `1.0` are one. Empty when no
            such histogram was scraped in that time.
        """
        plain = parse_selector(histogram) if isinstance(histogram, str) else histogram
        bucket = plain.renamed(plain.metric + "_bucket")
        parameters = {"match[]": str(bucket), "start": f"{start:.3f}", "end": f"{end:.3f}"}
        return self._read(
            "/api/v1/series", lambda data: frozenset(Decimal(one["le"]) for one in data if one.get("le")), parameters
        )

    @property
    def _queries(self) -> "Queries":
        if self._opened is None:
            # Late, so that commands that never query do not import the library behind it.
            from sloproof.prometheus_queries import Queries

            self._opened = Queries(self.url, self._connection.timeout, self._connection.credentials)
        return self._opened

    def _answer(self, path: str, result: Any) -> Answer:
        series = read(read_series, result.result, part=PART, url=self.url + path)
        return Answer(series=series, warnings=result.warnings)

    def _scrapes(
        self, born: Sequence[Series], window: timedelta, end: float
    ) -> tuple[dict[tuple[str, str], float], tuple[str, ...]]:
        """When each target of these series was first scraped within the window, and warnings."""
        first: dict[tuple[str, str], float] = {}
        warnings: tuple[str, ...] = ()
        for job in sorted({_target(one)[0] for one in born} - {""}):
            answer = self.instant(Selector("up", (equals("job", job),)).over(window), end)
            first |= {_target(one): one.points[0][0] for one in answer.series}
            warnings += answer.warnings
        return first, warnings

    def _read(self, path: str, reader: Callable[[Any], Read], parameters: dict[str, str] | None = None) -> Read:
        return read(reader, _data(self._connection.get(path, parameters)), part=PART, url=self.url + path)


def _target(series: Series) -> tuple[str, str]:
    return series.labels.get("job", ""), series.labels.get("instance", "")


def _data(reply: Reply) -> Any:
    if reply.status in _NOT_SERVED:
        raise NotServed(f"`{reply.url}` is not there: status {reply.status}", hint=f"ask a {PART} that has it")
    if not reply.succeeded:
        raise unsuccessful(PART, reply.url, reply.status, reply.text)
    document = read(dict, reply.document(), part=PART, url=reply.url)
    if document.get("warnings"):
        # Lists of rules, targets and series have no place for a warning; a part of them is no answer.
        raise PartFailed(f"`{reply.url}` answered only in part: {'; '.join(document['warnings'])}")
    return read(lambda envelope: envelope["data"], document, part=PART, url=reply.url)
