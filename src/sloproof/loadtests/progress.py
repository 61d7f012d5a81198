"""How a load run stands, from its latest seconds."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from sloproof.loadtests import histogram
from sloproof.loadtests.outcome import FAILURES
from sloproof.loadtests.plan import LoadPlan
from sloproof.loadtests.second import Second

RECENT = 5
"""Seconds that the rate and the quantiles of a progress look back."""


@dataclass(frozen=True, kw_only=True)
class Progress:
    """A snapshot of a running load.

    Args:
        profile: the profile's name.
        elapsed: seconds since the first user.
        left: seconds until no more load is asked for.
        asked_rate: requests per second asked for, None without; by the clock, those of the last second.
        achieved_rate: requests per second completed lately.
        completed: requests so far.
        failed: those of them that broke a promise: 5xx, connection, time-out, other.
        users: users that run now.
        in_flight: requests in flight.
        lost: generator processes that went missing.
        p50: median latency of the last seconds, in seconds; None without requests.
        p95: as `p50`.
        p99: as `p50`.
    """

    profile: str
    elapsed: float
    left: float
    asked_rate: float | None
    achieved_rate: float
    completed: int
    failed: int
    users: int
    in_flight: int
    p50: float | None
    p95: float | None
    p99: float | None
    lost: int = 0


@dataclass
class Tracker:
    """Sums the seconds of a run as they come in.

    Args:
        plan: what the run was to do.
        seconds: all of them, in order.
        first: the first of them.
        completed: requests that ended.
        failed: those of them that broke a promise.
        recent: the last few seconds.
        first_asked: epoch second from which tasks begin by the clock; None while users still start.
    """

    plan: LoadPlan
    seconds: list[Second] = field(default_factory=list)
    first: Second | None = None
    completed: int = 0
    failed: int = 0
    recent: tuple[Second, ...] = ()
    first_asked: float | None = None

    def add(self, seconds: Sequence[Second]) -> None:
        """Take in the seconds that are new."""
        self.seconds.extend(seconds)
        for second in seconds:
            self.first = self.first or second
            if self.first_asked is None and second.asked:
                self.first_asked = second.at
            self.completed += second.completed
            self.failed += sum(count for kind, count in second.errors.items() if kind in FAILURES)
            self.recent = (*self.recent, second)[-RECENT:]

    def progress(self, now: float) -> Progress | None:
        """How the run stands at epoch second `now`; None before its first second is over."""
        if self.first is None:
            return None
        begun = self.first.at if self.plan.schedule is None else now if self.first_asked is None else self.first_asked
        elapsed = min(max(0.0, now - begun), self.plan.duration)
        latency = histogram.merged(second.latency for second in self.recent)
        return Progress(
            profile=self.plan.profile,
            elapsed=elapsed,
            left=self.plan.duration - elapsed,
            asked_rate=self.plan.asked_rate if self.recent[-1].asked is None else self.recent[-1].asked,
            achieved_rate=sum(second.completed for second in self.recent) / len(self.recent),
            completed=self.completed,
            failed=self.failed,
            users=self.recent[-1].users,
            in_flight=self.recent[-1].in_flight,
            lost=self.recent[-1].lost,
            p50=histogram.quantile(latency, 0.50),
            p95=histogram.quantile(latency, 0.95),
            p99=histogram.quantile(latency, 0.99),
        )
