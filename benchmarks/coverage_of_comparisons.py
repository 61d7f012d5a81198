"""How often the bounds of a change between two simulated runs hold, and what a limit of 10 % decides."""

import random
from collections import Counter
from decimal import Decimal

from rich.table import Table
from simulated_load import ARRIVALS, Bursts, Queue, Second

from sloproof.loadtests import histogram
from sloproof.verdict import Counts, Evidence
from sloproof.verdict.comparison import Comparison, compare, compare_failures

HOLDS = 0.90
TOLERANCE = 0.1
_NOISE = 0.04
SCENES = ((1_200, 0.7, 0.12), (12_000, 0.7, 0.12), (12_000, 0.9, 0.12), (12_000, 0.7, 0.0), (12_000, 0.7, 0.5))
"""Requests, utilisation, and by how much the later run is slower."""


def comparisons(runs: int, chance: random.Random) -> tuple[Table, list[str]]:
    """Changes of p95 by windows of a second, and of failures that come in bursts."""
    table = Table(title=f"5. Change between two runs, each bound at 95 %, accepted: 10 % slower; {runs} runs a row")
    for heading in ("requests", "scene", "true change", "lower holds", "upper holds", "PASS", "UNDECIDED", "FAIL"):
        table.add_column(heading, justify="left" if heading == "scene" else "right")
    missed = []
    for requests, utilisation, slower_by in SCENES:
        found = [_latency(requests, Queue(utilisation), slower_by, chance) for _ in range(runs)]
        shares = _add(table, (f"{requests:,}", f"p95, queue {utilisation:.0%}", f"+{slower_by:.0%}"), found, slower_by)
        if utilisation <= 0.7 and min(shares[:2]) < HOLDS:
            missed.append(f"change of p95 over {requests} requests: {min(shares[:2]):.1%}")
        wrong = shares[4] if slower_by <= TOLERANCE else shares[2]
        if utilisation <= 0.7 and wrong > 0.05 + _NOISE:
            missed.append(f"wrong verdicts at +{slower_by:.0%}: {wrong:.1%}")
    then, now = Bursts(), Bursts(errors_ill=0.85)
    found = [_failures(12_000, then, now, chance) for _ in range(runs)]
    grown = now.ratio - then.ratio
    shares = _add(table, ("12,000", "failures, bursts", f"+{100 * grown:.1f} points"), found, grown)
    if min(shares[:2]) < HOLDS:
        missed.append(f"change of failures: {min(shares[:2]):.1%}")
    return table, missed


def _add(table: Table, named: tuple[str, ...], found: list[Comparison], true: float) -> list[float]:
    seen: Counter[str] = Counter(one.verdict.value for one in found)
    seen["lower"] = sum(one.lower is None or one.lower <= true for one in found)
    seen["upper"] = sum(one.upper is None or one.upper >= true for one in found)
    shares = [seen[name] / len(found) for name in ("lower", "upper", "PASS", "UNDECIDED", "FAIL")]
    table.add_row(*named, *(f"{share:.1%}" for share in shares))
    return shares


def _latency(requests: int, queue: Queue, slower_by: float, chance: random.Random) -> Comparison:
    before, after = (
        [_p95(second, factor) for second in queue.latencies(requests, chance) if second]
        for factor in (1.0, 1 + slower_by)
    )
    return compare("p95", before, after, tolerance=TOLERANCE)


def _p95(second: Second, factor: float) -> float:
    buckets = Counter(histogram.bucket(latency * factor) for latency in second)
    return histogram.quantile(buckets, 0.95) or 0.0


def _failures(requests: int, then: Bursts, now: Bursts, chance: random.Random) -> Comparison:
    return compare_failures(*(_evidence(one, requests, chance) for one in (then, now)), tolerance=0.001)


def _evidence(service: Bursts, requests: int, chance: random.Random) -> Evidence:
    batches = service.slices(requests, chance)
    counts = Counts(source="load generator", total=round(ARRIVALS) * len(batches), bad=sum(bad for bad, _ in batches))
    return Evidence(slo="simulated", objective=Decimal(0), counts=counts, batches=batches)
