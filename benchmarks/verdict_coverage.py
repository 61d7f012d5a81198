"""How often the verdict is right on requests whose truth is known: simulated, beside what other tools decide.

A single server with random arrivals and random service times (M/M/1) makes slow requests come in waves, and its exact
share of slow requests is known; a service that is ill now and then makes errors come in bursts. Each row simulates many
runs. The tables:

1. bounds: how often each one-sided 95 % bound holds, against bounds that take requests as independent;
2. decisions: who passes and who fails at a known p99, against Locust's percentile and a k6-style threshold;
3. early stops: how often a healthy target is stopped, and when a doubled budget is found;
4. several objectives: how often any of ten that are all kept is called missed;
5. comparisons: how often the bounds of a change between two runs hold.

Run: python benchmarks/verdict_coverage.py [--runs 100] [--seed 1] [--only bounds]
Exits with 1 when a target of `benchmarks/README.md` is missed; with fewer than 100 runs there are none.
"""

import argparse
import random
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from coverage_of_comparisons import comparisons
from coverage_of_decisions import decisions, early_stops, families
from rich.console import Console
from rich.table import Table
from simulated_load import Bursts, Queue, slower

from sloproof.verdict import Counts, Evidence, clopper_pearson
from sloproof.verdict.judge import bad_ratio_bounds
from sloproof.verdict.statistics import Slice

CONFIDENCE = 0.95
ENOUGH_RUNS = 100
"""Fewer runs show nothing to within a few per cent."""
LONG = 12_000
"""Requests of a long run; shorter ones are run oftener."""
HOLDS = 0.90
"""Target: each 95 % bound holds in at least so many runs, at 70 % utilisation and in bursts."""


@dataclass(frozen=True)
class Scene:
    """Runs of one kind.

    Args:
        requests: of each run.
        ratio: the true share of bad requests.
        queue: the server; None for bursts of errors.
        held: whether a target is set: where at least 30 bad requests are to be expected, and time to settle.
    """

    requests: int
    ratio: float
    queue: Queue | None
    held: bool = True

    @property
    def name(self) -> str:
        """What it is called in the table."""
        return "bursts of errors" if self.queue is None else f"queue, {self.queue.utilisation:.0%}"

    def run(self, chance: random.Random) -> tuple[tuple[Slice, ...], tuple[Slice, ...]]:
        """One run, counted against its limit and, for latencies, against half of it."""
        if self.queue is None:
            return Bursts().slices(self.requests, chance), ()
        seconds, longest = self.queue.latencies(self.requests, chance), self.queue.exceeded_by(self.ratio)
        return slower(seconds, longest), slower(seconds, longest / 2)


SCENES = (
    Scene(1_200, 0.05, Queue(0.7)),
    Scene(2_400, 0.05, Queue(0.7)),
    Scene(12_000, 0.05, Queue(0.7)),
    Scene(12_000, 0.01, Queue(0.7)),
    Scene(12_000, 0.001, Queue(0.7), held=False),
    Scene(12_000, 0.05, Queue(0.3)),
    Scene(12_000, 0.05, Queue(0.9), held=False),
    Scene(12_000, Bursts().ratio, None),
)


def bounds(runs: int, chance: random.Random) -> tuple[Table, list[str]]:
    """How often each bound holds."""
    table = Table(title=f"1. Coverage of one-sided {CONFIDENCE:.0%} bounds")
    headings = ("requests", "runs", "scene", "bad ratio", "bounds", "upper holds", "lower holds", "1.5x passes")
    for heading in headings:
        table.add_column(heading, justify="left" if heading in ("scene", "bounds") else "right")
    missed = []
    for scene in SCENES:
        seen = {"naive": [0, 0, 0], "sloproof": [0, 0, 0]}
        many = runs * (LONG // scene.requests if scene.requests < LONG else 2)
        for _ in range(many):
            for name, (lower, upper) in _both(*scene.run(chance)).items():
                held = (upper >= scene.ratio, lower <= scene.ratio, upper <= scene.ratio / 1.5)
                seen[name] = [before + now for before, now in zip(seen[name], held, strict=True)]
        for name, counts in seen.items():
            shares = [count / many for count in counts]
            table.add_row(
                f"{scene.requests:,}",
                f"{many:,}",
                scene.name,
                f"{scene.ratio:.2%}",
                name,
                *(f"{share:.1%}" for share in shares),
            )
            if name == "sloproof" and scene.held and min(shares[:2]) < HOLDS:
                missed.append(f"bounds of {scene.requests} requests, {scene.name}: {min(shares[:2]):.1%}")
        table.add_section()
    return table, missed


def _both(batches: tuple[Slice, ...], looser: tuple[Slice, ...]) -> dict[str, tuple[float, float]]:
    bad, total = (sum(part) for part in zip(*batches, strict=True))
    counts = Counts(source="load generator", total=total, bad=bad)
    evidence = Evidence(slo="simulated", objective="0", counts=counts, batches=batches, looser=looser)
    ours = bad_ratio_bounds(evidence, CONFIDENCE)
    return {"naive": clopper_pearson(bad, total, CONFIDENCE), "sloproof": (ours.lower, ours.upper)}


TABLES: dict[str, Callable[[int, random.Random], tuple[Table, list[str]]]] = {
    "bounds": bounds,
    "decisions": decisions,
    "early-stops": early_stops,
    "families": families,
    "comparisons": comparisons,
}


def one_table(name: str, runs: int, seed: int) -> int:
    """Print one table; it has random numbers of its own, so that it is the same alone and among the others."""
    table, missed = TABLES[name](runs, random.Random(1_000 * seed + list(TABLES).index(name)))
    console = Console(width=130)
    console.print(table)
    if runs < ENOUGH_RUNS:
        console.print(f"fewer than {ENOUGH_RUNS} runs a row: no target is judged")
        return 0
    for one in missed:
        console.print(f"missed: {one}")
    return 1 if missed else 0


def all_tables(runs: int, seed: int) -> int:
    """Print every table, two made at a time, each in a process of its own."""

    def made(name: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, __file__, "--only", name, "--runs", str(runs), "--seed", str(seed)]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    failed = 0
    with ThreadPoolExecutor(max_workers=2) as pool:
        for done in pool.map(made, TABLES):
            sys.stdout.write(done.stdout + done.stderr)
            failed += done.returncode != 0
    return 1 if failed else 0


def main() -> int:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=100, help="simulated runs a row")
    parser.add_argument("--seed", type=int, default=1, help="of the random numbers")
    parser.add_argument("--only", choices=tuple(TABLES), help="one table")
    options = parser.parse_args()
    if options.only:
        return one_table(options.only, options.runs, options.seed)
    return all_tables(options.runs, options.seed)


if __name__ == "__main__":
    sys.exit(main())
