"""Who passes, who fails, who is stopped: the verdict beside Locust's percentile and a k6-style threshold."""

import random
from collections import Counter
from decimal import Decimal
from statistics import median, quantiles

from rich.table import Table
from simulated_load import ARRIVALS, Bursts, Queue, Second, slower

from sloproof.verdict import Counts, Evidence, Verdict, clopper_pearson, judge_objective, judge_objectives
from sloproof.verdict.sequential import FALSE_STOPS, EarlyStop
from sloproof.verdict.statistics import Slice

BUSY = Queue(0.7)
REQUESTS = 12_000
SHARE = 0.01
"""The objective: p99 is within a limit."""
OVER_THE_LIMIT = (1.10, 1.02, 0.98, 0.80, 0.60)
"""The true p99 over the limit."""
WATCHED = 120
"""Seconds of a run that may be stopped."""
BUDGET = 0.05
MOST_FALSE_STOPS = 0.01
MOST_FALSE_PASSES = 0.05
OBJECTIVES = 10
_NOISE = 0.04
"""Two standard errors of a share of 5 % seen in 100 runs, rounded up."""


def decisions(runs: int, chance: random.Random) -> tuple[Table, list[str]]:
    """Verdicts at a known p99."""
    table = Table(
        title=f"2. p99 of {REQUESTS:,} requests, queue at {BUSY.utilisation:.0%}: who decides what, {runs} runs a row"
    )
    for heading in ("true p99 / limit", "truth", "PASS", "UNDECIDED", "FAIL", "Locust passes", "k6-style passes"):
        table.add_column(heading, justify="right")
    missed = []
    for over in OVER_THE_LIMIT:
        longest = BUSY.exceeded_by(SHARE) / over
        seen: Counter[str] = Counter()
        for _ in range(runs):
            seconds = BUSY.latencies(REQUESTS, chance)
            seen[_judged(slower(seconds, longest), slower(seconds, longest / 2), SHARE).value] += 1
            seen["locust"] += _locust_p99(seconds) <= longest
            seen["k6"] += _exact_p99(seconds) < longest
        shares = [f"{seen[name] / runs:.1%}" for name in ("PASS", "UNDECIDED", "FAIL", "locust", "k6")]
        table.add_row(f"{over:.2f}", "missed" if over > 1 else "kept", *shares)
        wrong = seen["PASS" if over > 1 else "FAIL"] / runs
        if wrong > MOST_FALSE_PASSES + _NOISE:
            missed.append(f"wrong verdicts at {over:.2f} of the limit: {wrong:.1%}")
    return table, missed


def early_stops(runs: int, chance: random.Random) -> tuple[Table, list[str]]:
    """Stops of healthy targets, and of those that miss."""
    table = Table(title=f"3. Early stop within {WATCHED} s, budget {BUDGET:.0%}")
    for heading in ("errors", "true bad ratio", "runs", "stopped", "median s", "95 % within s", "stopped by peeking"):
        table.add_column(heading, justify="left" if heading == "errors" else "right")
    missed = []
    for clustered, times in ((True, 0.5), (True, 1.0), (True, 2.0), (True, 4.0), (False, 1.0), (False, 2.0)):
        watched = runs if times > 1 else 4 * runs
        seen = [_watched(BUDGET * times, clustered=clustered, chance=chance) for _ in range(watched)]
        stops = [after for after, _ in seen if after is not None]
        share, peeked = len(stops) / watched, sum(peeked for _, peeked in seen) / watched
        within = f"{quantiles(stops, n=20)[-1]:.0f}" if len(stops) > 1 and times > 1 else "-"
        name = f"queue, {BUSY.utilisation:.0%}" if clustered else "independent"
        middle = f"{median(stops):.0f}" if stops and times > 1 else "-"
        table.add_row(name, f"{times:g}x budget", f"{watched}", f"{share:.2%}", middle, within, f"{peeked:.0%}")
        if times <= 1 and share >= MOST_FALSE_STOPS:
            missed.append(f"false stops at {times:g}x the budget: {share:.2%} (asked for at most {FALSE_STOPS:.1%})")
    return table, missed


def _watched(ratio: float, *, clustered: bool, chance: random.Random) -> tuple[int | None, bool]:
    """When the test stops a run with this share of bad requests, and whether peeking would have."""
    if clustered:
        batches = slower(BUSY.latencies(WATCHED * round(ARRIVALS), chance), BUSY.exceeded_by(ratio))[:WATCHED]
    else:
        batches = Bursts(errors_well=ratio, errors_ill=ratio).slices(WATCHED * round(ARRIVALS), chance)
    return _stopped_after(batches), _peeked(batches)


def families(runs: int, chance: random.Random) -> tuple[Table, list[str]]:
    """Ten objectives at once, each right at its budget: the worst that is still kept."""
    title = f"4. Any of {OBJECTIVES} independent objectives called missed, 2,400 requests each, {runs} runs a row"
    table = Table(title=title)
    for heading in ("scene", "each alone at 95 %", "together (Holm)", "one at 3x its budget found"):
        table.add_column(heading, justify="right")
    missed = []
    for queue in (Queue(0.3), BUSY):
        alone = together = found = 0
        for _ in range(runs):
            claims = [_claim(queue, BUDGET, chance) for _ in range(OBJECTIVES)]
            alone += any(judge_objective(*claim).verdict is Verdict.FAIL for claim in claims)
            together += any(one.verdict is Verdict.FAIL for one in judge_objectives(claims))
            worse = [_claim(queue, 3 * BUDGET, chance), *claims[1:]]
            found += judge_objectives(worse)[0].verdict is Verdict.FAIL
        shares = (alone / runs, together / runs, found / runs)
        table.add_row(f"queue, {queue.utilisation:.0%}", *(f"{share:.1%}" for share in shares))
        if shares[1] > MOST_FALSE_PASSES + _NOISE:
            missed.append(f"a kept objective of {OBJECTIVES} called missed: {shares[1]:.1%}")
    return table, missed


def _claim(queue: Queue, ratio: float, chance: random.Random) -> tuple[Decimal, Evidence]:
    seconds, longest = queue.latencies(2_400, chance), queue.exceeded_by(ratio)
    return Decimal(str(BUDGET)), _evidence(slower(seconds, longest), slower(seconds, longest / 2))


def _judged(batches: tuple[Slice, ...], looser: tuple[Slice, ...], budget: float) -> Verdict:
    return judge_objective(Decimal(str(budget)), _evidence(batches, looser)).verdict


def _evidence(batches: tuple[Slice, ...], looser: tuple[Slice, ...]) -> Evidence:
    bad, total = (sum(part) for part in zip(*batches, strict=True))
    counts = Counts(source="load generator", total=total, bad=bad)
    return Evidence(slo="simulated", objective="0", counts=counts, batches=batches, looser=looser)


def _locust_p99(seconds: list[Second]) -> float:
    """What Locust's own statistics say, in seconds: rounded to two digits from 100 ms up."""
    from locust.stats import RequestStats, StatsEntry  # patches sockets and threads of whoever imports it

    entry = StatsEntry(RequestStats(), "simulated", "GET", use_response_times_cache=False)
    for second in seconds:
        for latency in second:
            entry.log(latency * 1000, 0)
    return float(entry.get_response_time_percentile(1 - SHARE)) / 1000


def _exact_p99(seconds: list[Second]) -> float:
    """The sample's own p99, which a threshold such as `p(99)<300` of k6 is held against."""
    ordered = sorted(latency for second in seconds for latency in second)
    return ordered[int((1 - SHARE) * len(ordered))]


def _stopped_after(batches: tuple[Slice, ...]) -> int | None:
    stop = EarlyStop(BUDGET)
    for bad, total in batches:
        if stop.add(bad, total):
            return stop.stopped_after
    return None


def _peeked(batches: tuple[Slice, ...]) -> bool:
    """Whether a bound that is looked at every second ever calls the objective missed."""
    bad = total = 0
    for at, (more, size) in enumerate(batches):
        bad, total = bad + more, total + size
        if at >= 10 and total and clopper_pearson(bad, total)[0] > BUDGET:
            return True
    return False
