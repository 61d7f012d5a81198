"""How often the verdict's bounds hold on requests that queue: simulated, against the naive bound.

A single server with random arrivals and random service times (M/M/1) makes slow requests come in waves, and its
exact share of slow requests is known. Each row simulates many runs and counts how often each one-sided 95 % bound
holds, and how often the upper bound passes a service whose true bad ratio is half as large again as its budget.
"Looser limit" gives the verdict a second count as well: requests slower than the slowest tenth of the run.

Run: python benchmarks/verdict_coverage.py [--runs 200]
"""

import argparse
import math
import random
from collections import Counter
from dataclasses import dataclass
from decimal import Decimal

from rich.console import Console
from rich.table import Table

from sloproof.verdict import Counts, Evidence, Judgement, clopper_pearson, judge_objective

CONFIDENCE = 0.95
ARRIVALS = 40.0
"""Requests per second."""


@dataclass(frozen=True)
class Scene:
    """Runs of one kind: how many requests each, how busy the server, and the true bad ratio."""

    requests: int
    utilisation: float
    ratio: float

    @property
    def budget(self) -> float:
        """An objective that this service misses: its true bad ratio is 1.5 times the budget."""
        return self.ratio / 1.5


SCENES = (
    Scene(1_200, 0.7, 0.05),
    Scene(2_400, 0.7, 0.05),
    Scene(12_000, 0.7, 0.05),
    Scene(12_000, 0.7, 0.01),
    Scene(12_000, 0.7, 0.001),
    Scene(12_000, 0.3, 0.05),
    Scene(12_000, 0.9, 0.05),
)

Second = list[float]
Bounds = tuple[float, float]


def latencies(scene: Scene, chance: random.Random) -> list[Second]:
    """The latencies of one run, seconds, grouped by the second of arrival; the queue is in its steady state."""
    served = ARRIVALS / scene.utilisation
    latency, now = chance.expovariate(served - ARRIVALS), 0.0
    seconds: list[Second] = [[]]
    for _ in range(scene.requests):
        gap = chance.expovariate(ARRIVALS)
        now += gap
        latency = max(latency - gap, 0.0) + chance.expovariate(served)
        while len(seconds) <= now:
            seconds.append([])
        seconds[-1].append(latency)
    return seconds


def limit(scene: Scene) -> float:
    """The latency that exactly the true ratio of requests exceeds, seconds: the time in an M/M/1 is exponential."""
    return -math.log(scene.ratio) / (ARRIVALS / scene.utilisation - ARRIVALS)


def slices(seconds: list[Second], longest: float) -> tuple[tuple[int, int], ...]:
    """Bad and all requests of each second."""
    return tuple((sum(latency > longest for latency in second), len(second)) for second in seconds)


def naive(scene: Scene, seconds: list[Second]) -> Bounds:
    """The exact bounds, as if requests were independent."""
    bad = sum(bad for bad, _ in slices(seconds, limit(scene)))
    return clopper_pearson(bad, scene.requests, CONFIDENCE)


def ours(scene: Scene, seconds: list[Second]) -> Bounds:
    """The verdict's bounds, from the seconds of the run."""
    return bounds(judged(scene, seconds, looser=()))


def ours_with_looser_limit(scene: Scene, seconds: list[Second]) -> Bounds:
    """The verdict's bounds, from the seconds of the run counted against two limits."""
    ordered = sorted(latency for second in seconds for latency in second)
    return bounds(judged(scene, seconds, looser=slices(seconds, ordered[len(ordered) * 9 // 10])))


METHODS = {"naive": naive, "sloproof": ours, "sloproof, looser limit": ours_with_looser_limit}


def judged(scene: Scene, seconds: list[Second], looser: tuple[tuple[int, int], ...]) -> Judgement:
    """The verdict on one run."""
    counted = slices(seconds, limit(scene))
    bad, total = sum(bad for bad, _ in counted), scene.requests
    evidence = Evidence(
        slo="simulated/latency",
        objective=Decimal(str(100 - 100 * scene.budget)),
        counts=Counts(source="load generator", total=total, bad=bad),
        batches=counted,
        looser=looser,
    )
    return judge_objective(Decimal(str(scene.budget)), evidence, str(CONFIDENCE))


def bounds(judgement: Judgement) -> Bounds:
    """Its two bounds, which a run with requests always has."""
    if judgement.lower is None or judgement.upper is None:
        raise ValueError(judgement.reason)
    return judgement.lower, judgement.upper


def simulate(scene: Scene, runs: int, chance: random.Random) -> dict[str, Counter[str]]:
    """How often each method's bounds held, and how often it would have passed a service that misses."""
    seen = {name: Counter[str]() for name in METHODS}
    for _ in range(runs):
        seconds = latencies(scene, chance)
        for name, method in METHODS.items():
            lower, upper = method(scene, seconds)
            seen[name] += Counter(
                upper=upper >= scene.ratio, lower=lower <= scene.ratio, false_pass=upper <= scene.budget
            )
    return seen


def main() -> None:
    """Print a table of coverage."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=200, help="simulated runs a row")
    parser.add_argument("--seed", type=int, default=1, help="of the random numbers")
    options = parser.parse_args()
    table = Table(title=f"Coverage of one-sided {CONFIDENCE:.0%} bounds, {options.runs} runs a row")
    for heading in ("requests", "utilisation", "true bad ratio", "method", "upper holds", "lower holds", "false pass"):
        table.add_column(heading, justify="left" if heading == "method" else "right")
    chance = random.Random(options.seed)
    for scene in SCENES:
        for name, seen in simulate(scene, options.runs, chance).items():
            shares = (f"{seen[what] / options.runs:.1%}" for what in ("upper", "lower", "false_pass"))
            table.add_row(
                f"{scene.requests:,}",
                f"{scene.utilisation:.0%}",
                f"{scene.ratio:.1%}",
                name,
                *shares,
                end_section=name == list(METHODS)[-1],
            )
    Console(width=120).print(table)


if __name__ == "__main__":
    main()
