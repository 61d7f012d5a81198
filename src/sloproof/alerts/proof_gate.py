"""The gate of a day/night service: a burn that costs too little of the budget keeps quiet, however fast it is."""

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal

from sloproof import names
from sloproof.alerts.proof import ProofCase
from sloproof.alerts.proof_bench import Bench
from sloproof.alerts.proof_recorded import constant
from sloproof.alerts.proof_rules import rules_behind, without_records
from sloproof.alerts.proof_traffic import Stretch

UNDER, OVER = Decimal("0.8"), Decimal("1.25")
"""Costs, as multiples of the least that fires."""
NIGHT = Decimal(10)
"""Events a second at night."""
SHARE_OF_LONG = Decimal("0.5")
"""When the night's fault has cost enough, as a share of the long window."""


def gate_cases(bench: Bench) -> Iterator[ProofCase]:
    """Nothing for a tier without a gate."""
    if bench.tier.minimum_budget_share is None:
        return
    yield from _counted(bench)
    if bench.feed.counted and bench.fine:
        yield _at_night(bench)


def _counted(bench: Bench) -> Iterator[ProofCase]:
    """The alert alone: both windows burn, and the count of bad events is under or over the gate."""
    share, allowed = bench.tier.minimum_budget_share or Decimal(0), Decimal(1_000_000)
    least = share * allowed
    at = bench.on_clock(bench.timing.base + bench.on_clock(bench.tier.hold))
    ratios = dict.fromkeys((names.error_ratio(bench.tier.short), names.error_ratio(bench.tier.long)), Decimal(1))
    for title, cost, known, fires in (
        ("a burn that costs too little", least * UNDER, True, False),
        ("a burn that costs enough", least * OVER, True, True),
        ("a burn before the budget is known", least * OVER, False, True),
    ):
        budget = {names.ERRORS_ALLOWED: allowed} if known else {}
        values = {**ratios, names.error_count(bench.tier.long): cost, **budget}
        series = constant(values, bench.slo, bench.timing, at // bench.timing.scrape)
        groups = rules_behind(without_records(bench.groups, [*values, names.ERRORS_ALLOWED]), bench.alert)
        silent = f"it is silent about {title}"
        check = bench.fires(at, silent) if fires else bench.quiet(at, f"it fires for {title}")
        yield ProofCase(bench.alert, title, groups, bench.clock, bench.timing.scrape, series, (check,))


def _at_night(bench: Bench) -> ProofCase:
    """A busy day, a night long enough to fill the long window, and then a fault of which only the length changes."""
    tier, budget = bench.tier, bench.slo.budget
    share = tier.minimum_budget_share or Decimal(0)
    enough = bench.scrapes(tier.long * float(SHARE_OF_LONG))
    day, night = bench.scrapes(bench.timing.base * 12), bench.scrapes(tier.long + bench.timing.base * 2)
    bad = bench.fault * NIGHT * _seconds(enough)
    rest = NIGHT * _seconds(night + enough)
    busy = max(bad / (share * budget) - rest, Decimal(0)) / _seconds(day)
    scrape = _seconds(bench.timing.scrape)
    too_little = bench.on_clock(day + night + enough * float(UNDER)) - (day + night)
    over = bench.on_clock(day + night + enough * float(OVER) + bench.delay + tier.hold) - (day + night)
    history = [
        Stretch(day // bench.timing.scrape, busy * scrape),
        Stretch(night // bench.timing.scrape, NIGHT * scrape),
        Stretch((over + bench.clock) // bench.timing.scrape, NIGHT * scrape, bench.fault),
    ]
    start = day + night
    return bench.told(
        "a fault at night fires when it has cost enough",
        history,
        bench.quiet(start + too_little - bench.clock, "it fires for a fault at night that has cost too little"),
        bench.fires(start + over, "it is silent about a fault at night that has cost enough"),
    )


def _seconds(length: timedelta) -> Decimal:
    return Decimal(length // timedelta(milliseconds=1)) / 1000
