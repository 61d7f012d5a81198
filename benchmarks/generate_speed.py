"""How fast objectives become rules that are checked and written.

Half of the objectives are error ratios and half latencies, ten to a service. The time holds the definitions, every
rules file of `sloproof generate` (base, windows, burn, budget and absence alerts), parsing every expression back, all
offline checks of `sloproof check`, and the files on the disk, flushed; not the start of Python and its imports, and
no dashboards, runbooks and rule tests. Where the Sloth program is at hand, it generates the rules of as many error
ratios, a file each, in calls of a thousand; its time holds the start of the process. It checks less and writes fewer
rules. Exits with 1 when a target is missed.

Run: python benchmarks/generate_speed.py [--quick] [--profile] [--sloth PATH]
"""

import argparse
import cProfile
import json
import math
import os
import pstats
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rule_sets import SLOTH_VERSION, sloth_specification

from sloproof import SLO, ErrorRatio, LatencyBelow, Service
from sloproof.checks import run_offline
from sloproof.workspace.checking import subject_of
from sloproof.workspace.collection import no_collection
from sloproof.workspace.contradictions import Located
from sloproof.workspace.files import write
from sloproof.workspace.loading import Workspace
from sloproof.workspace.made_rules import made_rules
from sloproof.workspace.settings import read_settings

A_SERVICE = 10
"""Objectives of a service."""
SLOTH_AT_A_TIME = 1_000
"""It keeps every file of a call open until its end."""


@dataclass(frozen=True)
class Limit:
    """What generating so many objectives may take: seconds, or as long as it likes; bytes of the whole process."""

    objectives: int
    seconds: float | None
    memory: int = 1 << 30


LIMITS = (Limit(1_000, 2.0), Limit(10_000, 20.0))
QUICK = (Limit(100, None),)


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
            name=f"service-{number // A_SERVICE}",
            owner=f"team {number // A_SERVICE % 17}",
            job=f"job-{number // A_SERVICE}",
        )
        labels = f'job="{service.job}",route="/route/{number % A_SERVICE}"'
        errors = ErrorRatio(
            errors=f'http_requests_total{{{labels},code=~"5.."}}', total=f"http_requests_total{{{labels}}}"
        )
        slow = LatencyBelow("500ms", histogram=f"http_request_duration_seconds{{{labels}}}")
        sli = errors if only_errors or number % 2 else slow
        yield SLO(service=service, name=f"objective-{number % A_SERVICE}", objective="99.9", sli=sli)


def workspace_of(slos: Iterable[SLO], root: Path) -> Workspace:
    """A workspace of these objectives, as if a file of its own had defined them."""
    (root / "pyproject.toml").write_text("[tool.sloproof]\n")
    located = (Located(slo, "slo/many.py", number, slo.name) for number, slo in enumerate(slos, start=1))
    return Workspace(root, read_settings(root), tuple(located))


def generate(workspace: Workspace) -> int:
    """The rules files of all services: made, checked, then written.

    Returns:
        Bytes written.

    Raises:
        ValueError: a check found a problem.
    """
    made = list(made_rules(workspace, workspace.settings.timing()))
    problems = [one for one in run_offline(subject_of(workspace, made)) if one.severity == "problem"]
    if problems:
        raise ValueError(f"{len(problems)} problems, the first is {problems[0]}")
    found = [artifact for one in made for artifact in one.artifacts]
    write(workspace.root, found)
    return sum(len(artifact.text) for artifact in found)


def timed(count: int) -> Run:
    """One run in a new folder, definitions included."""
    with tempfile.TemporaryDirectory(prefix="generate-speed-") as folder:
        wall, processor = time.perf_counter(), _processor()
        with no_collection():
            written = generate(workspace_of(objectives(count), Path(folder)))
        took = time.perf_counter() - wall, _processor() - processor
    return Run(*took, written, _memory())


def _processor() -> float:
    """Processor seconds of this process and of those that helped it."""
    return sum(sum(resource.getrusage(who)[:2]) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))


def _memory() -> int:
    """The most that this process and those that help it can have held together, pages that they share counted twice."""
    own, helper = (resource.getrusage(who).ru_maxrss * 1024 for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return own + helper * (len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)


def in_a_process_of_its_own(count: int) -> Run:
    """A run whose memory is its own and whose caches are cold."""
    command = [sys.executable, __file__, "--one", str(count)]
    return Run(**json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout))


def sloth_seconds(program: str, count: int) -> float | None:
    """How long Sloth takes for as many error ratios, a file each; None where it failed."""
    slos, took = list(objectives(count, only_errors=True)), 0.0
    for start in range(0, count, SLOTH_AT_A_TIME):
        call = _one_sloth_call(program, slos[start : start + SLOTH_AT_A_TIME])
        if call is None:
            return None
        took += call
    return took


def _one_sloth_call(program: str, slos: Sequence[SLO]) -> float | None:
    with tempfile.TemporaryDirectory(prefix="generate-speed-") as folder:
        specifications, out = Path(folder) / "in", Path(folder) / "out"
        specifications.mkdir()
        out.mkdir()
        for number, slo in enumerate(slos):
            (specifications / f"{number}.yaml").write_text(sloth_specification(slo))
        started = time.perf_counter()
        command = [program, "generate", "--input", str(specifications), "--out", str(out)]
        made = subprocess.run(command, capture_output=True, text=True, check=False)
        return None if made.returncode else time.perf_counter() - started


def main() -> None:
    """Measure, print, judge."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a hundred objectives, however long they take")
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
    profiler = cProfile.Profile()
    with tempfile.TemporaryDirectory(prefix="generate-speed-") as folder:
        workspace = workspace_of(objectives(LIMITS[0].objectives), Path(folder))
        profiler.runcall(generate, workspace)
    pstats.Stats(profiler).sort_stats("tottime").print_stats(25)


def judge(limits: tuple[Limit, ...], program: str | None) -> int:
    """Print a table.

    Returns:
        The exit code: 1 when a limit was passed.
    """
    table = Table(title="Objectives to checked and written rules")
    for heading in ("objectives", "time", "limit", "processor", "memory", "written", f"Sloth {SLOTH_VERSION}"):
        table.add_column(heading, justify="right")
    missed = []
    for limit in limits:
        run = in_a_process_of_its_own(limit.objectives)
        theirs = sloth_seconds(program, limit.objectives) if program else None
        other = f"{theirs:.2f} s, {theirs / run.seconds:.1f} ×" if theirs else "failed" if program else "not here"
        memory, written = f"{run.memory / 2**20:.0f} MiB", f"{run.written / 2**20:.1f} MiB"
        allowed = "none" if limit.seconds is None else f"{limit.seconds:.0f} s"
        times = (f"{run.seconds:.2f} s", allowed, f"{run.processor:.2f} s")
        table.add_row(f"{limit.objectives:,}", *times, memory, written, other)
        if run.seconds > (limit.seconds or math.inf) or run.memory > limit.memory:
            missed.append(f"{limit.objectives:,} objectives took {run.seconds:.2f} s and {memory}")
    Console(width=120).print(table)
    for target in missed:
        print(f"missed: {target}", file=sys.stderr)
    return 1 if missed else 0


if __name__ == "__main__":
    main()
