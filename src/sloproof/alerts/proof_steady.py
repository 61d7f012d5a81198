"""The raw part of an objective whose timing is proven from recorded series: what is judged stays bad, or good.

A gauge that is computed over a window turns bad some time after what it reads; when, only its author knows. What
can be said without that: while it is bad the alert fires, and while it is good the error ratio is zero.
"""

from collections.abc import Iterator
from decimal import Decimal

from sloproof import names
from sloproof.alerts.input_series import Feeding, NoInputSeries, input_series
from sloproof.alerts.proof import Check, ProofCase
from sloproof.alerts.proof_bench import Bench
from sloproof.alerts.proof_feed import group_labels, seconds
from sloproof.alerts.proof_recorded import reads_windows
from sloproof.alerts.recording import recorded
from sloproof.promql import Expression, call, equals


def steady_cases(bench: Bench) -> Iterator[ProofCase]:
    """Nothing for an objective that was fed raw series, or that judges no expression."""
    judged = bench.slo.sli.judged()
    if judged is None or not bench.recorded:
        return
    try:
        well, badly = (input_series(judged.expression, value) for value in (judged.good, judged.bad))
    except NoInputSeries:
        return  # the plan's note says why
    reach = bench.scrapes(max(well.reach, badly.reach))
    at = bench.on_clock(reach + bench.timing.base * 2 + bench.tier.hold + bench.delay)
    count = at // bench.timing.scrape + 1
    fires = bench.fires(at, "it is silent while what is judged stays bad")
    yield bench.case("what is judged stays bad", _series(bench, badly, count), fires)
    zero = Check(
        call("count", _bad_by_now(bench)._binary("==", 0)),
        at,
        1,
        "it records errors while what is judged stays good",
    )
    quiet = bench.quiet(at, "it fires while what is judged stays good")
    yield bench.case("what is judged stays good", _series(bench, well, count), quiet, zero)


def _bad_by_now(bench: Bench) -> Expression:
    """The shortest figure of the pair: in its first minutes a counter is read as too slow, and a throughput is bad."""
    if reads_windows(bench.slo, bench.tier):
        return bench.ratio(bench.tier.short)
    return recorded(names.errors(bench.timing.base), bench.slo, bench.timing)


def _series(bench: Bench, feeding: Feeding, count: int) -> dict[str, str]:
    found, step = {}, seconds(bench.timing.scrape)
    for one in feeding.series:
        known = {matcher.label for matcher in one.series.matchers}
        group = [equals(label, value) for label, value in group_labels(bench.slo).items() if label not in known]
        growth = one.course.slope * step
        sign = "-" if growth < 0 else "+"
        found[str(one.series.matching(*group))] = f"{_plain(one.course.start)}{sign}{_plain(abs(growth))}x{count}"
    return found


def _plain(number: Decimal) -> str:
    text = f"{Decimal(f'{number:.12g}'):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
