"""The floor of bad events: what a quiet service can do to a burn alert.

Counted windows longer than the raw ones are sums of recorded samples times the interval at which they are
recorded, so these cases feed the recorded series at just that interval, as Prometheus would have recorded them.
"""

from collections.abc import Iterator
from datetime import timedelta
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from sloproof import names
from sloproof.alerts.proof import Check, ProofCase
from sloproof.alerts.proof_bench import SAMPLES_A_QUERY, Bench
from sloproof.alerts.proof_recorded import constant, series_of
from sloproof.alerts.proof_rules import rules_behind, without_records
from sloproof.alerts.proof_traffic import Stretch, levels
from sloproof.definition import parse_duration

UNDER, OVER = Decimal("0.8"), Decimal("1.2")
"""Counts from raw rates are a little off, so the cases stay this far from the floor (but one event at least)."""

EVALUATIONS_OF_SHORT = 12
"""How often the rules are evaluated while the last event is in the short window."""


def floor_cases(bench: Bench) -> Iterator[ProofCase]:
    """Every request is bad and there are few: under the floor it keeps quiet, above it fires."""
    floor = bench.slo.minimum_bad_events
    under = max(1, min(floor - 1, int((floor * UNDER).to_integral_value(ROUND_FLOOR))))
    over = max(floor + 1, int((floor * OVER).to_integral_value(ROUND_CEILING)))
    if floor > 1:
        meaning = "it fires for a single bad request, though it must see {} bad events"
        yield _case(bench, "one bad request on a quiet service", 1, False, meaning.format(floor))
    if under > 1:
        meaning = f"it fires for {under} bad events, though it must see {floor}"
        yield _case(bench, f"{under} bad events on a quiet service", under, False, meaning)
    meaning = f"it is silent when {over} of {over} events were bad, though {floor} are enough"
    if bench.tier.hold + _clock(bench) * 2 <= bench.tier.short:  # else a few events are over before `for` is
        yield _case(bench, f"{over} bad events on a quiet service", over, True, meaning)


def _case(bench: Bench, title: str, events: int, fires: bool, meaning: str) -> ProofCase:
    """All events but the last come at once, the last one soon after, or where it must fire as late as is allowed."""
    step = bench.timing.scrape if bench.raw else _recording_interval(bench)
    base = bench.timing.base // step
    latest = min(bench.tier.long * 8 // 10 // step, SAMPLES_A_QUERY - base * 8) - base
    apart = latest if fires else min(latest, base * 2)
    asked = _asked_at(bench, step * (base + apart), step * (2 if bench.raw else base))
    build = _recorded if not bench.raw else _raw if bench.feed.single else _windows
    check = bench.fires(asked, meaning) if fires else bench.quiet(asked, meaning)
    return build(bench, title, events, base, apart, check)


def _asked_at(bench: Bench, last: timedelta, seen: timedelta) -> timedelta:
    """An evaluation at which the last event is in the short window, and has been for as long as `for` wants."""
    clock = _clock(bench)
    return bench.on_clock(last + seen + bench.on_clock(bench.tier.hold, clock), clock)


def _clock(bench: Bench) -> timedelta:
    """Recorded series are fed ready-made, so that only the last evaluations matter."""
    return bench.clock if bench.raw else max(bench.clock, bench.tier.short / EVALUATIONS_OF_SHORT)


def _raw(bench: Bench, title: str, events: int, base: int, apart: int, check: Check) -> ProofCase:
    nothing = Decimal(0)
    first = events - 1
    history = [
        Stretch(base, nothing),
        Stretch(1, Decimal(first), Decimal(1)),
        Stretch(apart - 1, nothing),
        Stretch(1, Decimal(events - first), Decimal(1)),
        Stretch(base * 3, nothing),
    ]
    return bench.told(title, history, check)


def _windows(bench: Bench, title: str, events: int, base: int, apart: int, check: Check) -> ProofCase:
    """The windows of the pair themselves: moments are never so few that raw series could show it."""
    ratios = dict.fromkeys((names.error_ratio(bench.tier.short), names.error_ratio(bench.tier.long)), Decimal(1))
    values = {**ratios, names.error_count(bench.tier.long): Decimal(events)}
    series = constant(values, bench.slo, bench.timing, check.at // bench.timing.scrape)
    groups = rules_behind(without_records(bench.groups, list(values)), bench.alert)
    return ProofCase(bench.alert, title, groups, bench.clock, bench.timing.scrape, series, (check,))


def _recorded(bench: Bench, title: str, events: int, base: int, apart: int, check: Check) -> ProofCase:
    """Each event is in the recorded rate for one base window."""
    step = _recording_interval(bench)
    per_second = Decimal(1) / Decimal(int(bench.timing.base.total_seconds()))
    first = events - 1
    shown = levels(
        [
            (base, Decimal(0)),
            (base, per_second * first),
            (apart - base, Decimal(0)),
            (base, per_second * (events - first)),
            (base * 3, Decimal(0)),
        ]
    )
    metrics = (names.errors(bench.timing.base), names.total(bench.timing.base))
    series = {str(series_of(metric, bench.slo, bench.timing)): shown for metric in metrics}
    groups = without_records(bench.groups, metrics)
    return ProofCase(bench.alert, title, groups, _clock(bench), step, series, (check,))


def _recording_interval(bench: Bench) -> timedelta:
    """How often the base rules really run: what the rules file says, whatever the definitions say."""
    metric = names.errors(bench.timing.base)
    for group in bench.groups:
        if any(rule.get("record") == metric for rule in group["rules"]):
            return parse_duration(group.get("interval", "1m"))
    return bench.timing.evaluation
