"""A run laid beside an earlier one: whether the two may be compared, and how the later one differs."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from math import ceil
from typing import Any
from urllib.parse import urlsplit

from sloproof.chaos.expecting import Finding
from sloproof.errors import UsageError
from sloproof.history.past_run import LAB, PastRun, Windows
from sloproof.history.store import History
from sloproof.loadtests import histogram
from sloproof.loadtests.baseline import Baseline
from sloproof.targets import is_loopback
from sloproof.verdict.comparison import (
    AMOUNT,
    FEWEST_WINDOWS,
    NOTHING_TO_COMPARE_WITH,
    Comparison,
    compare,
    compare_failures,
)
from sloproof.verdict.evidence import LOAD_GENERATOR, Counts, Evidence
from sloproof.verdict.judge import Verdict
from sloproof.verdict.wording import percent

PERCENTILES = (Decimal(50), Decimal(95), Decimal(99))
BEYOND = 2
"""A window holds on average so many requests slower than its quantile, or it is made longer while enough are left."""
MOST_FAILURES = 0.01
"""Failing is fast: past this share of failures, a latency that did not grow says nothing."""
NO_COMPARISON = "no comparison"
_LONG = 40
_TEXT = "digest"
"""Of the locustfile; runs of earlier versions have none."""


@dataclass(frozen=True)
class Against:
    """An earlier run, and how a later one differs from it.

    Args:
        earlier: the run that was compared with; None where there is none.
        comparisons: each figure; at least one sentence where something was asked for.
    """

    earlier: PastRun | None
    comparisons: tuple[Comparison, ...]

    @property
    def title(self) -> str:
        """What it was compared with, in words."""
        if self.earlier is None:
            return "Compared with an earlier run"
        when = datetime.fromtimestamp(self.earlier.started_at, UTC).strftime("%Y-%m-%d %H:%M UTC")
        release = f", release {self.earlier.release}" if self.earlier.release else ""
        return f"Compared with run {self.earlier.id} ({when}{release})"


def earlier_run(history: History, wanted: str, *, name: str, system: str) -> PastRun | None:
    """The load run that `--against` names.

    Args:
        history: past runs.
        wanted: `baseline`, `last` or a run's number.
        name: the profile's name.
        system: the system under test.

    Returns:
        The run; None where none is pinned or none was recorded.

    Raises:
        UsageError: it is none of the three, or there is no run of that number.
    """
    if wanted == "baseline":
        return history.baseline(name, system)
    if wanted == "last":
        return history.latest("load", name, system)
    if not wanted.isdecimal():
        raise UsageError(f"`{wanted}` is no earlier run", hint="give `baseline`, `last` or a run's number")
    return history.run(int(wanted))


def lay_beside(
    run: PastRun,
    windows: Windows | None,
    earlier: tuple[PastRun, Windows | None] | None,
    *,
    limits: Baseline | None,
    asked: bool,
) -> Against:
    """Compare a run with an earlier one.

    Args:
        run: the later run.
        windows: its windows.
        earlier: the other run and its windows; None where there is none.
        limits: what it may not be worse by.
        asked: whether somebody asked for this comparison: then it is undecided where it cannot be made.

    Returns:
        Every figure's change. Figures with a limit have a verdict, the others only tell.
    """
    decides = asked or limits is not None
    if earlier is None:
        nothing = Comparison.impossible("the earlier run", NOTHING_TO_COMPARE_WITH, decides=decides)
        return Against(None, (nothing,))
    other, others = earlier
    differ = list(_differences(other, run))
    if differ or windows is None or others is None:
        why = "; ".join(differ) or "a run without a load of its own has no windows"
        reason = f"run {other.id} is no measure for this one: {why}"
        return Against(other, (Comparison.impossible("the earlier run", reason, decides=decides),))
    return Against(other, tuple(_comparisons(others, windows, limits, closed=not run.load.get("schedule"))))


def unreadable(trouble: str) -> Against:
    """A comparison that was wanted, and a history that could not be read.

    Args:
        trouble: why not.
    """
    return Against(None, (Comparison.impossible("the earlier run", trouble),))


def findings(found: Against) -> list[Finding]:
    """What was expected of a comparison, and what was seen: those that decide something.

    Args:
        found: a run beside an earlier one.
    """
    earlier = "an earlier run" if found.earlier is None else f"run {found.earlier.id}"
    return [Finding(_expected(one, earlier), *_seen(one)) for one in found.comparisons if one.decides]


def _expected(comparison: Comparison, earlier: str) -> str:
    if comparison.tolerance is None:
        return f"this run can be compared with {earlier}"
    if comparison.figure == "failures":
        return f"at most {percent(comparison.tolerance)} more of the requests fail than in {earlier}"
    return f"{comparison.figure} is at most {percent(comparison.tolerance)} slower than in {earlier}"


def _seen(comparison: Comparison) -> tuple[str, Verdict, str]:
    if comparison.before is None or comparison.after is None:
        return NO_COMPARISON, comparison.verdict, comparison.reason
    if comparison.figure == "failures":
        seen = f"{percent(comparison.before)} then, {percent(comparison.after)} now"
    else:
        seen = f"{comparison.before * 1000:.0f} ms then, {comparison.after * 1000:.0f} ms now"
    return seen, comparison.verdict, comparison.reason


def beside_baseline(history: History, number: int, limits: Baseline) -> tuple[Comparison, ...]:
    """A run of the history beside the pinned one of its name.

    Args:
        history: past runs.
        number: of the later run.
        limits: what it may not be worse by.

    Returns:
        A comparison for each limit, or one that says why there is none.

    Raises:
        UsageError: there is no such run.
        PartFailed: the history cannot be read.
    """
    run = history.run(number)
    pinned = history.baseline(run.name, run.system)
    pair = (pinned, history.windows(pinned.id)) if pinned is not None else None
    found = lay_beside(run, history.windows(number), pair, limits=limits, asked=True)
    return tuple(one for one in found.comparisons if one.decides)


def _differences(earlier: PastRun, run: PastRun) -> Iterator[str]:
    """What was asked of the one and not of the other, in words."""
    if earlier.id and earlier.id == run.id:
        yield "it is this very run, so it proves nothing of a change"
    for what in ("kind", "name", "system", "environment"):
        then, now = getattr(earlier, what), getattr(run, what)
        if then != now:
            yield f"its {what} was `{then}`, now `{now}`"
    if earlier.environment == run.environment and _place(earlier) != _place(run):
        yield f"its target was `{earlier.target}`, now `{run.target}`"
    if not earlier.load or not run.load:
        yield "what load was asked for is not known of both"
        return
    for key in sorted({*earlier.load, *run.load} - {"profile", "system"}):
        then, now = earlier.load.get(key), run.load.get(key)
        if then != now and not (key == _TEXT and then is None):
            yield _difference(key, then, now)
    for which, one in (("it", earlier), ("this run", run)):
        if one.partial:
            yield f"{which} ended before its time"
        yield from (f"{which} is in doubt, for {why}" for why in one.unfit)


def _difference(key: str, then: Any, now: Any) -> str:
    if key == _TEXT:
        return "the text of its locustfile was another"
    named = f"`{key.replace('_', ' ')}`"
    if len(str(then)) > _LONG or len(str(now)) > _LONG:
        return f"{named} is not the same"
    return f"{named} was `{then}`, now `{now}`"


def _place(run: PastRun) -> str:
    """Where a run's target is; a lab on this machine takes another free port each time."""
    parts = urlsplit(run.target)
    if run.environment == LAB and parts.hostname and is_loopback(parts.hostname):
        return LAB
    return f"{parts.scheme}://{parts.netloc}"


def _comparisons(before: Windows, after: Windows, limits: Baseline | None, *, closed: bool) -> Iterator[Comparison]:
    percentiles = sorted({*PERCENTILES, *([limits.percentile] if limits and limits.no_slower_than is not None else [])})
    for percentile in percentiles:
        held = limits is not None and limits.no_slower_than is not None and percentile == limits.percentile
        limit = float(limits.no_slower_than) if held and limits and limits.no_slower_than is not None else None
        yield _latency(before, after, percentile, limit)
    allowed = limits.failures_within if limits else None
    yield _failures(before, after, None if allowed is None else float(allowed))
    if closed:  # by the clock, as many are asked for whatever the target does
        rates = [[count / each.length for count in each.completed[: each.asked]] for each in (before, after)]
        yield compare("requests per second", *rates, tolerance=None, words=AMOUNT)


def _latency(before: Windows, after: Windows, percentile: Decimal, limit: float | None) -> Comparison:
    figure, q = f"p{percentile.normalize():f}", float(percentile / 100)
    most = min(len(one.completed) for one in (before, after)) // FEWEST_WINDOWS
    wider = max(1, min(most, max(_needed(one, q) for one in (before, after))))
    found = compare(figure, *(_quantiles(one.widened(wider), q) for one in (before, after)), tolerance=limit)
    unreliable = [share for share in map(_failing, (before, after)) if share > MOST_FAILURES]
    if found.verdict is not Verdict.PASS or not unreliable:
        return found
    doubt = f"{percent(max(unreliable))} of the requests of a run failed or were never answered, which is no speed"
    return found.model_copy(update={"verdict": Verdict.UNDECIDED, "reason": f"{found.reason}; {doubt}"})


def _needed(windows: Windows, q: float) -> int:
    """How many windows make one with enough requests beyond its quantile."""
    mean = sum(windows.completed) / max(len(windows.completed), 1)
    return max(1, ceil(BEYOND / (1 - q) / mean)) if mean else 1


def _quantiles(windows: Windows, q: float) -> list[float]:
    found = (histogram.quantile(one, q) for one in windows.latency)
    return [value for value in found if value is not None]


def _failing(windows: Windows) -> float:
    total = sum(windows.completed) + windows.open
    return (sum(windows.failed) + windows.open) / total if total else 1.0


def _failures(before: Windows, after: Windows, limit: float | None) -> Comparison:
    pair: Sequence[Windows] = (before, after)
    if not all(sum(one.completed) + one.open for one in pair):
        return Comparison.impossible("failures", "no requests were counted", tolerance=limit, decides=limit is not None)
    return compare_failures(_evidence(before), _evidence(after), tolerance=limit)


def _evidence(windows: Windows) -> Evidence:
    return Evidence(
        slo="failures",
        objective=Decimal(0),
        counts=Counts(
            source=LOAD_GENERATOR,
            total=sum(windows.completed) + windows.open,
            bad=sum(windows.failed),
            censored=windows.open,
        ),
        batches=tuple(zip(windows.failed, windows.completed, strict=True)),
    )
