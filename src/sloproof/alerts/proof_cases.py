"""The cases that prove a burn alert: it fires and clears in time, and nothing else makes it fire."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from sloproof import names
from sloproof.alerts.input_series import NoInputSeries
from sloproof.alerts.policy import BurnTier
from sloproof.alerts.promise import delay, detection_time, interval_of, reset_time
from sloproof.alerts.proof import (
    SHOWN_RATIOS,
    Check,
    Document,
    NotExpressible,
    Promised,
    ProofCase,
    ProofPlan,
)
from sloproof.alerts.proof_bench import Bench
from sloproof.alerts.proof_condition import condition_cases
from sloproof.alerts.proof_feed import OTHER_GROUP, Feed, NoFeed, feeds_of, group_labels, lone_feeds_of
from sloproof.alerts.proof_floor import floor_cases
from sloproof.alerts.proof_gate import gate_cases
from sloproof.alerts.proof_recorded import RecordedFeed, recorded_feed
from sloproof.alerts.proof_rules import rules_behind
from sloproof.alerts.proof_slices import slice_cases
from sloproof.alerts.proof_steady import steady_cases
from sloproof.alerts.proof_traffic import Stretch
from sloproof.alerts.timing import Timing
from sloproof.definition import format_duration
from sloproof.promql import call
from sloproof.slo import SLO

QUIET_FACTOR = Decimal("0.8")
"""The bad ratio that must not fire an alert, as a share of its threshold."""
TROUGH = Decimal("0.01")
"""Traffic at its lowest, as a share of the usual; a fault then is few events, however many minutes it takes."""
GAPS = (1, 3)
"""How many scrapes in a row go missing."""


def burn_plan(slo: SLO, tier: BurnTier, timing: Timing, groups: Sequence[Document]) -> ProofPlan:
    """Everything that proves one burn alert.

    Args:
        slo: the objective.
        tier: the pair of windows.
        timing: the clock of the real rules.
        groups: the groups of all rules files of the service, base rules first, as YAML reads them; they may
            differ from what the definitions imply, which is what a proof is for.

    Returns:
        A plan whose expectations come from the definitions alone.
    """
    alert = names.burn_alert(slo.service.name, slo.name, tier.name)
    feeds, unknown = _feeds(slo, tier, timing, behind := rules_behind(groups, alert))
    benches = [Bench(slo, tier, timing, behind, feed) for feed in feeds]
    lone = [] if unknown else lone_feeds_of(slo, timing.scrape, timing.base)
    cases, gaps = _cases_and_gaps(benches, [Bench(slo, tier, timing, behind, feed) for feed in lone])
    labels = {
        names.SERVICE: slo.service.name,
        names.SLO: slo.name,
        names.TIER: tier.name,
        names.SEVERITY: tier.severity,
    }
    notes = [unknown] if unknown else list(_notes(benches[0]))
    promised = tuple(_promised(slo, tier, timing))
    return ProofPlan(alert, labels, promised, tuple(cases), tuple(gaps), tuple(notes), recorded=bool(unknown))


def _feeds(
    slo: SLO, tier: BurnTier, timing: Timing, groups: Sequence[Document]
) -> tuple[Sequence[Feed | RecordedFeed], str]:
    """Raw series, or the recorded ones and why."""
    try:
        return feeds_of(slo, timing.scrape, timing.base), ""
    except (NoFeed, NoInputSeries) as reason:
        return [recorded_feed(slo, tier, timing, groups)], f"raw series not fed: {reason}"


def _notes(bench: Bench) -> Iterator[str]:
    if not bench.fine and _bad_moments(bench) is None:
        least = "slice" if bench.slo.by_slices else "moment"
        yield f"0.8 of its threshold is told by recorded series: one bad {least} is more"


def _promised(slo: SLO, tier: BurnTier, timing: Timing) -> Iterator[Promised]:
    for ratio in SHOWN_RATIOS:
        fires, clears, late = detection_time(tier, slo, ratio), reset_time(tier, slo, ratio), delay(tier, timing, slo)
        yield Promised(
            ratio,
            None if fires is None else fires + tier.hold + late,
            None if clears is None else clears + tier.keep_firing_for + late,
        )


def _cases_and_gaps(benches: Sequence[Bench], lone: Sequence[Bench]) -> tuple[list[ProofCase], list[NotExpressible]]:
    bench = benches[0]
    if not bench.groups:
        return [], [NotExpressible("exists", f"no rule is named `{bench.alert}`")]
    if bench.tier.threshold(bench.slo) >= 1:
        return [], [NotExpressible("fires", "its threshold is above 100 % of events, so it can never fire")]
    if bench.too_long():
        return [], [NotExpressible("all cases", bench.too_long())]
    cases: list[ProofCase] = []
    gaps = list(_too_seldom(bench))
    for title, build in CASES.items():
        try:
            cases.extend(build(bench))
        except ValueError as error:
            gaps.append(NotExpressible(title, f"promtool cannot run it: {error}"))
    for number, other in enumerate(benches[1:], start=2):
        cases.extend(replace(case, title=f"{case.title} when part {number} fails") for case in _fires_and_clears(other))
    for number, alone in enumerate(lone, start=1):
        words = f"when only part {number} has series"
        cases.extend(replace(case, title=f"{case.title} {words}") for case in _fires_and_clears(alone))
    return cases, gaps


def _too_seldom(bench: Bench) -> Iterator[NotExpressible]:
    """What promtool cannot see: it evaluates every group on one clock, whatever the rules file says of theirs."""
    promised = format_duration(interval_of(bench.tier, bench.timing))
    for group in bench.groups:
        told = group.get("interval", "so often as the server says")
        if any(rule.get("alert") == bench.alert for rule in group["rules"]) and told != promised:
            reason = f"its group runs every {told}, not every {promised}"
            yield NotExpressible("is evaluated as often as is promised", reason)


def _fires_and_clears(bench: Bench) -> Iterator[ProofCase]:
    """A fault after a long quiet time: not before, not after, and gone again in time."""
    hold, crossing = bench.tier.hold, bench.crossing()
    promised, cleared = (
        bench.ended_scrapes(crossing + hold + bench.delay),
        bench.scrapes(bench.reset() + bench.delay + bench.grain),
    )
    quiet = bench.before(bench.tier.long + bench.timing.base, promised)
    fault = bench.before(max(promised, bench.tier.short + bench.timing.base) + bench.clock, quiet + cleared)
    too_early = bench.ended_scrapes(crossing + hold - bench.timing.scrape - bench.grain)
    history = [bench.stretch(quiet), bench.stretch(fault, bench.fault), bench.stretch(cleared + bench.clock)]
    shown = percent(bench.fault)
    checks = [
        bench.quiet(quiet, "it fires before there is any error"),
        bench.fires(quiet + promised, f"it is silent {format_duration(promised)} after a fault of {shown} began"),
        bench.fires(quiet + fault, f"it stops firing while a fault of {shown} goes on"),
        bench.quiet(
            quiet + fault + cleared, f"it still fires {format_duration(cleared)} after a fault of {shown} ended"
        ),
    ]
    if too_early > timedelta():
        early = f"it fires within {format_duration(too_early)} of the start of a fault of {shown}, which is too early"
        checks.insert(1, bench.quiet(quiet + too_early, early))
    too_soon = bench.ended_scrapes(bench.reset() - bench.timing.scrape - bench.clock - bench.grain)
    if too_soon > timedelta():
        soon = f"it clears within {format_duration(too_soon)} of the end of a fault of {shown}, which is too soon"
        checks.insert(-1, bench.fires(quiet + fault + too_soon, soon))
    yield bench.told("fires and clears in time", history, *checks)
    yield from _beside_another_group(bench, history, quiet + promised)


def _beside_another_group(bench: Bench, history: Sequence[Stretch], at: timedelta) -> Iterator[ProofCase]:
    """A group that is well, and has ten times as many events, neither fires nor hides the one that is not."""
    well = [replace(stretch, events=stretch.events * 10, error_ratio=Decimal(0)) for stretch in history]
    other = bench.of_group(group_labels(bench.slo, OTHER_GROUP))
    if other is None:
        return
    ours, theirs = bench.told("", history), other.told("", well)
    yield replace(
        ours,
        title="one bad group beside a healthy one",
        series={**ours.series, **theirs.series},
        checks=(
            bench.fires(at, "it is silent about a bad group beside a healthy one"),
            Check(call("count", bench.firing(())), at, 1, "it fires for a healthy group beside a bad one"),
        ),
    )


def _under_threshold(bench: Bench) -> Iterator[ProofCase]:
    ratio = bench.tier.threshold(bench.slo) * QUIET_FACTOR
    first = bench.scrapes(bench.timing.base * 2)
    end, clock = bench.scrapes(bench.tier.long + bench.timing.base), bench.coarse_clock
    meaning = f"it fires at {percent(ratio)} of bad events, 0.8 of its threshold"
    title = "quiet at 0.8 of its threshold"
    if bench.fine:
        # A steady ratio is the same at any age: the short window must be full, the long one need not be.
        enough = min(end, bench.scrapes(bench.tier.short * 3 + bench.timing.base))
        checks = [bench.quiet(at, meaning) for at in (first, enough)]
        yield bench.told(title, [bench.stretch(enough + clock, ratio)], *checks, clock=clock)
        return
    moments = _bad_moments(bench)
    if moments is None:
        yield from _under_threshold(bench.on_recorded())
        return
    history = [bench.stretch(bench.timing.scrape)]
    for _ in range((end + bench.clock) // bench.timing.scrape // moments + 1):
        history += [bench.stretch(bench.timing.scrape, Decimal(1)), bench.stretch(bench.timing.scrape * (moments - 1))]
    yield bench.told(title, history, bench.quiet(bench.on_clock(end), meaning))


def _bad_moments(bench: Bench) -> int | None:
    """Every how many scrapes a moment is bad at 0.8 of the threshold; None where not even one may be.

    Off the beat of the clock: windows that touch there would both count it.
    """
    ratio, scrape = bench.tier.threshold(bench.slo) * QUIET_FACTOR, bench.timing.scrape
    allowed = int(ratio * (bench.tier.long // scrape))
    if bench.slo.by_slices or not allowed:
        return None
    beat = max(1, bench.clock // scrape)
    span = (bench.tier.long + bench.timing.base + bench.clock) // scrape
    return -(-span // allowed // beat) * beat


def _no_traffic(bench: Bench) -> Iterator[ProofCase]:
    if bench.recorded and bench.raw:
        return  # its windows would be fed, and absent because nobody feeds them
    end = bench.on_clock(bench.timing.base * 3)
    checks = [
        bench.quiet(end, "it fires without traffic"),
        *(_absent(bench, window, end) for window in (bench.tier.long, bench.tier.short)),
    ]
    still = replace(bench.stretch(end), events=Decimal(0))
    if bench.feed.counted or bench.recorded:
        yield bench.told("no traffic at all", [still], *checks)
    else:
        yield bench.case("nothing is measured", {}, *checks)


def _absent(bench: Bench, window: timedelta, at: timedelta) -> Check:
    shown = format_duration(window)
    meaning = f"its ratio over {shown} is there without traffic, as NaN or as a figure nobody measured"
    return Check(call("count", bench.ratio(window)), at, None, meaning)


def _no_errors_yet(bench: Bench) -> Iterator[ProofCase]:
    if bench.recorded and bench.raw:
        return  # its windows would be fed
    steady = _steady(bench)
    end = bench.on_clock(bench.timing.base * 3 + (timedelta() if steady else bench.tier.short) + _young(bench))
    checks = [bench.quiet(end, "it fires though there was never an error")]
    for window in (bench.tier.long, bench.tier.short) if steady else (bench.tier.short,):
        zero = call("count", bench.ratio(window)._binary("==", 0))
        meaning = f"its ratio over {format_duration(window)} is not zero while no error was ever counted"
        checks.append(Check(zero, end, 1, meaning))
    yield bench.told("no errors yet", [bench.stretch(end)], *checks, without_errors=True)


def _restart(bench: Bench) -> Iterator[ProofCase]:
    """Counters fall to zero once while all is well, and once more in the middle of a fault."""
    if not bench.feed.counted:
        return
    half, age = _ages(bench)
    late = bench.scrapes(bench.young_crossing(age) + bench.tier.hold + bench.delay)
    quiet, ends = bench.before(half, half + late), bench.scrapes(late / 2)
    history = [
        bench.stretch(quiet),
        replace(bench.stretch(half), restarted=True),
        bench.stretch(ends, bench.fault),
        replace(bench.stretch(late - ends + bench.clock, bench.fault), restarted=True),
    ]
    yield bench.told(
        "counters restart",
        history,
        bench.quiet(quiet + bench.timing.scrape + bench.clock, "it fires because counters began again from zero"),
        bench.quiet(quiet + half, "it fires because counters began again from zero"),
        bench.fires(quiet + half + late, f"it is silent {format_duration(late)} into a fault with a restart in it"),
    )


def _born_later(bench: Bench) -> Iterator[ProofCase]:
    if isinstance(bench.feed, RecordedFeed) or not bench.feed.bears:
        return
    half, age = _ages(bench)
    late = bench.scrapes(bench.young_crossing(age) + bench.tier.hold + bench.delay) + bench.timing.scrape
    quiet = bench.before(half * 2, late)
    fault = bench.stretch(late + bench.clock, bench.fault)
    yield bench.case(
        "a new error series is born",
        bench.feed.born_later([bench.stretch(quiet)], [fault]),
        bench.quiet(quiet, "it fires before there is any error"),
        bench.fires(quiet + late, f"it is silent {format_duration(late)} after a new error series was born"),
    )


def _missing_scrapes(bench: Bench) -> Iterator[ProofCase]:
    """Scrapes go missing just under the threshold, and again at the start of a fault."""
    if bench.recorded:
        return
    half, age = _ages(bench)
    under = bench.tier.threshold(bench.slo) * QUIET_FACTOR if bench.fine else Decimal(0)
    for count in GAPS:
        gap = bench.timing.scrape * count
        late = bench.scrapes(bench.young_crossing(age) + bench.tier.hold + bench.delay) + gap
        quiet = bench.before(half, gap + half + late)
        history = [
            bench.stretch(quiet, under),
            replace(bench.stretch(gap, under), missing=True),
            bench.stretch(half, under),
            replace(bench.stretch(gap, bench.fault), missing=True),
            bench.stretch(late - gap + bench.clock, bench.fault),
        ]
        start = quiet + gap + half
        scrapes = "a missing scrape" if count == 1 else f"{count} missing scrapes"
        yield bench.told(
            f"{scrapes}",
            history,
            bench.quiet(quiet + gap + bench.clock, f"it fires under its threshold after {scrapes}"),
            bench.quiet(start, f"it fires under its threshold after {scrapes}"),
            bench.fires(start + late, f"it is silent {format_duration(late)} into a fault that began with {scrapes}"),
        )


def _trough(bench: Bench) -> Iterator[ProofCase]:
    """A fault at the trough of traffic: most of the minutes, hardly any of the events."""
    if not bench.fine or (bench.recorded and bench.raw):
        return  # moments know no trough, and fed windows are weighed already
    share = min(float(2 * bench.tier.threshold(bench.slo) / bench.fault), 0.95)
    whole = min(bench.tier.short / share + bench.timing.base * 2, bench.tier.long * 0.9)
    trough = bench.scrapes(max(whole * share, bench.tier.short + bench.timing.base))
    clock = bench.coarse_clock
    busy = bench.before(max(whole - trough, bench.timing.base * 2), trough, clock)
    history = [bench.stretch(busy), bench.stretch(trough + clock, bench.fault, TROUGH)]
    meaning = "it fires for a fault that hit hardly any events: it weighs minutes, not events"
    yield bench.told(
        "a fault at the trough of traffic",
        history,
        bench.quiet(busy + trough, meaning),
        clock=clock,
    )


def _steady(bench: Bench) -> bool:
    """False where a young counter's rate is low and that is bad, as for a throughput."""
    return bench.feed.bears or bench.recorded


def _young(bench: Bench) -> timedelta:
    """How long an alert that fired in the first minutes of such a counter goes on firing."""
    return timedelta() if _steady(bench) else bench.tier.keep_firing_for


def _ages(bench: Bench) -> tuple[timedelta, timedelta]:
    """Half of a history that fills the short window twice, and the whole: robustness needs no full long window."""
    half = bench.scrapes(bench.tier.short + bench.timing.base + _young(bench))
    return half, half * 2 + bench.clock + bench.timing.scrape * (max(GAPS) + 1)


def percent(ratio: Decimal) -> str:
    """A ratio of 1 as per cent, without trailing zeros."""
    text = f"{ratio * 100:f}"
    return f"{text.rstrip('0').rstrip('.') if '.' in text else text} %"


CASES: dict[str, Callable[[Bench], Iterator[ProofCase]]] = {
    "fires and clears in time": _fires_and_clears,
    "quiet at 0.8 of its threshold": _under_threshold,
    "no traffic at all": _no_traffic,
    "no errors yet": _no_errors_yet,
    "counters restart": _restart,
    "a new error series is born": _born_later,
    "missing scrapes": _missing_scrapes,
    "a fault at the trough of traffic": _trough,
    "its limits": condition_cases,
    "few bad events on a quiet service": floor_cases,
    "a burn that costs too little": gate_cases,
    "slices at their limit": slice_cases,
    "what is judged stays bad or good": steady_cases,
}
