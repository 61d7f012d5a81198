"""How fast objectives become rules: written to disk, and every expression of them parsed.

Half of the objectives are error ratios and half latencies, ten to a service. Where the Sloth program is at hand, it
generates the rules of as many error ratios, one file a service, in one call. Exits with 1 when a target is missed.

Run: python benchmarks/generate_speed.py [--quick] [--profile] [--sloth PATH]
"""

import argparse
import cProfile
import json
import pstats
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rule_sets import SLOTH_VERSION, sloth_specification

from sloproof import SLO, ErrorRatio, LatencyBelow, Service
from sloproof.alerts import DEFAULT_POLICY, REAL, Links, base_group, burn_groups, rules_yaml
from sloproof.workspace.files import Artifact, write

A_SERVICE = 10
"""Objectives of a service."""


@dataclass(frozen=True)
class Limit:
    """What generating so many objectives may take: seconds, and bytes of memory of the whole process."""

    objectives: int
    seconds: float
    memory: int = 1 << 30


LIMITS = (Limit(1_000, 2.0), Limit(10_000, 20.0))
QUICK = (Limit(100, 2.0),)


@dataclass(frozen=True)
class Run:
    """What it took: seconds, processor seconds, bytes written, the most memory so far."""

    seconds: float
    processor: float
    written: int
    memory: int


def objectives(count: int, *, only_errors: bool = False) -> Iterator[SLO]:
    """Definitions as people write them."""
    for number in range(count):
        service = Service(
            name=f"service-{number // A_SERVICE}", owner=f"team {number % 17}", job=f"job-{number // A_SERVICE}"
        )
        labels = f'job="{service.job}",route="/route/{number % A_SERVICE}"'
        errors = ErrorRatio(
            errors=f'http_requests_total{{{labels},code=~"5.."}}', total=f"http_requests_total{{{labels}}}"
        )
        slow = LatencyBelow("500ms", histogram=f"http_request_duration_seconds{{{labels}}}")
        sli = errors if only_errors or number % 2 else slow
        yield SLO(service=service, name=f"objective-{number % A_SERVICE}", objective="99.9", sli=sli)


def generate(slos: list[SLO], folder: Path) -> int:
    """The rules files of all services, on the disk.

    Returns:
        Bytes written.
    """
    found = []
    for service, group in groupby(slos, key=lambda slo: slo.service.name):
        own = list(group)
        rules = [one for slo in own for one in burn_groups(slo, DEFAULT_POLICY, REAL, Links())]
        found.append(Artifact(f"alerts/{service}.base.rules.yaml", rules_yaml(base_group(slo, REAL) for slo in own)))
        found.append(Artifact(f"alerts/{service}.rules.yaml", rules_yaml(rules)))
    write(folder, found)
    return sum(len(artifact.text) for artifact in found)


def timed(count: int) -> Run:
    """One run in a new folder, definitions included."""
    with tempfile.TemporaryDirectory(prefix="generate-speed-") as folder:
        wall, processor = time.perf_counter(), time.process_time()
        written = generate(list(objectives(count)), Path(folder))
        took = time.perf_counter() - wall, time.process_time() - processor
    return Run(*took, written, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)


def in_a_process_of_its_own(count: int) -> Run:
    """A run whose memory is its own and whose caches are cold."""
    command = [sys.executable, __file__, "--one", str(count)]
    return Run(**json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout))


def sloth_seconds(program: str, count: int) -> float | None:
    """How long Sloth takes for as many error ratios, files of ten, in one call; None where it failed."""
    with tempfile.TemporaryDirectory(prefix="generate-speed-") as folder:
        specifications, out = Path(folder) / "in", Path(folder) / "out"
        specifications.mkdir()
        out.mkdir()
        for number, slo in enumerate(objectives(count, only_errors=True)):
            (specifications / f"{number}.yaml").write_text(sloth_specification(slo))
        started = time.perf_counter()
        command = [program, "generate", "--input", str(specifications), "--out", str(out)]
        made = subprocess.run(command, capture_output=True, text=True, check=False)
        return None if made.returncode else time.perf_counter() - started


def main() -> None:
    """Measure, print, judge."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a hundred objectives only")
    parser.add_argument("--profile", action="store_true", help="show where a thousand objectives spend their time")
    parser.add_argument("--sloth", default=shutil.which("sloth"), help="path of the Sloth program")
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(timed(options.one).__dict__))
    elif options.profile:
        profile()
    else:
        sys.exit(judge(QUICK if options.quick else LIMITS, options.sloth))


def profile() -> None:
    """Print the functions that take the most time of their own."""
    slos, profiler = list(objectives(LIMITS[0].objectives)), cProfile.Profile()
    with tempfile.TemporaryDirectory(prefix="generate-speed-") as folder:
        profiler.runcall(generate, slos, Path(folder))
    pstats.Stats(profiler).sort_stats("tottime").print_stats(25)


def judge(limits: tuple[Limit, ...], program: str | None) -> int:
    """Print a table.

    Returns:
        The exit code: 1 when a limit was passed.
    """
    table = Table(title="Objectives to written rules, each expression parsed")
    for heading in ("objectives", "time", "limit", "processor", "memory", "written", f"Sloth {SLOTH_VERSION}"):
        table.add_column(heading, justify="right")
    missed = []
    for limit in limits:
        run = in_a_process_of_its_own(limit.objectives)
        theirs = sloth_seconds(program, limit.objectives) if program else None
        other = f"{theirs / run.seconds:.1f} ×" if theirs else "failed" if program else "not here"
        memory, written = f"{run.memory / 2**20:.0f} MiB", f"{run.written / 2**20:.1f} MiB"
        times = (f"{run.seconds:.2f} s", f"{limit.seconds:.0f} s", f"{run.processor:.2f} s")
        table.add_row(f"{limit.objectives:,}", *times, memory, written, other)
        if run.seconds > limit.seconds or run.memory > limit.memory:
            missed.append(f"{limit.objectives:,} objectives took {run.seconds:.2f} s and {memory}")
    Console(width=120).print(table)
    for target in missed:
        print(f"missed: {target}", file=sys.stderr)
    return 1 if missed else 0


if __name__ == "__main__":
    main()
