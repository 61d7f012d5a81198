"""Expectations against facts: each kind of expectation has one judge."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import singledispatch

from sloproof import names
from sloproof.alerts.promise import Promise
from sloproof.chaos.experiment import (
    SHORTEST_STEADY,
    Balanced,
    Expectation,
    Experiment,
    Fires,
    Holds,
    Quiet,
    RecoversWithin,
    Resolves,
)
from sloproof.chaos.facts import AlertTimeline, RunFacts
from sloproof.chaos.outcome import FaultOutcome
from sloproof.loadtests.early_stop import Watched
from sloproof.loadtests.evaluation import judge_by_generator, judge_promises
from sloproof.loadtests.promises import LoadPromise
from sloproof.loadtests.result import LoadResult
from sloproof.slo import SLO
from sloproof.verdict.balance import Balance, judge_balance
from sloproof.verdict.judge import Judgement, Verdict, combine
from sloproof.verdict.wording import percent

WAS_NOT_WELL = "see what was wrong with the system, and run it again"
RESOLUTION = 1.0
"""The load generator tells time by the second, so a promise made from its events is good to one."""


@dataclass(frozen=True)
class Finding:
    """One thing that was expected, and what was seen of it.

    Args:
        expected: the sentence.
        observed: what was seen, in a few words.
        verdict: whether they agree.
        detail: the figures behind it.
    """

    expected: str
    observed: str
    verdict: Verdict
    detail: str = ""


def findings(experiment: Experiment, facts: RunFacts) -> list[Finding]:
    """Everything an experiment expects, judged; the faults themselves come first."""
    return [
        *_faults(experiment, facts),
        *unsteady(facts),
        *(judge(expectation, facts) for expectation in experiment.expect),
    ]


@singledispatch
def judge(expectation: Expectation, facts: RunFacts) -> Finding:
    """Judge one expectation.

    Args:
        expectation: what had to be seen.
        facts: what was seen.

    Returns:
        The finding; UNDECIDED where the facts do not tell.
    """
    return Finding(
        expectation.describe(), "nobody looked", Verdict.UNDECIDED, f"no judge for {type(expectation).__name__}"
    )


@judge.register
def _(expectation: Holds, facts: RunFacts) -> Finding:
    result = next((r for r in facts.objectives if r.slo.identity == expectation.slo.identity), None)
    if result is None:
        return Finding(expectation.describe(), "not measured", Verdict.UNDECIDED)
    return _judged(expectation.describe(), result.judgement, "bad")


def promise_findings(promises: Sequence[LoadPromise], facts: RunFacts) -> list[Finding]:
    """What a load profile promises itself, judged from what its users saw, beside the objectives of the system."""
    judged = judge_promises(facts.load, promises, [result.slo for result in facts.objectives])
    return [
        _judged(promise.describe(), found, "failures" if promise.threshold is None else "slower")
        for promise, found in zip(promises, judged, strict=True)
    ]


def _judged(expected: str, judged: Judgement, bad: str) -> Finding:
    seen = "no data" if judged.ratio is None else f"{percent(judged.ratio)} of requests were {bad}"
    return Finding(expected, seen, judged.verdict, judged.reason)


@judge.register
def _(expectation: Balanced, facts: RunFacts) -> Finding:
    stretches = list(_stretches(facts, expectation))
    if not stretches:
        return Finding(expectation.describe(), "the fault never took hold", Verdict.UNDECIDED)
    worst = next((b for _, b in stretches if b.verdict is Verdict.FAIL), None) or next(
        (b for _, b in stretches if b.verdict is Verdict.UNDECIDED), stretches[0][1]
    )
    shares = "; ".join(f"{when}: {_shares(balance)}" for when, balance in stretches)
    return Finding(expectation.describe(), shares, worst.verdict, worst.reason)


@judge.register
def _(expectation: Fires, facts: RunFacts) -> Finding:
    timeline, start = _timeline(expectation.slo, expectation.tier, facts), facts.broken_from
    what = expectation.describe()
    if timeline is None or start is None:
        return Finding(what, "not watched: the fault never took hold", Verdict.UNDECIDED)
    if timeline.active_before:
        return Finding(
            what, "was active before the fault", Verdict.UNDECIDED, "wait until it is inactive, or start a fresh lab"
        )
    early = timeline.firing_at is not None and timeline.firing_at < start
    if early and facts.crossed_unbroken(expectation.slo, expectation.tier):
        return Finding(what, "fired before anything was broken", Verdict.UNDECIDED, WAS_NOT_WELL)
    promise = facts.firing_promise(expectation.slo, expectation.tier)
    if promise is None:
        seen = "did not fire" if timeline.firing_at is None else f"fired after {timeline.firing_at - start:.1f} s"
        detail = "the events of this run never cross its threshold, so it says nothing; let the fault last longer"
        return Finding(what, seen, Verdict.UNDECIDED if timeline.firing_at is None else Verdict.FAIL, detail)
    limit = None if expectation.within is None else expectation.within.total_seconds()
    return timed(what, "fired", timeline.firing_at, timeline.notified_at, start, promise, limit)


@judge.register
def _(expectation: Resolves, facts: RunFacts) -> Finding:
    timeline, what = _timeline(expectation.slo, expectation.tier, facts), expectation.describe()
    undone = None if timeline is None else facts.undone_before(timeline.cleared_at)
    if timeline is None or undone is None or timeline.firing_at is None:
        return Finding(what, "it never fired, so it could not resolve", Verdict.UNDECIDED)
    promise = facts.clearing_promise(expectation.slo, expectation.tier, max(undone, timeline.firing_at))
    if promise is None:
        return Finding(what, "the run ended first", Verdict.UNDECIDED, "watch longer after the undo")
    limit = None if expectation.within is None else expectation.within.total_seconds()
    if limit is not None:
        # A limit of somebody's own stands where the fault's end is no single moment: then too early is no fault.
        promise = Promise(earliest=min(promise.earliest, undone), latest=undone + limit)
    return timed(what, "resolved", timeline.cleared_at, timeline.resolution_at, undone, promise, limit)


@judge.register
def _(expectation: Quiet, facts: RunFacts) -> Finding:
    what = expectation.describe()
    wanted = _quiet_alerts(expectation, facts)
    watched = [facts.alerts[name] for name in wanted if name in facts.alerts]
    missing = [name for name in wanted if name not in facts.alerts]
    if missing or not wanted:
        names_of = ", ".join(f"`{name}`" for name in missing)
        why = f"{names_of} is in no rule that runs" if missing else "no rule that runs has an alert of it"
        return Finding(what, "not watched", Verdict.UNDECIDED, why)
    loud = [timeline for timeline in watched if timeline.firing_at is not None]
    if before := [timeline for timeline in loud if timeline.active_before]:
        seen = f"`{before[0].alert}` was active before the run"
        return Finding(what, seen, Verdict.UNDECIDED, "wait until it is inactive, or start a fresh lab")
    start, broken = facts.load.started_at, facts.broken_from
    if broken is not None and (early := [one for one in loud if (one.firing_at or broken) < broken]):
        seen = f"`{early[0].alert}` fired before anything was broken"
        return Finding(what, seen, Verdict.UNDECIDED, WAS_NOT_WELL)
    fired = "; ".join(f"`{one.alert}` fired {(one.firing_at or start) - start:.1f} s after the start" for one in loud)
    if not loud and (unseen := _unseen(expectation, facts)):
        return Finding(what, "stayed quiet while rules were evaluated", Verdict.UNDECIDED, unseen)
    return Finding(what, fired or "stayed quiet", Verdict.FAIL if loud else Verdict.PASS)


@judge.register
def _(expectation: RecoversWithin, facts: RunFacts) -> Finding:
    what, limit = expectation.describe(), expectation.limit.total_seconds()
    undone = max((fault.undone_at for fault in facts.chaos.faults if fault.undone_at), default=None)
    if undone is None:
        return Finding(what, "no fault was undone", Verdict.UNDECIDED)
    slos = [result.slo for result in facts.objectives]
    if expectation.slo is not None:
        slos = [slo for slo in slos if slo.identity == expectation.slo.identity]
    found = [(slo, *_recovery(slo, facts, undone, limit)) for slo in slos]
    if not found:
        return Finding(what, "not measured", Verdict.UNDECIDED)
    told = "; ".join(f"`{slo.identity}` {seen}" for slo, seen, _ in found)
    return Finding(what, told, combine([verdict for *_, verdict in found]))


def _recovery(slo: SLO, facts: RunFacts, undone: float, limit: float) -> tuple[str, Verdict]:
    """How soon an objective was met again, and whether that was in time.

    The stretch from then on must hold enough events that one bad one would still be within the budget.
    """
    after, bad, total, back = [e for e in facts.events(slo) if e.at > undone], 0.0, 0.0, None
    for event in reversed(after):
        bad, total = bad + event.bad, total + event.total
        if total * float(slo.budget) >= 1 and bad <= total * float(slo.budget):
            back = event.at - 1
    if total * float(slo.budget) < 1:
        return f"saw {total:g} events after the undo, too few to tell; watch longer", Verdict.UNDECIDED
    if back is None:
        over = facts.load.ended_at - undone > limit
        seen = "was not met again before the run ended"
        return seen, Verdict.FAIL if over else Verdict.UNDECIDED
    took = max(back - undone, 0.0)
    return f"was met again after {took:.0f} s", Verdict.PASS if took <= limit + RESOLUTION else Verdict.FAIL


def _unseen(expectation: Quiet, facts: RunFacts) -> str:
    """Why silence says nothing: rules were not evaluated, and what happened may have fired it; empty where it does."""
    if not facts.unwatched:
        return ""
    away = f"no rule was evaluated for {max(end - start for start, end in facts.unwatched):.0f} s"
    if expectation.slo is None:
        return f"{away}, and nobody knows whether it would have fired"
    crossed = [tier for tier in _quiet_tiers(expectation, facts) if facts.firing_promise(expectation.slo, tier)]
    which = ", ".join(f"`{tier}`" for tier in crossed)
    return f"{away}, and the events of this run cross the threshold of {which}" if crossed else ""


def _quiet_alerts(expectation: Quiet, facts: RunFacts) -> list[str]:
    slo = expectation.slo
    if slo is None:
        return [expectation.alert or ""]
    return [names.burn_alert(slo.service.name, slo.name, tier) for tier in _quiet_tiers(expectation, facts)]


def _quiet_tiers(expectation: Quiet, facts: RunFacts) -> list[str]:
    if expectation.slo is None or expectation.tier is not None:
        return [expectation.tier] if expectation.tier else []
    policy = facts.policies.get(expectation.slo.identity)
    return [tier.name for tier in policy.tiers] if policy else []


def timed(
    what: str, word: str, at: float | None, told_at: float | None, start: float, promise: Promise, limit: float | None
) -> Finding:
    """A change of an alert beside the time that was promised.

    Args:
        what: that was expected, in words.
        word: the change, such as `fired`.
        at: when it happened, epoch seconds; None for never.
        told_at: when its notification was received, epoch seconds; None for never.
        start: the instant its time is told from, epoch seconds.
        promise: when it had to happen, epoch seconds.
        limit: the longest time allowed, seconds after the start; None for the promise alone.
    """
    earliest, latest = promise.earliest - start - RESOLUTION, promise.latest - start + RESOLUTION
    if limit is not None:
        latest = min(latest, limit)
    promised = f"promised {max(earliest, 0):.0f}-{latest:.0f} s"
    if at is None:
        return Finding(what, f"never {word}", Verdict.FAIL, promised)
    measured = at - start
    told = "no notification was received" if told_at is None else f"notification received after {told_at - start:.1f} s"
    in_time = earliest <= measured <= latest and told_at is not None
    return Finding(
        what,
        f"{word} after {measured:.1f} s",
        Verdict.PASS if in_time else Verdict.FAIL,
        f"{promised}, measured {measured:.1f} s; {told}",
    )


def _faults(experiment: Experiment, facts: RunFacts) -> Iterator[Finding]:
    for planned, fault in zip(experiment.faults, facts.chaos.faults, strict=False):
        verdict = Verdict.PASS if fault.verified else Verdict.UNDECIDED
        seen = "took effect" if fault.verified else "no effect was seen"
        yield Finding(f"fault: {planned.describe()}", seen, verdict, fault.evidence)
        yield _put_back(fault)


def _put_back(fault: FaultOutcome) -> Finding:
    if fault.undo_verified:
        seen, verdict = "put back", Verdict.PASS
    elif fault.injected_at is None:
        seen, verdict = "it never took hold", Verdict.UNDECIDED
    else:
        seen, verdict = "not put back", Verdict.FAIL
    return Finding("it is put back", seen, verdict, fault.undo_evidence)


def _timeline(slo: SLO, tier: str, facts: RunFacts) -> AlertTimeline | None:
    return facts.alerts.get(names.burn_alert(slo.service.name, slo.name, tier))


def _stretches(facts: RunFacts, expectation: Balanced) -> Iterator[tuple[str, Balance]]:
    for when, start, end in stretches(facts):
        if when != "during":
            served = facts.load.between(start, end).served_by
            counts = {name: float(served.get(name, 0)) for name in facts.instances}
            yield when, judge_balance(counts, expectation.tolerance)


def unsteady(facts: RunFacts) -> Iterator[Finding]:
    """Objectives that surely did not hold before the first fault, or do not after the last; nothing while all is well.

    A run that began unsteady, or of whose beginning too little is known, says nothing of its faults; one that stays
    unsteady has not recovered from them. How long is watched after the last fault is the experiment's own choice.
    """
    meaning = {"before": Verdict.UNDECIDED, "after": Verdict.FAIL}
    for when, start, end in stretches(facts):
        if when not in meaning or not facts.objectives:
            continue
        seen = facts.load.between(start, end)
        told = len(seen.evaluated().seconds)
        if told >= SHORTEST_STEADY.total_seconds():
            yield from _unsteady(facts, seen, when, meaning[when])
        elif when == "before":
            yield _too_short_to_tell(told, facts.load.warm_up)


def _unsteady(facts: RunFacts, seen: LoadResult, when: str, meaning: Verdict) -> Iterator[Finding]:
    slos = [result.slo for result in facts.objectives]
    for slo, judged in zip(slos, judge_by_generator(seen, [Watched.of(slo) for slo in slos]), strict=True):
        if judged.verdict is Verdict.FAIL:
            expected = f"steady state: `{slo.identity}` holds {when} the faults"
            # Who cannot keep up with the load cannot tell whose fault slow answers are.
            verdict = Verdict.UNDECIDED if facts.load.generator.saturated else meaning
            found = _judged(expected, judged, "bad")
            why = "; a run that begins unwell says nothing of its faults" if when == "before" else ""
            yield replace(found, verdict=verdict, detail=found.detail + why)


def _too_short_to_tell(told: int, warm_up: float) -> Finding:
    shortest = SHORTEST_STEADY.total_seconds()
    return Finding(
        "steady state: every objective holds before the faults",
        f"{told} s of load before the first fault",
        Verdict.UNDECIDED,
        f"fewer than {shortest:g} s, without the load's warm-up, tell nothing of it; "
        f"let the first fault begin at {warm_up + shortest:g} s or later",
    )


def stretches(facts: RunFacts) -> list[tuple[str, float, float]]:
    """The run before, during and after its faults: a word and two epoch seconds each; empty when none took hold."""
    if facts.broken_from is None:
        return []
    end = facts.whole_again_at or facts.load.ended_at
    # The second in which a state changes belongs to neither side.
    return [
        ("before", facts.load.started_at, facts.broken_from),
        ("during", facts.broken_from + 1, end),
        ("after", end + 2, facts.load.ended_at),
    ]


def _shares(balance: Balance) -> str:
    return ", ".join(f"{name} {share * 100:.0f} %" for name, share in sorted(balance.shares.items())) or "no requests"
