"""What a run found, as plain values: the one model that every report is written from.

Times are epoch seconds; ratios are ratios of 1; `None` means that there is no measurement, never zero.
"""

from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import Field, computed_field, model_validator

from sloproof.report.load_rows import ComparisonRow, HealthRow, LoadPhaseRow, QuantileRow, TraceRow
from sloproof.report.recorded import Measurement, Point, Recorded, Share, Unit, Verdict

SCHEMA_VERSION: Literal[1] = 1


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
        judged: the load generator's counts on which verdict, bounds and budget rest, those of the warm-up left out;
            None in reports that were written before they were kept.
        by_generator: what the load generator saw, warm-up and all; None when it recorded nothing.
        by_prometheus: what Prometheus counted in the same time; None without data.
        lower: lower bound of the judged error ratio, ratio of 1.
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
    judged: EventCounts | None = None
    by_generator: EventCounts | None = None
    by_prometheus: EventCounts | None = None
    lower: Measurement = None
    upper: Measurement = None
    budget_spent: Measurement = None
    budget_window: str = ""
    note: str = ""
    must_hold: bool = True

    @property
    def decided_on(self) -> EventCounts | None:
        """The counts on which verdict, bounds and budget rest, as far as they are known."""
        return self.by_generator if self.judged is None else self.judged

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


class Deploy(Recorded):
    """A release that came into service in the time of a run; epoch seconds."""

    release: str
    at: float


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
        active_before: it was pending or firing already when the watching began.
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
    active_before: bool = False

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
        band: whether the ground between the first and the last line is filled, as between quantiles.
    """

    title: str
    unit: Unit
    series: tuple[Series, ...] = ()
    limits: tuple[Limit, ...] = ()
    logarithmic: bool = False
    band: bool = False


class BalanceRow(Recorded):
    """The share of the requests that one instance served, ratio of 1, around a fault."""

    instance: str
    before: Share | None = None
    during: Share | None = None
    after: Share | None = None


class RunReport(Recorded):
    """Everything a report tells about one run.

    Args:
        kind: `load`, `chaos`, `drill` or `demo`; empty in reports of earlier versions, as are the two below.
        name: the profile's, experiment's or drill's name.
        release: what was tested; empty when nobody said.
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
        deploys: releases that came into service meanwhile, in the order of time.
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
    kind: str = ""
    name: str = ""
    release: str = ""
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
    deploys: tuple[Deploy, ...] = ()
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
