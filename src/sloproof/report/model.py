"""What a run found, as plain values: the one model that every report is written from.

Times are epoch seconds; ratios are ratios of 1; `None` means that there is no measurement, never zero.
"""

import math
from decimal import Decimal
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, computed_field, model_validator

from sloproof.definition import Definition

SCHEMA_VERSION: Literal[1] = 1

Verdict = Literal["PASS", "FAIL", "UNDECIDED"]
Unit = Literal["requests/s", "ms", "ratio", "x", "count"]


def _measured(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value


Measurement = Annotated[float | None, BeforeValidator(_measured)]
"""A number, or None where nothing was measured; NaN and infinities count as not measured."""

Share = Annotated[float, Field(ge=0, le=1)]
Point = tuple[float, Measurement]
"""Epoch seconds and a value in the chart's unit."""


class Recorded(Definition):
    """A value that reads back what it wrote: derived figures are written, and worked out anew when read."""

    @model_validator(mode="before")
    @classmethod
    def _without_derived(cls, given: Any) -> Any:
        if not isinstance(given, dict):
            return given
        return {key: value for key, value in given.items() if key not in cls.model_computed_fields}


class ExpectationRow(Recorded):
    """One thing that was expected, and what was observed.

    Args:
        expected: the sentence, such as `the latency alert fires`.
        observed: what was seen, such as `fired 63 s after the fault`.
        verdict: whether the two agree.
        detail: the figures behind it, such as `promised 61-66 s, measured 63 s`.
        phase: the phase it belongs to; may be empty.
    """

    expected: str
    observed: str
    verdict: Verdict
    detail: str = ""
    phase: str = ""


class EventCounts(Recorded):
    """Bad events and all events, as one source counted them.

    Args:
        bad: bad events; Prometheus's increase may be no whole number.
        total: all events, bad ones included.
    """

    bad: Annotated[float, Field(ge=0)]
    total: Annotated[float, Field(ge=0)]

    @model_validator(mode="after")
    def _bad_within_total(self) -> Self:
        if self.bad > self.total:
            raise ValueError(f"`{self.bad:g}` bad events of `{self.total:g}` cannot be")
        return self

    @computed_field  # type: ignore[prop-decorator]
    @property
    def good(self) -> float:
        """Events that were not bad."""
        return self.total - self.bad

    @computed_field  # type: ignore[prop-decorator]
    @property
    def error_ratio(self) -> float | None:
        """Bad events over all events, ratio of 1; None without events."""
        return self.bad / self.total if self.total else None


class ObjectiveRow(Recorded):
    """One objective in one phase, by both sources.

    Args:
        phase: the phase that was judged.
        slo: identity, `service/slo`.
        objective: per cent, an exact decimal.
        verdict: whether it held, with enough evidence to say so.
        by_generator: what the load generator saw; None when it recorded nothing.
        by_prometheus: what Prometheus counted in the same time; None without data.
        lower: lower bound of the load generator's error ratio, ratio of 1.
        upper: upper bound of the same.
        budget_spent: share of the whole error budget that this phase spent, ratio of 1; may exceed 1.
        budget_window: the budget's window, such as `30d`.
        note: what to know, such as `needs 2,400 more requests`.
        must_hold: whether an expectation of this phase asked it to hold; else its verdict decides nothing.
    """

    phase: str
    slo: str
    objective: Annotated[Decimal, Field(gt=0, lt=100)]
    verdict: Verdict
    by_generator: EventCounts | None = None
    by_prometheus: EventCounts | None = None
    lower: Measurement = None
    upper: Measurement = None
    budget_spent: Measurement = None
    budget_window: str = ""
    note: str = ""
    must_hold: bool = True

    @computed_field  # type: ignore[prop-decorator]
    @property
    def allowed(self) -> float:
        """The error ratio that the objective allows, ratio of 1."""
        return float((100 - self.objective) / 100)

    @computed_field  # type: ignore[prop-decorator]
    @property
    def difference(self) -> float | None:
        """Prometheus's error ratio less the load generator's, ratio of 1; None unless both have events."""
        ratios = [counts.error_ratio for counts in (self.by_generator, self.by_prometheus) if counts is not None]
        if len(ratios) != len(("generator", "prometheus")) or ratios[0] is None or ratios[1] is None:
            return None
        return ratios[1] - ratios[0]


class Span(Recorded):
    """A stretch of time: epoch seconds, the end not before the start."""

    start: float
    end: float

    @model_validator(mode="after")
    def _forwards(self) -> Self:
        if self.end < self.start:
            raise ValueError(f"ends at `{self.end:.3f}`, before its start at `{self.start:.3f}`")
        return self


class Phase(Span):
    """A part of the run with a name, such as `steady load`."""

    name: str


class FaultBar(Recorded):
    """A fault as it was injected and undone.

    Args:
        label: what was broken, such as `kill a1`.
        injected_at: epoch seconds.
        undone_at: epoch seconds; None when it was still in place at the end of the run.
        verified: how its effect was seen, such as `p95 rose from 42 ms to 812 ms`.
    """

    label: str
    injected_at: float
    undone_at: float | None = None
    verified: str = ""

    @model_validator(mode="after")
    def _forwards(self) -> Self:
        if self.undone_at is not None and self.undone_at < self.injected_at:
            raise ValueError(f"`{self.label}` is undone before it is injected")
        return self


class AlertBar(Recorded):
    """An alert's life in this run, beside what its arithmetic promised.

    Args:
        alert: the alert's name.
        pending_at: epoch seconds; None where it did not happen, as for the three below.
        firing_at: when Prometheus began to fire it.
        notified_at: when the notification arrived.
        resolved_at: when the resolution arrived, or Prometheus cleared it.
        promised_firing: the epoch seconds between which it had to fire; None when it had to stay quiet.
        promised_clearing: the epoch seconds between which it had to clear.
        fault: label of the `FaultBar` that had to fire it; times are told from its injection and its undo.
        until: when the watching of this life ended, epoch seconds; None is the end of the phase it began in.
    """

    alert: str
    pending_at: float | None = None
    firing_at: float | None = None
    notified_at: float | None = None
    resolved_at: float | None = None
    promised_firing: Span | None = None
    promised_clearing: Span | None = None
    fault: str = ""
    until: float | None = None

    @property
    def began_at(self) -> float | None:
        """When it became active, epoch seconds; None where it stayed quiet."""
        return min((at for at in (self.pending_at, self.firing_at) if at is not None), default=None)


class Series(Recorded):
    """One line of a chart; points are kept in the order of time."""

    label: str
    points: tuple[Point, ...] = ()

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        ordered = tuple(sorted(self.points, key=lambda point: point[0]))
        if ordered != self.points:
            object.__setattr__(self, "points", ordered)
        return self


class Limit(Recorded):
    """A horizontal line with its meaning, such as 500 ms, `promised`."""

    value: float
    label: str


class Chart(Recorded):
    """Measurements over the time of the run, in one unit.

    Args:
        title: what is drawn.
        unit: of every value in it; `x` is a factor such as a burn rate.
        series: the lines.
        limits: thresholds to draw through it.
        logarithmic: whether the value axis is; zero is then drawn on the bottom line.
    """

    title: str
    unit: Unit
    series: tuple[Series, ...] = ()
    limits: tuple[Limit, ...] = ()
    logarithmic: bool = False


class BalanceRow(Recorded):
    """The share of the requests that one instance served, ratio of 1, around a fault."""

    instance: str
    before: Share | None = None
    during: Share | None = None
    after: Share | None = None


class LoadPhaseRow(Recorded):
    """What became of the requests that were due in one phase of a load.

    Args:
        phase: the part of the run.
        name: the phase's name, such as `spike`.
        seconds: its length.
        requests: those that were due in it, answered or not.
        failed: those that broke a promise; 4xx and 429 are answers.
        p50: median latency in milliseconds.
        p95: 95 % were not slower than this, milliseconds.
        p99: 99 % were not slower than this, milliseconds.
    """

    phase: str
    name: str
    seconds: Annotated[float, Field(ge=0)]
    requests: Annotated[int, Field(ge=0)]
    failed: Annotated[int, Field(ge=0)]
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


class RunReport(Recorded):
    """Everything a report tells about one run.

    Args:
        title: what was run, such as `sloproof demo`.
        verdict: of the whole run.
        headline: one sentence.
        command: what was typed.
        started_at: epoch seconds.
        ended_at: epoch seconds.
        system: the system under test.
        scale: the factor the rules' windows were divided by; 1 for real windows.
        expectations: what was expected and observed, in the order of the run.
        objectives: each objective in each phase.
        latency: quantiles of each phase.
        compared_with: the earlier run that it is laid beside, in words; empty where it is not.
        comparisons: its figures beside the earlier run's.
        phases: parts of the run, in order.
        load: the phases of each load, in order.
        faults: in order of injection.
        alerts: every alert that was watched.
        charts: drawn under each other over one time axis.
        balance: shares of the instances around the fault; `balance_fault` names it.
        balance_fault: the fault that `balance` is told around.
        generator: health of the load generator.
        traces: requests to look into.
        environment: names and versions.
        notes: sentences.
        repeat: the command that runs it again.
    """

    schema_version: Literal[1] = SCHEMA_VERSION
    title: str
    verdict: Verdict
    headline: str
    command: str = ""
    started_at: float
    ended_at: float
    system: str = ""
    scale: Annotated[int, Field(ge=1)] = 1
    expectations: tuple[ExpectationRow, ...] = ()
    objectives: tuple[ObjectiveRow, ...] = ()
    latency: tuple[QuantileRow, ...] = ()
    compared_with: str = ""
    comparisons: tuple[ComparisonRow, ...] = ()
    phases: tuple[Phase, ...] = ()
    load: tuple[LoadPhaseRow, ...] = ()
    faults: tuple[FaultBar, ...] = ()
    alerts: tuple[AlertBar, ...] = ()
    charts: tuple[Chart, ...] = ()
    balance: tuple[BalanceRow, ...] = ()
    balance_fault: str = ""
    generator: tuple[HealthRow, ...] = ()
    traces: tuple[TraceRow, ...] = ()
    environment: dict[str, str] = Field(default_factory=dict)
    notes: tuple[str, ...] = ()
    repeat: str = ""

    @model_validator(mode="after")
    def _forwards(self) -> Self:
        if self.ended_at < self.started_at:
            raise ValueError("the run ends before it starts")
        return self
