"""What `sloproof status` asks of a Prometheus with a thousand objectives, beside one query an objective.

The recorded series of made-up objectives become blocks of a real Prometheus. Both ways of asking run side by side,
taking turns, and must find the same budgets. The requests are counted by the server itself
(`prometheus_http_requests_total`), and times are those of whole looks, warm, definitions loaded. The rival is kind:
one query an objective that gets all its figures at once, over one connection that is kept open. Exits with 1 when a
target is missed.

Run: python benchmarks/status_queries.py [--objectives 1000] [--rounds 5] [--quick]
"""

import argparse
import math
import re
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import httpx
from generate_speed import objectives, workspace_of
from prometheus_server import add_blocks, running
from rich.console import Console
from rich.table import Table

from sloproof import SLO, names
from sloproof.prometheus import Prometheus
from sloproof.workspace.loading import Workspace
from sloproof.workspace.status import status_of
from sloproof.workspace.status_recorded import burn_series

MOST_QUESTIONS = 10
"""However many objectives there are."""
TIMES_QUICKER = 3.0
"""Than one query an objective, at a thousand; fewer objectives gain less."""
_BEFORE, _AFTER, _STEP = 600, 3600, 60
"""Seconds around now that the series are there for: a run that takes an hour still finds fresh samples."""


@dataclass
class Way:
    """One way of asking.

    Args:
        name: for the table.
        look: asks for every objective, and yields what is left by identity.
        seconds: of each look.
        requests: of each look, by the server's own count.
    """

    name: str
    look: Callable[[], dict[str, float]]
    seconds: list[float] = field(default_factory=list)
    requests: list[int] = field(default_factory=list)


def recorded(slos: Sequence[SLO], workspace: Workspace, now: int) -> Iterator[str]:
    """What the rules would have recorded, as OpenMetrics text; every budget is another."""
    figures: dict[str, Callable[[SLO, int], float]] = {
        names.BUDGET_LEFT: lambda _, number: _left(number),
        names.ERRORS_LEFT: lambda _, number: 1000 * _left(number),
        names.OBJECTIVE: lambda slo, _: float(slo.objective) / 100,
        burn_series(slos[0], workspace): lambda slo, number: float(slo.budget) * (number % 20) / 10,
        names.coverage(slos[0].budget_window): lambda _, number: 1 - number % 7 / 1000,
    }
    for metric, figure in figures.items():
        yield f"# TYPE {metric} unknown\n"
        for number, slo in enumerate(slos):
            labels = f'{{{names.SERVICE}="{slo.service.name}",{names.SLO}="{slo.name}"}}'
            value = figure(slo, number)
            yield from (f"{metric}{labels} {value} {at}\n" for at in range(now - _BEFORE, now + _AFTER, _STEP))
    yield "# EOF\n"


def _left(number: int) -> float:
    return 1 - number % 997 / 700


def together(workspace: Workspace, url: str) -> dict[str, float]:
    """As `sloproof status` asks."""
    with Prometheus(url, timeout=timedelta(minutes=1)) as prometheus:
        found = status_of(workspace, prometheus, ledger=False)
    return {one.slo.identity: one.left for one in found.budgets if one.left is not None}


def one_by_one(workspace: Workspace, url: str) -> dict[str, float]:
    """One query an objective, for all its figures."""
    found = {}
    with httpx.Client(base_url=url, timeout=60, trust_env=False) as client:
        for slo in workspace.slos:
            wanted = f'{names.SERVICE}="{slo.service.name}",{names.SLO}="{slo.name}"'
            answer = client.get("/api/v1/query", params={"query": f'{{{wanted},__name__=~"slo:.*"}}'})
            for series in answer.raise_for_status().json()["data"]["result"]:
                if series["metric"]["__name__"] == names.BUDGET_LEFT:
                    found[slo.identity] = float(series["value"][1])
    return found


def requests_served(url: str) -> int:
    """How many requests for data the server has answered, by its own count."""
    text = httpx.get(f"{url}/metrics", trust_env=False).raise_for_status().text
    pattern = r'^prometheus_http_requests_total\{[^}]*handler="/api/v1/[^}]*\} (\S+)$'
    return int(sum(float(value) for value in re.findall(pattern, text, re.MULTILINE)))


def measure(ways: Sequence[Way], url: str, rounds: int) -> list[dict[str, float]]:
    """Each way once to warm up, then in turns; what each found last."""
    found = [way.look() for way in ways]
    for _ in range(rounds):
        for index, way in enumerate(ways):
            before, started = requests_served(url), time.perf_counter()
            found[index] = way.look()
            way.seconds.append(time.perf_counter() - started)
            way.requests.append(requests_served(url) - before)
    return found


def shown(ways: Sequence[Way], count: int, rounds: int) -> Table:
    """Both ways side by side."""
    table = Table(title=f"One look at {count:,} objectives on one Prometheus, {rounds} looks each, in turns")
    for heading in ("asked", "requests", "median", "fastest", "slowest"):
        table.add_column(heading, justify="left" if heading == "asked" else "right")
    for way in ways:
        times = (statistics.median(way.seconds), min(way.seconds), max(way.seconds))
        table.add_row(way.name, f"{max(way.requests):,}", *(f"{seconds:.3f} s" for seconds in times))
    return table


def missed(ways: Sequence[Way], found: Sequence[dict[str, float]], count: int, *, timed: bool) -> Iterator[str]:
    """The targets that were missed.

    Args:
        ways: ours first.
        found: what each found.
        count: how many objectives there are.
        timed: whether the time is judged.
    """
    if len(found[0]) != count:
        yield f"{len(found[0])} of {count} budgets were found"
    if any(not math.isclose(found[0][one], left) for one, left in found[1].items()) or len(found[1]) != count:
        yield "the two ways of asking found different budgets"
    if max(ways[0].requests) > MOST_QUESTIONS:
        yield f"{max(ways[0].requests)} requests, at most {MOST_QUESTIONS} are allowed"
    quicker = statistics.median(ways[1].seconds) / statistics.median(ways[0].seconds)
    if timed and quicker < TIMES_QUICKER:
        yield f"{quicker:.1f} times quicker than one query an objective, {TIMES_QUICKER:.0f} are asked for"


def main() -> None:
    """Build, measure, print, judge."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--objectives", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--quick", action="store_true", help="200 objectives and two rounds; time is not judged")
    wanted = parser.parse_args()
    count, rounds = (200, 2) if wanted.quick else (wanted.objectives, wanted.rounds)
    with tempfile.TemporaryDirectory(prefix="status-queries-") as folder:
        root = Path(folder)
        workspace = workspace_of(objectives(count), root)
        add_blocks(recorded(workspace.slos, workspace, int(time.time())), root, "recorded")
        with running(root) as server:
            ways = [
                Way("sloproof status", lambda: together(workspace, server.url)),
                Way("one query an objective", lambda: one_by_one(workspace, server.url)),
            ]
            found = measure(ways, server.url, rounds)
    Console(width=110).print(shown(ways, count, rounds))
    failures = list(missed(ways, found, count, timed=not wanted.quick))
    for failure in failures:
        print(f"missed: {failure}", file=sys.stderr)
    raise SystemExit(1 if failures else 0)


if __name__ == "__main__":
    main()
