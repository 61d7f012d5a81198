"""What burn-rate rules cost and how true they are: ours, Sloth's and Pyrra's on one real Prometheus.

Thirty-one days of counters, whose events are known exactly, become blocks; each set of rules is evaluated on them in
one run. Samples are Prometheus's own count (`totalQueryableSamples`), and so are times. Errors are against the exact
counts. Exits with 1 when a target is missed.

Run: python benchmarks/rules_cost.py [--series 2000] [--quick] [--sloth PATH]
"""

import argparse
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from prometheus_server import Cost, Server, add_blocks, recorded_text, running, write_blocks
from rich.console import Console
from rich.table import Table
from rule_sets import AVAILABILITY, TIMING, Rule, RuleSet, inlined, ours, pyrra, sloth
from traffic import DAY, END, GAPS, MINUTES, SEEN_STARTING, START, Incident, Traffic

from sloproof.alerts import DEFAULT_POLICY
from sloproof.alerts.budget_ledger import Count
from sloproof.alerts.promise import Events, Promise, firing_promise
from sloproof.definition import format_duration, parse_duration
from sloproof.promql import Expression
from sloproof.workspace.ledger_store import LedgerStore

FEWER_SAMPLES = {2000: 60.0}
"""How many times fewer samples than Sloth's rules, by live series; a small service gains less."""
BUDGET_ERROR = 0.01
"""Of the true bad ratio of the window."""
FAST = DEFAULT_POLICY.tiers[0]
INSTANTS = (5.3, 7.9, 11.6, 15.1, 19.2, 22.4, 26.8, 30.2)
"""Days at which windows are compared with the truth; times of the day differ."""


@dataclass(frozen=True)
class Detection:
    """When the fast page fired for an incident, seconds after its start, and when it was promised."""

    incident: Incident
    fired: float | None
    promise: Promise | None

    @property
    def late(self) -> float | None:
        """Seconds after the moment of the formula."""
        return None if self.fired is None or self.promise is None else self.fired - self.promise.earliest


def costs(server: Server, rules: RuleSet, runs: int) -> dict[Rule, Cost]:
    """One evaluation of each rule at the end of the data."""
    return {rule: server.cost(rule.expression, END, runs) for rule in rules.rules}


def window_errors(server: Server, rules: RuleSet, traffic: Traffic) -> Iterator[tuple[str, float, float]]:
    """Each window with the median and the largest error of its ratio, as parts of the true ratio."""
    for window, expression in rules.ratios.items():
        if window == rules.budget_window:
            continue
        found = [_error(server, expression, window, int(day * 1440), traffic) for day in INSTANTS]
        known = [error for error in found if error is not None]
        yield window, statistics.median(known), max(known)


def _error(server: Server, expression: str, window: str, minute: int, traffic: Traffic) -> float | None:
    length = parse_duration(window) // timedelta(minutes=1)
    truth = traffic.truth(minute, length)
    seen = server.value(expression, START + 60 * minute)
    in_gap = any(first < minute and first + gap > minute - length for first, gap in GAPS)
    if truth == 0 or in_gap or length > minute:
        return None
    return abs((seen or 0.0) / truth - 1)


def budget_errors(server: Server, rules: RuleSet, traffic: Traffic) -> float:
    """The error of the ratio over the whole budget window, gaps included, as a part of the true one."""
    length = parse_duration(rules.budget_window) // timedelta(minutes=1)
    seen = server.value(rules.ratios[rules.budget_window], END) or 0.0
    return seen / traffic.truth(MINUTES, length) - 1


def ledger_error(server: Server, traffic: Traffic, folder: Path) -> tuple[float, Cost]:
    """The same with the ledger, and what a day of closing periods costs.

    The ledger is filled day by day, as it would have been, and read again from its file each day.
    """
    samples, spent = 0, 0.0

    def ask(expression: Expression, at: float) -> list[tuple[dict[str, str], float]]:
        nonlocal samples, spent
        cost = server.cost(str(expression), at, runs=0)
        samples, spent = samples + cost.samples, spent + cost.seconds
        value = server.value(str(expression), at)
        return [] if value is None else [({}, value)]

    store, counts = LedgerStore(folder / "budget"), None
    for day in (30, 30.6, 31):
        counts = store.count(AVAILABILITY, TIMING, ask, START + day * 86_400)
    count = counts.get((), Count()) if counts is not None else Count()
    if count.ratio is None:
        raise ValueError("the ledger does not reach back to the start of the window")
    periods = len(store.periods(AVAILABILITY))
    return count.ratio / traffic.truth(MINUTES, 30 * 1440) - 1, Cost(samples * 4 // periods, spent * 4 / periods)


def detections(server: Server, rules: RuleSet, traffic: Traffic) -> list[Detection]:
    """The fast page at each incident, against the formula."""
    long, short = (rules.ratios[format_duration(window)] for window in (FAST.long, FAST.short))
    counted = next(r for r in rules.rules if r.record == f"slo:errors:count_{format_duration(FAST.long)}")
    threshold = FAST.threshold(AVAILABILITY)
    fires = f"(({long}) > {threshold}) and (({short}) > {threshold})"
    # The series of the recorded count bear the identity, the others do not.
    fires += f" and on () ({inlined(counted.expression, rules.rules)} >= {AVAILABILITY.minimum_bad_events})"
    return [_detection(server, fires, incident, traffic) for incident in SEEN_STARTING]


def _detection(server: Server, fires: str, incident: Incident, traffic: Traffic) -> Detection:
    start = START + 60 * incident.start
    step = TIMING.evaluation.total_seconds()
    points = server.points(fires, start, start + 7200, step)
    promise = firing_promise(FAST, AVAILABILITY, TIMING, list(_events(incident, traffic)))
    return Detection(incident, points[0][0] - start if points else None, promise)


def _events(incident: Incident, traffic: Traffic) -> Iterator[Events]:
    """The hour before an incident, and the incident, in steps of 5 s from its start; a minute's events lie evenly."""
    parts = 12
    for minute in range(incident.start - 65, incident.start + incident.length + 60):
        for part in range(1, parts + 1):
            at = 60 * (minute - incident.start) + 60 * part / parts
            yield Events(at, float(traffic.bad[minute]) / parts, float(traffic.total[minute]) / parts)


def per_minute(found: dict[Rule, Cost]) -> tuple[float, float]:
    """Samples and seconds a minute, each rule at its own interval."""
    samples = sum(cost.samples * 60 / rule.interval for rule, cost in found.items())
    return samples, sum(cost.seconds * 60 / rule.interval for rule, cost in found.items())


def fewer(found: dict[str, dict[Rule, Cost]], ledger: Cost) -> float:
    """How many times the samples of our rules and our ledger Sloth's rules read.

    Args:
        found: the cost of each rule, by set.
        ledger: the cost of a day of its periods.
    """
    return per_minute(found["Sloth"])[0] / (per_minute(found["sloproof"])[0] + ledger.samples / DAY)


def record(server: Server, sets: list[RuleSet], folder: Path) -> None:
    """The recorded series that longer windows read, as the rules would have written them all month.

    Raises:
        ValueError: a rule yields nothing.
    """
    wanted = [rule for rules in sets for rule in rules.stored]
    for number, rule in enumerate(wanted):
        expression = inlined(rule.expression, wanted)
        interval = int(TIMING.evaluation.total_seconds())
        add_blocks(recorded_text(server, [(rule.series, expression)], interval), folder, f"recorded-{number}")


def main() -> None:
    """Build, measure, print, judge."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--series", type=int, default=2000, help="live raw series, a multiple of forty")
    parser.add_argument("--quick", action="store_true", help="80 series, and one warm run of each query")
    parser.add_argument("--sloth", default=shutil.which("sloth"), help="path of the Sloth program")
    options = parser.parse_args()
    series = 80 if options.quick else options.series
    with tempfile.TemporaryDirectory(prefix="rules-cost-") as folder:
        missed = measure(series, 1 if options.quick else 3, options.sloth, Path(folder))
    for target in missed:
        print(f"missed: {target}", file=sys.stderr)
    sys.exit(1 if missed else 0)


def measure(series: int, runs: int, program: str | None, folder: Path) -> list[str]:
    """Everything, on one server.

    Returns:
        The targets that were missed.
    """
    console, started = Console(width=130), time.perf_counter()
    traffic, sets = Traffic(series), [ours(), sloth(program), pyrra()]
    write_blocks(traffic, folder)
    with running(folder) as server:
        record(server, sets, folder)
    with running(folder) as server:
        found = {rules.name: costs(server, rules, runs) for rules in sets}
        with_ledger, daily = ledger_error(server, traffic, folder)
        console.print(_cost_table(series, sets, found, daily))
        console.print(_window_table(sets, [dict(_windows(server, rules, traffic)) for rules in sets]))
        budgets = {rules.name: budget_errors(server, rules, traffic) for rules in sets}
        console.print(_budget_table(budgets, with_ledger, daily))
        seen = detections(server, sets[0], traffic)
        console.print(_detection_table(seen))
    console.print(f"{time.perf_counter() - started:.0f} s in all")
    return list(_missed(series, fewer(found, daily), with_ledger, seen))


def _windows(server: Server, rules: RuleSet, traffic: Traffic) -> Iterator[tuple[str, tuple[float, float]]]:
    for window, median, largest in window_errors(server, rules, traffic):
        yield window, (median, largest)


def _cost_table(series: int, sets: list[RuleSet], found: dict[str, dict[Rule, Cost]], ledger: Cost) -> Table:
    table = Table(title=f"One objective over {series:,} raw series, {MINUTES // 1440} days at one scrape a minute")
    for heading in ("rules", "from", "samples, all once", "time, all once", "samples a minute", "CPU", "× sloproof"):
        table.add_column(heading, justify="left" if heading in ("rules", "from") else "right")
    least = per_minute(found[sets[0].name])[0]
    for rules in sets:
        costs_here = found[rules.name]
        samples, seconds = per_minute(costs_here)
        once = sum(cost.samples for cost in costs_here.values())
        took = sum(cost.seconds for cost in costs_here.values())
        row = (f"{once:,}", f"{took:.3f} s", f"{samples:,.0f}", f"{seconds / 60:.2%}", f"{samples / least:.1f}")
        table.add_row(rules.name, rules.origin, *row)
    table.caption = f"With the ledger's samples, sloproof reads {fewer(found, ledger):.1f} times fewer than Sloth"
    return table


def _window_table(sets: list[RuleSet], errors: list[dict[str, tuple[float, float]]]) -> Table:
    table = Table(title="Error of each window's ratio against the exact counts: median, largest (no gap inside)")
    table.add_column("window")
    for rules in sets:
        table.add_column(rules.name, justify="right")
    windows = sorted({window for one in errors for window in one}, key=parse_duration)
    for window in windows:
        table.add_row(
            window, *(f"{one[window][0]:.2%}, {one[window][1]:.2%}" if window in one else "" for one in errors)
        )
    return table


def _budget_table(budgets: dict[str, float], with_ledger: float, daily: Cost) -> Table:
    table = Table(title="Error of the whole window's bad ratio, gaps inside")
    table.add_column("rules")
    table.add_column("error", justify="right")
    table.add_row("sloproof, with the ledger", f"{with_ledger:+.2%}")
    for name, error in budgets.items():
        table.add_row(name, f"{error:+.2%}")
    table.caption = f"The ledger reads {daily.samples:,} samples a day in {daily.seconds:.2f} s"
    return table


def _detection_table(seen: list[Detection]) -> Table:
    table = Table(title="The fast page against its formula, scraped and evaluated once a minute")
    for heading in ("bad ratio", "formula", "fired after", "late by", "at most"):
        table.add_column(heading, justify="right")
    for one in seen:
        promise = "never" if one.promise is None else f"{one.promise.earliest:.0f} s"
        fired = "never" if one.fired is None else f"{one.fired:.0f} s"
        late = "" if one.late is None else f"{one.late:+.0f} s"
        table.add_row(f"{one.incident.ratio:.0%}", promise, fired, late, f"{_longest_delay():.0f} s")
    return table


def _longest_delay() -> float:
    return (TIMING.scrape + TIMING.evaluation).total_seconds()


def _missed(series: int, times: float, ledger: float, seen: list[Detection]) -> Iterator[str]:
    if times < FEWER_SAMPLES.get(series, 1.0):
        yield f"{times:.1f} times fewer samples than Sloth's rules, {FEWER_SAMPLES[series]:.0f} are asked for"
    if abs(ledger) > BUDGET_ERROR:
        yield f"the budget with the ledger is wrong by {ledger:+.2%}"
    for one in seen:
        fires = one.promise is not None
        if fires != (one.fired is not None) or (one.late is not None and one.late > _longest_delay()):
            yield f"the fast page at {one.incident.ratio:.0%} bad events fired after {one.fired} s, not {one.promise}"


if __name__ == "__main__":
    main()
