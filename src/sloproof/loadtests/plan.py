"""What the generator process is told: a profile made concrete, in plain seconds, as JSON."""

import math
from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Self

from pydantic import BaseModel

from sloproof.loadtests.arrivals import Schedule
from sloproof.loadtests.distribution import Distribution
from sloproof.loadtests.doubts import told
from sloproof.loadtests.generator import generator_health
from sloproof.loadtests.phases import Span
from sloproof.loadtests.profile import LoadProfile
from sloproof.loadtests.result import MOST_NAMES, OTHER_NAMES, LoadResult, RunTotals
from sloproof.loadtests.second import Second
from sloproof.loadtests.user_stages import UserStretch, stretches

MOST_USERS = 10_000
"""At once in one generator process; beyond, its memory and its one core are the limit."""
MOST_ARRIVALS = 100_000
"""In a second for one generator process; beyond, they would only pile up in its memory."""
STOP_DRAIN = 3.0
"""Seconds that requests in flight may take to finish when a run is stopped early."""


class LoadPlan(BaseModel):
    """One run of one profile against one target; lengths in seconds, rates per second.

    Args:
        profile: the profile's name.
        system: the system it loads.
        locustfile: relative to the workspace's loadtests/ folder.
        digest: of the locustfile's text, see `load_files.digest`; empty where nobody read it.
        target: URL without a trailing slash; empty for the `host` of the locustfile's users.
        allowed: targets beyond loopback that requests may go to.
        thresholds: seconds, each with an exact counter.
        users: the most at once.
        stages: how many at what time; empty where they just start and stay.
        spawn_rate: users started per second.
        asked_rate: requests per second of all users together; with a schedule, its mean.
        schedule: when tasks begin; None where users wait between tasks.
        duration: how long load is asked for; with a LoadTestShape of the locustfile's own, how long at most.
        longest: the duration where the locustfile brings such a shape; None for the same.
        warm_up: left out at evaluation.
        phases: seconds from the beginning that are told apart.
        request_timeout: default of every request.
        drain: how long requests in flight may take at the end.
        share: the part of the profile's full length that is run, ratio of 1.
        distribution: the processes that send; None where the one that counts sends, too.
    """

    profile: str
    system: str
    locustfile: str
    digest: str = ""
    target: str
    allowed: list[str]
    thresholds: list[Decimal]
    users: int
    stages: list[UserStretch] = []
    spawn_rate: float
    asked_rate: float | None
    schedule: Schedule | None = None
    duration: float
    longest: float | None = None
    warm_up: float
    phases: list[Span] = []
    request_timeout: float
    drain: float
    share: Decimal = Decimal(1)
    distribution: Distribution | None = None

    @classmethod
    def of(
        cls,
        profile: LoadProfile,
        *,
        target: str,
        thresholds: Sequence[Decimal],
        allowed: Sequence[str],
        longest: timedelta | None = None,
        distribution: Distribution | None = None,
        minutes: Sequence[Decimal] = (),
        digest: str = "",
    ) -> Self:
        """The plan of a profile against a target; `minutes` are the requests of each minute of its trace.

        Raises:
            ValueError: as `Arrivals.stretches`.
        """
        schedule = None
        if profile.arrivals is not None:
            schedule = Schedule.of(profile.arrivals, profile.duration, minutes, profile.share)
        rate = float(profile.rate) if profile.rate is not None else schedule.mean_rate if schedule else None
        return cls(
            profile=profile.name,
            system=profile.system,
            locustfile=profile.locustfile,
            digest=digest,
            target=target.rstrip("/"),
            allowed=list(allowed),
            thresholds=sorted({*thresholds, *(p.threshold for p in profile.expect if p.threshold is not None)}),
            users=profile.most_users,
            stages=stretches(profile.users, profile.stages, profile.duration) if profile.stages else [],
            spawn_rate=profile.spawned_per_second,
            asked_rate=rate,
            schedule=schedule,
            duration=profile.duration.total_seconds(),
            longest=None if longest is None else longest.total_seconds(),
            warm_up=profile.warm_up.total_seconds(),
            phases=profile.phases,
            request_timeout=profile.request_timeout.total_seconds(),
            drain=profile.drain.total_seconds(),
            share=profile.share,
            distribution=distribution,
        )

    @property
    def environment(self) -> dict[str, str]:
        """Variables that tell the locustfile how its users keep to this plan."""
        pace = {} if self.schedule or not self.asked_rate else {"SLOPROOF_PACE": f"{self.users / self.asked_rate:.6f}"}
        return {**pace, "SLOPROOF_REQUEST_TIMEOUT": f"{self.request_timeout:g}"}

    @property
    def processes_needed(self) -> int:
        """How many generator processes this takes at least."""
        fastest = max((max(s.first, s.last) for s in self.schedule.stretches), default=0) if self.schedule else 0
        return max(1, math.ceil(self.users / MOST_USERS), math.ceil(fastest / MOST_ARRIVALS))

    def result(self, seconds: list[Second], *, started_at: float, drained_from: float, ended_at: float) -> LoadResult:
        """The result of this plan from its seconds and its times (epoch seconds), before what only the end knows."""
        shortened = [] if self.share == 1 else [f"run in {(self.share * 100).normalize():f} % of the profile's length"]
        return LoadResult(
            notes=shortened,
            profile=self.profile,
            system=self.system,
            target=self.target,
            locustfile=self.locustfile,
            users=max((second.users_asked or 0 for second in seconds), default=0) or self.users,
            asked_rate=self.asked_rate,
            warm_up=self.warm_up,
            started_at=started_at,
            drained_from=drained_from,
            ended_at=ended_at,
            seconds=seconds,
            generator=generator_health(
                seconds, users=self.users, asked_rate=self.asked_rate, drained_from=drained_from
            ),
        )

    def finished(
        self,
        seconds: list[Second],
        totals: RunTotals,
        *,
        started_at: float,
        drained_from: float,
        ended_at: float,
        whole: bool = False,
    ) -> LoadResult:
        """The result of a run that came to its end, early or not.

        Args:
            seconds: every second that was recorded.
            totals: with everything still in flight cut off.
            started_at: epoch second of the first user.
            drained_from: epoch second from which no more load was asked for.
            ended_at: epoch second at which the drain was over.
            whole: the load ended by itself, however long it lasted.

        Returns:
            The result; partial when load was asked for less long than planned.
        """
        result = self.result(seconds, started_at=started_at, drained_from=drained_from, ended_at=ended_at)
        result = result.model_copy(update={name: getattr(totals, name) for name in RunTotals.model_fields})
        result.in_flight_at_end = len(totals.censored)
        result.notes += told(result)
        if OTHER_NAMES in totals.by_name:
            result.notes.append(f"names of requests beyond the first {MOST_NAMES} are summed under `{OTHER_NAMES}`")
        result.partial = not whole and drained_from - started_at < self.duration
        if result.partial:
            result.notes.append(
                f"stopped after {drained_from - started_at:.1f} s of {self.duration:g} s: this result is partial"
            )
        return result

    def interrupted(self, seconds: list[Second], reason: str, now: float) -> LoadResult:
        """The result of a run whose generator died: all that its seconds still tell.

        Args:
            seconds: those it wrote; maybe none.
            reason: how it died, in words.
            now: epoch second; stands for the run's times when there are no seconds.

        Returns:
            A partial result; requests started but never completed count as in flight.
        """
        started_at, ended_at = (seconds[0].at, seconds[-1].at + 1) if seconds else (now, now)
        result = self.result(seconds, started_at=started_at, drained_from=ended_at, ended_at=ended_at)
        result.partial = True
        result.in_flight_at_end = max(0, result.started - result.completed)
        result.notes.append(f"{reason}: this result is partial")
        return result
