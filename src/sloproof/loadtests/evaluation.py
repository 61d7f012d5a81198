"""From a load run to a judgement of each objective, with what Prometheus counted beside it."""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from sloproof.loadtests import histogram
from sloproof.loadtests.doubts import doubts
from sloproof.loadtests.early_stop import Watched
from sloproof.loadtests.promises import LoadPromise
from sloproof.loadtests.quantiles import FEWEST_BURSTS, LOOSER
from sloproof.loadtests.result import EarlyMiss, LoadResult
from sloproof.loadtests.stall import stall
from sloproof.slo import SLO
from sloproof.verdict.agreement import DEFAULT_TOLERANCE, Agreement, compare, confirm
from sloproof.verdict.evidence import LOAD_GENERATOR, Counts, Evidence
from sloproof.verdict.judge import Judgement, Verdict, judge_objective, judge_objectives
from sloproof.verdict.wording import percent, quantity


@dataclass(frozen=True)
class ObjectiveResult:
    """One objective after a load run.

    Args:
        slo: the objective.
        judgement: from the load generator's counts without the warm-up; undecided where the sources
            disagree by more than the verdict can bear.
        seen: what the load generator counted over the whole run.
        counted: what Prometheus counted over the whole run; None without an answer.
        agreement: how the two compare.
    """

    slo: SLO
    judgement: Judgement
    seen: Counts
    counted: Counts | None
    agreement: Agreement


def judge_load(
    load: LoadResult,
    slos: Sequence[SLO],
    counted: Mapping[str, Counts | None],
    promises: Sequence[LoadPromise] = (),
) -> list[ObjectiveResult]:
    """Judge every objective on one run.

    Args:
        load: the run.
        slos: the objectives of the loaded system.
        counted: Prometheus's counts of the whole run, by the objective's identity.
        promises: what is judged beside them, see `judge_promises`.

    Returns:
        Results in the order of the objectives. A saturated generator, a partial run and sources that
        disagree leave an objective undecided. Misses are corrected for the number of objectives and promises.
    """
    return [
        _confirmed(load, slo, evidence, judgement, counted.get(slo.identity))
        for slo, (evidence, judgement) in zip(slos, _judged_together(load, slos, promises), strict=False)
    ]


def judge_promises(load: LoadResult, promises: Sequence[LoadPromise], slos: Sequence[SLO] = ()) -> list[Judgement]:
    """Judge what a profile promises itself, from the load generator's counts alone.

    Args:
        load: the run, started with the promises' thresholds.
        promises: what had to be seen.
        slos: the objectives that are judged beside them.

    Returns:
        Judgements over the run without its warm-up, in the order of the promises; undecided where the generator was
        saturated. Misses are corrected for the number of objectives and promises.
    """
    return [_fit_to_measure(load, judged) for _, judged in _judged_together(load, slos, promises)[len(slos) :]]


def judge_by_generator(load: LoadResult, watched: Sequence[Watched]) -> list[Judgement]:
    """Judge by what the load generator saw, without a second source and whatever became of the generator itself.

    Args:
        load: the run; its warm-up is left out.
        watched: what must hold, all of it: misses are corrected for their number.
    """
    return [_without_doubts(load, judged) for _, judged in _together(load, watched)]


def _judged_together(
    load: LoadResult, slos: Sequence[SLO], promises: Sequence[LoadPromise]
) -> list[tuple[Evidence, Judgement]]:
    """The objectives, then the promises: one family of tests, since any of them fails the run."""
    return _together(load, [*map(Watched.of, slos), *map(Watched.of, promises)])


def _together(load: LoadResult, watched: Sequence[Watched]) -> list[tuple[Evidence, Judgement]]:
    seen = load.evaluated()
    claims = [(one.budget, _evidence(seen, one)) for one in watched]
    judged = judge_objectives(claims)
    if load.missed_early:
        judged = [_judged_early(one, load.missed_early) for one in judged]
    stood = [_without_stalls(seen, one, judgement) for one, judgement in zip(watched, judged, strict=True)]
    return [(evidence, one) for (_, evidence), one in zip(claims, stood, strict=True)]


def _without_stalls(seen: LoadResult, watched: Watched, judgement: Judgement) -> Judgement:
    """Slow requests are no sample of what users meet where a stall kept the users of the load from asking."""
    if judgement.verdict is not Verdict.PASS or watched.threshold is None:
        return judgement
    stood = stall(seen, watched.threshold)
    if stood is None or stood.share <= watched.budget:
        return judgement
    return judgement.undecided_because(stood.sentence())


def client_counts(load: LoadResult, slo: SLO) -> Counts:
    """What the load generator saw of an objective: failed requests, or requests slower than its threshold."""
    return _counts(load, slo.sli.client_threshold)


def _counts(load: LoadResult, threshold: Decimal | None) -> Counts:
    bad = load.failed if threshold is None else load.slower_than(threshold)
    known = load.completed if threshold is None else load.judged_against(threshold)
    open_events = load.completed + load.in_flight_at_end - known
    return Counts(source=LOAD_GENERATOR, total=load.completed + load.in_flight_at_end, bad=bad, censored=open_events)


def per_second(load: LoadResult, slo: SLO) -> list[tuple[float, int, int]]:
    """Every second of a run: when it ended (epoch seconds), its bad events and all its events."""
    return _per_second(load, slo.sli.client_threshold)


def _per_second(load: LoadResult, threshold: Decimal | None) -> list[tuple[float, int, int]]:
    seconds = sorted(load.seconds, key=lambda second: second.at)
    slices = [
        load.model_copy(update={"seconds": [second], "censored": [], "in_flight_at_end": 0}) for second in seconds
    ]
    found = [_counts(one, threshold) for one in slices]
    return [
        (second.at + 1, round(counts.bad), round(counts.total)) for second, counts in zip(seconds, found, strict=True)
    ]


def _batches(load: LoadResult, threshold: Decimal | None) -> tuple[tuple[int, int], ...]:
    """Bad and all events of each second; one that was never answered belongs to the second it was sent in.

    Requests that hang come in clusters, and a sample that left them out would look more independent than it is.
    """
    found = [[bad, total] for _, bad, total in _per_second(load, threshold)]
    starts = sorted(second.at for second in load.seconds)
    for request in load.censored if found else ():
        batch = found[max(0, bisect_right(starts, request.started_at) - 1)]
        batch[0] += threshold is not None and request.age > float(threshold)
        batch[1] += 1
    return tuple((bad, total) for bad, total in found)


def _confirmed(
    load: LoadResult, slo: SLO, evidence: Evidence, judgement: Judgement, counted: Counts | None
) -> ObjectiveResult:
    seen = client_counts(load, slo)
    if not slo.sli.seen_by_clients:
        agreement = Agreement(
            agrees=False, reason=f"the load's users cannot tell a good {slo.noun} from a bad one here"
        )
    elif counted is None:
        agreement = Agreement(agrees=False, reason="Prometheus gave no counts of this run to compare with")
    else:
        agreement = compare(seen, counted)
    if not _indifferent(judgement, agreement, slo, evidence):
        judgement = confirm(judgement, agreement)
    return ObjectiveResult(slo, _fit_to_measure(load, judgement), seen, counted, agreement)


def _fit_to_measure(load: LoadResult, judgement: Judgement) -> Judgement:
    if not load.generator.saturated:
        return _without_doubts(load, judgement)
    how = "incomplete" if load.generator.lost else "saturated"
    told = "; ".join(part for part in (*load.generator.reasons, load.generator.advice) if part)
    return judgement.undecided_because(f"the load generator was {how}: {told}")


def _without_doubts(load: LoadResult, judgement: Judgement) -> Judgement:
    """A miss stays a miss: a system that fails makes the load's tasks fail, too."""
    found = doubts(load) if judgement.verdict is Verdict.PASS else []
    return judgement.undecided_because("; ".join(found)) if found else judgement


def _judged_early(judgement: Judgement, misses: Sequence[EarlyMiss]) -> Judgement:
    """A run that ended when its figures were bad enough is no sample of a length that was chosen before."""
    miss = next((one for one in misses if one.objective == judgement.slo), None)
    if miss is None:
        return judgement.undecided_because(
            f"the run was stopped early because `{misses[0].objective}` is missed; this is left open"
        )
    seen = f"{quantity(miss.bad)} bad of {quantity(miss.total)} requests after {miss.after} s"
    chance = f"{percent(miss.false_stops)} of targets that keep the budget of {percent(miss.budget)}"
    return judgement.model_copy(
        update={
            "verdict": Verdict.FAIL,
            "needs_more": None,
            "reason": f"stopped early: {seen}; at most {chance} would ever look as bad",
        }
    )


def _indifferent(judgement: Judgement, agreement: Agreement, slo: SLO, evidence: Evidence) -> bool:
    """Whether the verdict would be the same with the other source's bad events: then the two need not agree on them."""
    if agreement.total_relative is None or abs(agreement.total_relative) > DEFAULT_TOLERANCE.total:
        return False
    counts = evidence.counts
    bad = min(max(counts.bad + (agreement.bad_difference or 0), 0), counts.total - counts.censored)
    other = evidence.model_copy(update={"counts": counts.model_copy(update={"bad": bad})})
    again = judge_objective(slo.budget, other, str(judgement.confidence), str(judgement.miss_confidence))
    return again.verdict is judgement.verdict


def _evidence(load: LoadResult, watched: Watched) -> Evidence:
    threshold = watched.threshold
    return Evidence(
        slo=watched.name,
        objective=100 * (1 - watched.budget),
        counts=_counts(load, threshold),
        batches=_batches(load, threshold),
        looser=_looser(load, threshold) if threshold is not None else (),
        rate=load.completed / len(load.seconds) if load.seconds else None,
        partial="the run ended before its time" if load.partial else "",
    )


def _looser(load: LoadResult, threshold: Decimal) -> tuple[tuple[int, int], ...]:
    """Seconds counted against a looser limit, from the histograms.

    With an exponential tail the share over half the threshold is the root of the share over all of it:
    a tenth for a hundredth. Where next to nothing comes near the threshold there is no clustering to allow for.
    """
    edge = histogram.bucket(float(threshold) / LOOSER)
    counted = tuple(
        (sum(count for index, count in second.latency.items() if index > edge), second.completed)
        for second in load.seconds
    )
    return counted if sum(slow > 0 for slow, _ in counted) >= FEWEST_BURSTS else ()
