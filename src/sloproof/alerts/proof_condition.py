"""The condition of a burn alert by itself, told the figures it reads: where each limit lies, and how long it waits.

Histories of events show that an alert comes in time; there a limit that is a tenth off, a `for` of two minutes or a
forgotten `keep_firing_for` is hidden by what scrapes and evaluations allow for.
"""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from decimal import Decimal

from sloproof import names
from sloproof.alerts.proof import Check, ProofCase
from sloproof.alerts.proof_bench import Bench
from sloproof.alerts.proof_recorded import series_of
from sloproof.alerts.proof_rules import rules_behind, without_records
from sloproof.alerts.proof_traffic import levels
from sloproof.definition import format_duration

OVER, UNDER = Decimal("1.02"), Decimal("0.98")
"""What is a little too much and what is not, as shares of the threshold."""
WELL_OVER = 2
"""What is much too much, as a multiple of it."""
SEEN = 3
"""How many evaluations the condition holds for after it fired."""

Values = Mapping[str, Decimal]
"""What is recorded, by the name of its series."""


def condition_cases(bench: Bench) -> Iterator[ProofCase]:
    """Just beyond every limit it fires and clears when it must; short of a single one it keeps quiet."""
    threshold, floor = bench.tier.threshold(bench.slo), Decimal(bench.slo.minimum_bad_events)
    short, long = names.error_ratio(bench.tier.short), names.error_ratio(bench.tier.long)
    count = names.error_count(bench.tier.long)
    yield _firing(bench, {short: threshold * OVER, long: threshold * OVER, count: floor})
    plenty = {short: threshold * WELL_OVER, long: threshold * WELL_OVER, count: floor * WELL_OVER}
    for metric, value, words in (
        (short, threshold * UNDER, f"the last {format_duration(bench.tier.short)} are just under the threshold"),
        (long, threshold * UNDER, f"the last {format_duration(bench.tier.long)} are just under the threshold"),
        (count, floor - 1, f"{floor - 1} bad events were seen"),
    ):
        yield _quiet(bench, {**plenty, metric: value}, words)


def _firing(bench: Bench, values: Values) -> ProofCase:
    tick = bench.timing.evaluation
    fires = bench.on_clock(bench.tier.hold, tick)
    over = fires + tick * SEEN  # the first evaluation at which the condition does not hold
    clears = over + bench.on_clock(bench.tier.keep_firing_for, tick)
    held, kept = _for(bench.tier.hold), _for(bench.tier.keep_firing_for)
    checks = [
        bench.fires(fires, f"it is silent though both windows have been just above the threshold{held}"),
        bench.fires(clears - tick, f"it clears before its condition has been over{kept}"),
        bench.quiet(clears, f"it still fires when its condition has been over{kept}"),
    ]
    if fires:
        checks.insert(0, bench.quiet(fires - tick, f"it fires before both windows have been above the threshold{held}"))
    series = {metric: levels([(over // tick, value), (clears // tick, Decimal(0))]) for metric, value in values.items()}
    return _case(bench, "just beyond its limits", series, *checks)


def _quiet(bench: Bench, values: Values, words: str) -> ProofCase:
    at = bench.on_clock(bench.tier.hold, bench.timing.evaluation) + bench.timing.evaluation * SEEN
    series = {metric: levels([(at // bench.timing.evaluation + 1, value)]) for metric, value in values.items()}
    return _case(bench, f"quiet when only {words}", series, bench.quiet(at, f"it fires when only {words}"))


def _case(bench: Bench, title: str, series: Mapping[str, str], *checks: Check) -> ProofCase:
    kept = without_records(bench.groups, [*series, names.ERRORS_ALLOWED])
    fed = {str(series_of(metric, bench.slo, bench.timing)): shown for metric, shown in series.items()}
    tick: timedelta = bench.timing.evaluation
    return ProofCase(bench.alert, title, rules_behind(kept, bench.alert), tick, tick, fed, checks)


def _for(length: timedelta) -> str:
    return f" for {format_duration(length)}" if length else ""
