"""When a slice is bad: a share of bad events just under its limit spends nothing of the budget, one above it does."""

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal

from sloproof.alerts.proof import ProofCase
from sloproof.alerts.proof_bench import Bench

OVER, UNDER = Decimal("1.1"), Decimal("0.9")
"""Shares of bad events, as multiples of the limit."""


def slice_cases(bench: Bench) -> Iterator[ProofCase]:
    """Nothing for an objective whose budget is spent by events, or whose events can only be all bad."""
    if bench.slo.budgeting != "slices" or bench.recorded or not bench.feed.fine:
        return
    limit, floor = bench.slo.slice_budget, timedelta(seconds=bench.slo.minimum_bad_events)
    counted = floor * (bench.clock / bench.timing.evaluation)  # on a slower clock slices add up to less
    at = bench.on_clock(bench.timing.base * 2 + counted + bench.tier.hold + bench.delay)
    bad, good = (bench.stretch(at + bench.clock, min(Decimal(1), limit * share)) for share in (OVER, UNDER))
    silent, loud = "it is silent about slices just over their limit", "it fires for slices just under their limit"
    yield bench.told("slices just over their limit", [bad], bench.fires(at, silent))
    yield bench.told("slices just under their limit", [good], bench.quiet(at, loud))
