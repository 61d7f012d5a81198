"""Runs a capacity search: each step is a load of its own, so that none inherits the queue of the one before."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

from sloproof.errors import UsageError
from sloproof.loadtests.arrivals import Arrivals
from sloproof.loadtests.capacity import Ask, Capacity, Limits, Step, concluded, next_step
from sloproof.loadtests.capacity_step import judge_step, least_rate, most_at_once
from sloproof.loadtests.distribution import Distribution
from sloproof.loadtests.early_stop import StopWatch, Watched
from sloproof.loadtests.load_files import write_atomically
from sloproof.loadtests.locust_process import LoadProcess
from sloproof.loadtests.profile import LoadProfile
from sloproof.loadtests.progress import Progress
from sloproof.loadtests.result import LoadResult
from sloproof.slo import SLO

SHORTEST = timedelta(seconds=10)
"""A shorter step does not show whether bad events come in clusters."""
TIME_TO_RECOVER = 60.0
"""Seconds that an overloaded target gets to answer a quiet load well again."""
_QUIET = Decimal(1)
_QUIET_FOR = 5.0
_POLL = 0.25
_WARM_UP_SHARE = 4
_SHORTEST_WARM_UP = timedelta(seconds=2)


@dataclass(frozen=True)
class Site:
    """Where a search happens.

    Args:
        workspace: the folder that holds `loadtests/`.
        target: URL of the system.
        run_folder: a new folder; each step has one of its own in it.
        environment: variables for the locustfile.
        allowed: targets beyond loopback.
    """

    workspace: Path
    target: str
    run_folder: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    allowed: Sequence[str] = ()


class CapacitySearch:
    """One search.

    Args:
        profile: whose locustfile, time-outs and spacing of arrivals are used; how many users it has and for how long
            does not matter.
        limits: where to look.
        slos: the objectives that must hold, beside what the profile promises.
        step: how long each rate is measured, after a warm-up of a quarter of it.
        site: where it happens.
        watch: told how the load stands, several times a second.
        tell: told each step when it is over.
    """

    def __init__(
        self,
        profile: LoadProfile,
        limits: Limits,
        slos: Sequence[SLO],
        *,
        step: timedelta,
        site: Site,
        watch: Callable[[Progress | None], None] = lambda _: None,
        tell: Callable[[Step], None] = lambda _: None,
    ) -> None:
        if step < SHORTEST:
            raise UsageError(
                f"steps of `{step.total_seconds():g}s` show nothing of how bad requests cluster",
                hint=f"give at least `{SHORTEST.total_seconds():g}s`",
            )
        watched = [Watched.of(one) for one in (*(slo for slo in slos if slo.sli.seen_by_clients), *profile.expect)]
        if not watched:
            raise UsageError(
                f"`{profile.system}` has no objective that a load generator can see",
                hint="define one of failed or slow answers, as `ErrorRatio` or `LatencyBelow`",
            )
        least = least_rate(watched, step.total_seconds())
        self._limits = limits.checked().model_copy(update={"least": least})
        self._profile, self._watched = profile, watched
        self._step, self._site, self._watch, self._tell = step, site, watch, tell
        self._runs = 0

    def run(self) -> Capacity:
        """Try rates until the bounds are close, or nothing more can be learned.

        Returns:
            What was found, also written to `capacity.json` of the run's folder after each step.

        Raises:
            Refused: the target is not allowed; nothing was sent.
            PartFailed: the load generator cannot work.
        """
        steps: list[Step] = []
        notes: list[str] = []
        while not notes and (ask := next_step(steps, self._limits)) is not None:
            load = self._load(self._profile_of(ask), early=True)
            steps.append(judge_step(ask.rate, load, self._watched))
            self._tell(steps[-1])
            self._keep(self._described(concluded(steps, self._limits)))
            if _unanswered(load) and next_step(steps, self._limits) is not None and not self._recovered():
                notes.append(
                    f"the target did not recover within {TIME_TO_RECOVER:g} s of {ask.rate:f}/s: the search ended there"
                )
        return self._keep(self._described(concluded(steps, self._limits, notes)))

    def _described(self, found: Capacity) -> Capacity:
        return found.model_copy(
            update={
                "profile": self._profile.name,
                "system": self._profile.system,
                "target": self._site.target,
                "objectives": [one.name for one in self._watched],
            }
        )

    def _keep(self, found: Capacity) -> Capacity:
        write_atomically(self._site.run_folder / "capacity.json", found.model_dump_json(by_alias=True, indent=2))
        return found

    def _profile_of(self, ask: Ask) -> LoadProfile:
        measured = self._step * ask.longer
        warm_up = max(self._step / _WARM_UP_SHARE, _SHORTEST_WARM_UP)
        return self._by_the_clock(ask.rate, measured + warm_up, warm_up)

    def _by_the_clock(self, rate: Decimal, duration: timedelta, warm_up: timedelta) -> LoadProfile:
        spaced, timeout = self._profile.arrivals or Arrivals(rate=rate), self._profile.request_timeout
        return self._profile.model_copy(
            update={
                "users": most_at_once(rate, self._watched),
                "stages": (),
                "spawn_rate": None,
                "rate": None,
                "arrivals": Arrivals(rate=rate, spacing=spaced.spacing, seed=spaced.seed),
                "duration": duration,
                "warm_up": warm_up,
                "drain": max(self._profile.drain, timeout),  # each request gets its answer, or its time-out
                "share": Decimal(1),
            }
        )

    def _load(self, profile: LoadProfile, *, early: bool) -> LoadResult:
        self._runs += 1
        site = self._site
        rate = profile.arrivals.rate if profile.arrivals else _QUIET
        with LoadProcess.start(
            profile,
            workspace=site.workspace,
            target=site.target,
            run_folder=site.run_folder / f"{self._runs:02}-{rate:f}",
            thresholds=[one.threshold for one in self._watched if one.threshold is not None],
            environment=site.environment,
            allowed=site.allowed,
            distribution=Distribution.here(profile.processes),
        ) as load:
            stop = StopWatch(self._watched) if early else None
            while load.running and not load.gave_up(stop):
                self._watch(load.progress())
                time.sleep(_POLL)
            return load.wait()

    def _recovered(self) -> bool:
        """Whether a quiet load is answered well again: what was given up by us may still be worked on by the target."""
        rate = min(_QUIET, self._limits.first)
        quiet = self._by_the_clock(rate, timedelta(seconds=max(_QUIET_FOR, 3 / float(rate))), timedelta())
        until = time.monotonic() + TIME_TO_RECOVER
        while time.monotonic() < until:
            load = self._load(quiet, early=False)
            slow = [load.slower_than(limit) for limit in load.thresholds]
            if load.completed and not (load.failed or load.in_flight_at_end or any(slow)):
                return True
        return False


def _unanswered(load: LoadResult) -> bool:
    return load.in_flight_at_end > 0 or any(load.errors.get(kind) for kind in ("timeout", "connection"))
