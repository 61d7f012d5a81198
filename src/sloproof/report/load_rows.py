"""What a report tells of the load itself: its phases, its latency, its generator, and requests to look into."""

import math
from typing import Annotated

from pydantic import Field, computed_field

from sloproof.report.recorded import Measurement, Recorded, Share, Verdict


class LoadPhaseRow(Recorded):
    """What became of the requests that were due in one phase of a load.

    Args:
        phase: the part of the run.
        name: the phase's name, such as `spike`.
        seconds: its length.
        requests: those that were due in it, answered or not.
        failed: those that broke a promise; 4xx and 429 are answers.
        unanswered: those that were still in flight when the load was over.
        turned_away: those that were answered by 4xx or 429.
        p50: median latency in milliseconds.
        p95: 95 % were not slower than this, milliseconds.
        p99: 99 % were not slower than this, milliseconds.
    """

    phase: str
    name: str
    seconds: Annotated[float, Field(ge=0)]
    requests: Annotated[int, Field(ge=0)]
    failed: Annotated[int, Field(ge=0)]
    unanswered: Annotated[int, Field(ge=0)] = 0
    turned_away: Annotated[int, Field(ge=0)] = 0
    p50: Measurement = None
    p95: Measurement = None
    p99: Measurement = None

    @computed_field  # type: ignore[prop-decorator]
    @property
    def rate(self) -> float | None:
        """Requests per second; None for a phase without length."""
        return self.requests / self.seconds if self.seconds else None

    @computed_field  # type: ignore[prop-decorator]
    @property
    def failure_ratio(self) -> float | None:
        """Failed requests over all of them, ratio of 1; None without requests."""
        return self.failed / self.requests if self.requests else None


class HealthRow(Recorded):
    """One thing that must be right for the load generator's figures to count.

    Args:
        name: such as `scheduling lag, p99`.
        observed: such as `3 ms (limit 50 ms)`.
        verdict: UNDECIDED when it makes the run's figures doubtful.
    """

    name: str
    observed: str
    verdict: Verdict


class QuantileRow(Recorded):
    """A latency quantile of one phase, warm-up left out.

    Args:
        phase: the phase.
        q: the share of requests that are not slower, ratio of 1.
        value: milliseconds; None where too many requests were never answered.
        lower: the true quantile is above this, milliseconds; None where the run does not tell.
        upper: the true quantile is at most this, milliseconds; None where the run does not tell.
        confidence: of each bound, ratio of 1.
        relative_error: of the value, ratio of 1; the bounds have none.
    """

    phase: str
    q: Share
    value: Measurement = None
    lower: Measurement = None
    upper: Measurement = None
    confidence: Share = 0.95
    relative_error: Share = 0


class ComparisonRow(Recorded):
    """A figure of this run beside that of an earlier one.

    Args:
        figure: such as `p95`.
        verdict: against the limit.
        decides: whether a limit was set, so that the verdict counts.
        told: one sentence with the change and its bounds.
        before: the earlier run's figure: seconds, ratio of 1 or requests per second.
        after: this run's.
        lower: the true change is at least this, ratio of 1.
        upper: the true change is at most this.
    """

    figure: str
    verdict: Verdict
    decides: bool
    told: str
    before: Measurement = None
    after: Measurement = None
    lower: Measurement = None
    upper: Measurement = None


class SpanRow(Recorded):
    """What the target did for a request, as it tells it itself.

    Args:
        name: the span's name.
        instance: who made it.
        began_after: seconds from the request's beginning.
        lasted: seconds.
        failed: whether the target calls it an error.
    """

    name: str
    instance: str = ""
    began_after: float
    lasted: Annotated[float, Field(ge=0)]
    failed: bool = False


class TraceRow(Recorded):
    """A request to look into.

    Args:
        phase: the phase it was sent in.
        why: why it is shown, such as `failed: 5xx`.
        name: method and route.
        status: HTTP status code, 0 without an answer.
        started_at: epoch second it was sent, or was due.
        latency: seconds.
        waited: seconds of it in which it waited in the load generator to be sent.
        trace_id: 32 hexadecimal digits, or empty.
        spans: what the target did for it; empty where that is not known.
    """

    phase: str
    why: str
    name: str
    status: int = 0
    started_at: float
    latency: Annotated[float, Field(ge=0)]
    waited: Annotated[float, Field(ge=0)] = 0.0
    trace_id: str = ""
    spans: tuple[SpanRow, ...] = ()

    @computed_field  # type: ignore[prop-decorator]
    @property
    def in_target(self) -> float | None:
        """Seconds in which at least one span was open; None without spans."""
        if not self.spans:
            return None
        total, reached = 0.0, -math.inf
        for span in sorted(self.spans, key=lambda span: span.began_after):
            end = span.began_after + span.lasted
            total += max(0.0, end - max(span.began_after, reached))
            reached = max(reached, end)
        return min(total, self.latency)

    @computed_field  # type: ignore[prop-decorator]
    @property
    def outside(self) -> float | None:
        """Seconds on the way: in the balancer, in queues, on the wire; None without spans."""
        return None if self.in_target is None else max(0.0, self.latency - self.waited - self.in_target)
