"""A run's stages as the report's model."""

from collections.abc import Iterator, Mapping, Sequence

from sloproof import names
from sloproof.alerts.promise import Promise
from sloproof.chaos.expecting import RESOLUTION, stretches
from sloproof.chaos.experiment import Holds
from sloproof.chaos.facts import AlertTimeline, RunFacts
from sloproof.chaos.outcome import FaultOutcome
from sloproof.chaos.stage import Stage
from sloproof.loadtests.evaluation import ObjectiveResult
from sloproof.loadtests.quantiles import load_quantiles
from sloproof.report.generator_rows import health_rows
from sloproof.report.load_rows import ComparisonRow, LoadPhaseRow, QuantileRow
from sloproof.report.model import (
    AlertBar,
    BalanceRow,
    Chart,
    Deploy,
    EventCounts,
    ExpectationRow,
    FaultBar,
    ObjectiveRow,
    Phase,
    RunReport,
    Span,
)
from sloproof.report.spans import TargetSpan
from sloproof.report.traces import trace_rows
from sloproof.runbooks.words import spoken
from sloproof.slo import SLO
from sloproof.verdict.comparison import Comparison
from sloproof.verdict.evidence import Counts
from sloproof.verdict.judge import Verdict


def run_report(
    stages: Sequence[Stage],
    *,
    verdict: Verdict,
    charts: Sequence[Chart],
    system: str,
    scale: int,
    title: str,
    command: str,
    environment: Mapping[str, str],
    compared_with: str = "",
    comparisons: Sequence[Comparison] = (),
    kind: str = "",
    name: str = "",
    release: str = "",
    deploys: Sequence[Deploy] = (),
    spans: Mapping[str, Sequence[TargetSpan]] | None = None,
) -> RunReport:
    """The report of a run.

    Args:
        stages: its parts, in order; at least one.
        verdict: of the whole run.
        charts: what was measured over its time.
        system: the system under test.
        scale: the factor that windows were divided by.
        title: what was done.
        command: what was typed.
        environment: names and versions.
        compared_with: the earlier run that it is laid beside, in words.
        comparisons: how its figures changed.
        kind: `load`, `chaos`, `drill` or `demo`.
        name: the profile's, experiment's or drill's name.
        release: what was tested.
        deploys: releases that came into service meanwhile.
        spans: the target's spans by trace, of `shown_traces`.
    """
    return RunReport(
        kind=kind,
        name=name,
        release=release,
        title=title,
        verdict=verdict.value,
        headline=_headline(stages, verdict),
        command=command,
        started_at=stages[0].facts.load.started_at,
        ended_at=max(_end(stage.facts) for stage in stages),
        system=system,
        scale=scale,
        expectations=tuple(_expectations(stages)),
        objectives=tuple(_objective(stage, result) for stage in stages for result in stage.facts.objectives),
        latency=tuple(row for stage in stages for row in _latency(stage)),
        compared_with=compared_with,
        comparisons=tuple(_comparison(one) for one in comparisons),
        phases=tuple(Phase(name=s.name, start=s.facts.load.started_at, end=s.facts.load.ended_at) for s in stages),
        load=tuple(row for stage in stages for row in _load(stage)),
        faults=tuple(bar for stage in stages for bar in _faults(stage.facts)),
        alerts=tuple(_alerts(stages)),
        deploys=tuple(deploys),
        charts=tuple(charts),
        generator=tuple(row for stage in stages for row in health_rows(stage)),
        traces=tuple(trace_rows(stages, spans or {})),
        environment=dict(environment),
        notes=tuple(note for stage in stages for note in stage.facts.load.notes),
        repeat=command,
        **_balance(stages),
    )


def _headline(stages: Sequence[Stage], verdict: Verdict) -> str:
    found = [finding for stage in stages for finding in stage.findings]
    if verdict is Verdict.PASS:
        return f"{len(found)} of {len(found)} expectations were observed."
    if not found:
        return "Nothing was expected of this run, so it decides nothing."
    wrong = next((f for f in found if f.verdict is verdict), None)
    if wrong is None:
        return "The run ended before its time, so it decides nothing."
    observed = sum(finding.verdict is Verdict.PASS for finding in found)
    first = f"{wrong.expected}: {wrong.observed}" + (f" ({wrong.detail})" if wrong.detail else "")
    return f"{observed} of {len(found)} expectations were observed; first that was not: {first}."


def _end(facts: RunFacts) -> float:
    cleared = [timeline.cleared_at for timeline in facts.alerts.values() if timeline.cleared_at]
    return max([facts.load.ended_at, *cleared])


def _expectations(stages: Sequence[Stage]) -> Iterator[ExpectationRow]:
    for stage in stages:
        for finding in stage.findings:
            yield ExpectationRow(
                expected=finding.expected,
                observed=finding.observed,
                verdict=finding.verdict.value,
                detail=finding.detail,
                phase=stage.name,
            )


def _objective(stage: Stage, result: ObjectiveResult) -> ObjectiveRow:
    judged = result.judgement
    must_hold = Holds(result.slo).describe() in {finding.expected for finding in stage.findings}
    return ObjectiveRow(
        phase=stage.name,
        slo=result.slo.identity,
        objective=result.slo.objective,
        verdict=judged.verdict.value,
        judged=_counts(judged.counts),
        by_generator=_counts(result.seen),
        by_prometheus=_counts(result.counted) if result.counted is not None else None,
        lower=judged.lower,
        upper=judged.upper,
        budget_spent=judged.budget_spent,
        budget_window="what this run may spend",
        note=_note(judged.verdict, judged.reason, must_hold=must_hold),
        must_hold=must_hold,
    )


def _note(verdict: Verdict, reason: str, *, must_hold: bool) -> str:
    if verdict is Verdict.PASS:
        return "" if must_hold else "no expectation names it here"
    return reason if must_hold else f"not expected to hold here: {reason}"


def _counts(counts: Counts) -> EventCounts | None:
    if not (counts.total == counts.total and counts.bad == counts.bad):  # NaN: not measured
        return None
    return EventCounts(bad=min(counts.possibly_bad, counts.total), total=counts.total)


def _latency(stage: Stage) -> Iterator[QuantileRow]:
    for found in load_quantiles(stage.facts.load):
        yield QuantileRow(
            phase=stage.name,
            q=found.q,
            value=_milliseconds(found.value),
            lower=_milliseconds(found.lower),
            upper=_milliseconds(found.upper),
            confidence=found.confidence,
            relative_error=found.relative_error,
        )


def _milliseconds(seconds: float | None) -> float | None:
    return None if seconds is None else seconds * 1000


def _comparison(found: Comparison) -> ComparisonRow:
    return ComparisonRow(
        figure=found.figure,
        verdict=found.verdict.value,
        decides=found.decides,
        told=found.reason,
        before=found.before,
        after=found.after,
        lower=found.lower,
        upper=found.upper,
    )


def _faults(facts: RunFacts) -> Iterator[FaultBar]:
    for fault in facts.chaos.faults:
        if fault.injected_at is not None:
            over = max(fault.undone_at, fault.rejoined_at or 0) if fault.undone_at is not None else None
            yield FaultBar(
                label=_label(fault),
                injected_at=fault.injected_at,
                undone_at=over,
                verified=fault.evidence,
            )


def _label(fault: FaultOutcome) -> str:
    return spoken(fault.description or fault.fault)


def _alerts(stages: Sequence[Stage]) -> Iterator[AlertBar]:
    """Every alert that was active, or that had to be, in the stage it happened in."""
    for stage in stages:
        facts = stage.facts
        for slo, tier in _watched(facts):
            alert = names.burn_alert(slo.service.name, slo.name, tier)
            timeline = facts.alerts.get(alert)
            firing = _promised_firing(facts, slo, tier)
            if timeline is not None and (timeline.firing_at or timeline.pending_at or firing):
                yield _alert_bar(timeline, facts, slo, tier, firing)


def _promised_firing(facts: RunFacts, slo: SLO, tier: str) -> Promise | None:
    """What this stage's own fault promises; an earlier stage's events may have promised a firing before it."""
    promise = facts.firing_promise(slo, tier) if facts.broken_from is not None else None
    if promise is None or facts.broken_from is None or promise.latest < facts.broken_from:
        return None
    return promise


def _alert_bar(timeline: AlertTimeline, facts: RunFacts, slo: SLO, tier: str, firing: Promise | None) -> AlertBar:
    undone, own = facts.fault.undone_at if facts.fault else None, _began_with_fault(timeline, facts)
    clearing = None
    if own and timeline.firing_at is not None and undone is not None:
        clearing = facts.clearing_promise(slo, tier, max(undone, timeline.firing_at))
    return AlertBar(
        alert=timeline.alert,
        pending_at=timeline.pending_at,
        firing_at=timeline.firing_at,
        notified_at=timeline.notified_at,
        resolved_at=timeline.cleared_at,
        promised_firing=_frame(firing) if own and firing else None,
        promised_clearing=_frame(clearing) if clearing else None,
        fault=_label(facts.fault) if own and facts.fault else "",
        until=facts.load.ended_at,
        active_before=timeline.active_before,
    )


def _frame(promise: Promise) -> Span:
    """A promise as expectations are judged by it: it is as good as the events' clock."""
    return Span(start=promise.earliest - RESOLUTION, end=promise.latest + RESOLUTION)


def _began_with_fault(timeline: AlertTimeline, facts: RunFacts) -> bool:
    """Whether this stage's fault can have made it active: else no promise is told from that fault."""
    began = timeline.pending_at or timeline.firing_at
    carried = began is not None and facts.broken_from is not None and began < facts.broken_from
    return facts.fault is not None and not carried and not timeline.active_before


def _watched(facts: RunFacts) -> Iterator[tuple[SLO, str]]:
    for result in facts.objectives:
        for tier in facts.policies[result.slo.identity].tiers:
            yield result.slo, tier.name


def _load(stage: Stage) -> Iterator[LoadPhaseRow]:
    for phase in stage.facts.load.phases:
        quantiles = {name: phase.quantile(q) for name, q in (("p50", 0.50), ("p95", 0.95), ("p99", 0.99))}
        yield LoadPhaseRow(
            phase=stage.name,
            name=phase.name,
            seconds=phase.end - phase.start,
            requests=phase.completed + phase.in_flight,
            failed=phase.failed,
            unanswered=phase.in_flight,
            turned_away=phase.errors.get("4xx", 0) + phase.errors.get("429", 0),
            **{name: None if seconds is None else seconds * 1000 for name, seconds in quantiles.items()},
        )


def _balance(stages: Sequence[Stage]) -> dict[str, object]:
    for stage in stages:
        found = stretches(stage.facts)
        if found and len(stage.facts.instances) > 1:
            served = {when: stage.facts.load.between(start, end).served_by for when, start, end in found}
            rows = tuple(
                BalanceRow(instance=name, **{when: _share(counts, name) for when, counts in served.items()})
                for name in stage.facts.instances
            )
            fault = stage.facts.fault
            return {"balance": rows, "balance_fault": _label(fault) if fault else ""}
    return {}


def _share(counts: Mapping[str, int], name: str) -> float | None:
    total = sum(counts.values())
    return counts.get(name, 0) / total if total else None
