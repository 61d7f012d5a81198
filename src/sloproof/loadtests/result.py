"""What a load run found: plain values with a JSON form, cut and summed by pure functions."""

import math
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field

from sloproof.loadtests import histogram, phases
from sloproof.loadtests.generator import GeneratorHealth, generator_health
from sloproof.loadtests.outcome import FAILURES
from sloproof.loadtests.phases import PhaseTotals
from sloproof.loadtests.second import Second
from sloproof.loadtests.traced_request import TracedRequest, first_failed_of, slowest_of

__all__ = ["Censored", "GeneratorHealth", "LoadResult", "NameTotals", "RunTotals", "Second"]

MOST_NAMES = 500
"""Different names of requests that have totals of their own: a locustfile that puts ids into them has millions."""
OTHER_NAMES = "(other)"
"""The name under which all further ones are summed."""


_STOOD_STILL = "stood still"


class EarlyMiss(BaseModel):
    """An objective, or a promise of the profile, that was missed beyond doubt while the load still ran.

    Args:
        objective: its identity, or the promise's sentence.
        budget: the share of requests that may be bad, ratio of 1.
        after: seconds that were evaluated until then.
        bad: bad events in them.
        total: all events in them.
        false_stops: the chance to call this a miss of a target that keeps its budget, ratio of 1, at most.
    """

    objective: str
    budget: float
    after: int
    bad: int
    total: int
    false_stops: float


class Censored(BaseModel):
    """A request that was still in flight when the drain was over: its latency is at least its age.

    Args:
        name: method and route.
        started_at: epoch second it was sent.
        age: seconds from then to the cut.
        trace_id: as `TracedRequest.trace_id`.
    """

    name: str
    started_at: float
    age: float
    trace_id: str = ""


class NameTotals(BaseModel):
    """All completed requests of one name.

    Args:
        completed: how many.
        errors: kind -> how many.
        latency: their histogram.
    """

    completed: int = 0
    errors: dict[str, int] = {}
    latency: dict[int, int] = {}

    def add(self, other: "NameTotals") -> None:
        """Count those of another process too."""
        self.completed += other.completed
        self.errors = summed((self.errors, other.errors))
        self.latency = histogram.merged((self.latency, other.latency))

    def quantile(self, q: float) -> float | None:
        """Latency in seconds that a share `q` of them does not exceed, within 1 %; None without requests."""
        return histogram.quantile(self.latency, q)


class RunTotals(BaseModel):
    """What one generator process, or several together, can only tell at the end of a run.

    Args:
        censored: requests in flight when the drain was over.
        by_name: method and route -> totals; at most `MOST_NAMES`, the rest under `OTHER_NAMES`.
        slowest: the slowest requests, the slowest first.
        failures: the first failed requests of each kind.
        exceptions: what the locustfile raised -> how often.
        uncounted: requests that were made and that nobody can count, since the locustfile never reported how they
            ended, or in a way that cannot be read.
        phases: the phases of the load, in order, with their own counts.
    """

    censored: list[Censored] = []
    by_name: dict[str, NameTotals] = {}
    phases: list[PhaseTotals] = []
    slowest: list[TracedRequest] = []
    failures: list[TracedRequest] = []
    exceptions: dict[str, int] = {}
    uncounted: int = 0

    @classmethod
    def merged(cls, several: Sequence["RunTotals"]) -> "RunTotals":
        """The totals of several processes together."""
        by_name: dict[str, NameTotals] = {}
        for totals in several:
            for name, named in totals.by_name.items():
                known = name in by_name or len(by_name) < MOST_NAMES
                kept = by_name.setdefault(name if known else OTHER_NAMES, NameTotals())
                kept.add(named)
        return cls(
            censored=[request for totals in several for request in totals.censored],
            by_name=by_name,
            slowest=slowest_of(request for totals in several for request in totals.slowest),
            failures=first_failed_of(request for totals in several for request in totals.failures),
            exceptions=summed(totals.exceptions for totals in several),
            uncounted=sum(totals.uncounted for totals in several),
            phases=phases.merged([totals.phases for totals in several]),
        )


class WorkerRecord(BaseModel):
    """How one generator process of several fared, while load was asked for.

    Args:
        number: from 1.
        name: how it calls itself; host name and a random number.
        completed: requests that it completed, to the end of the run.
        cpu_mean: processor use, share of one core.
        cpu_max: its busiest second, share of one core.
        lag_max: its worst scheduling lag, seconds.
        late: share of its time in which it ran more than 100 ms late, ratio of 1.
        lost_at: epoch second at which it went missing; None when it never did.
    """

    number: int
    name: str
    completed: int = 0
    cpu_mean: float = 0.0
    cpu_max: float = 0.0
    lag_max: float = 0.0
    late: float = 0.0
    lost_at: float | None = None


class LoadResult(BaseModel):
    """One load run, or a stretch of one.

    Args:
        profile: the profile's name.
        system: the system that was loaded.
        target: the URL that was loaded.
        locustfile: relative to the workspace's loadtests/ folder.
        users: users asked for, at once.
        asked_rate: requests per second asked for in total; None when users just wait between tasks.
        warm_up: seconds at the start that an evaluation leaves out.
        started_at: epoch second of the first user.
        drained_from: epoch second from which no more load was asked for.
        ended_at: epoch second at which the drain was over.
        seconds: the run, second by second.
        censored: requests in flight when the drain was over.
        in_flight_at_end: how many those are; more than are listed when the generator died.
        partial: the run did not last as long as it was to.
        missed_early: what was surely missed, for which the run was stopped; empty otherwise.
        generator: how the generator fared.
        by_name: method and route -> totals; empty where a stretch was cut out or the generator died.
        phases: the phases of the load with exact counts of what was due in each; empty as `by_name`.
        exceptions: what the locustfile raised -> how often.
        uncounted: requests that nobody can count, see `RunTotals`.
        slowest: the slowest requests after the warm-up, the slowest first.
        failures: the first failed requests of each kind after the warm-up.
        workers: the generator's processes; empty where there was one, which was no worker.
        notes: what a reader must know about this run, in words.
        locust_version: the engine's version.
    """

    model_config = ConfigDict(populate_by_name=True)

    version: Literal[1] = Field(default=1, alias="schema")
    profile: str
    system: str
    target: str
    locustfile: str
    users: int
    asked_rate: float | None
    warm_up: float = 0.0
    started_at: float
    drained_from: float
    ended_at: float
    seconds: list[Second]
    censored: list[Censored] = []
    in_flight_at_end: int = 0
    partial: bool = False
    missed_early: list[EarlyMiss] = []
    generator: GeneratorHealth = GeneratorHealth()
    by_name: dict[str, NameTotals] = {}
    phases: list[PhaseTotals] = []
    exceptions: dict[str, int] = {}
    uncounted: int = 0
    slowest: list[TracedRequest] = []
    failures: list[TracedRequest] = []
    workers: list[WorkerRecord] = []
    notes: list[str] = []
    locust_version: str = ""

    @property
    def started(self) -> int:
        """Requests sent."""
        return sum(second.started for second in self.seconds)

    @property
    def completed(self) -> int:
        """Requests that ended, well or badly."""
        return sum(second.completed for second in self.seconds)

    @property
    def errors(self) -> dict[str, int]:
        """Kind -> completed requests; answers such as 4xx and 429 included."""
        return summed(second.errors for second in self.seconds)

    @property
    def failed(self) -> int:
        """Requests that broke a promise: 5xx, connection, time-out, other; neither 4xx nor 429."""
        return sum(count for kind, count in self.errors.items() if kind in FAILURES)

    @property
    def served_by(self) -> dict[str, int]:
        """Instance -> completed requests that it answered."""
        return summed(second.served_by for second in self.seconds)

    @property
    def latency(self) -> histogram.Buckets:
        """Histogram of all completed requests."""
        return histogram.merged(second.latency for second in self.seconds)

    @property
    def thresholds(self) -> tuple[Decimal, ...]:
        """The latencies in seconds that have exact counters."""
        return tuple(sorted({Decimal(text) for second in self.seconds for text in second.slower}))

    def slower_than(self, threshold: Decimal) -> int:
        """Requests known to be slower than a threshold: completed ones, and censored ones already older.

        Args:
            threshold: seconds; one that the run was started with.

        Returns:
            The exact count.

        Raises:
            KeyError: the run kept no counter for this threshold.
        """
        return self._completed_slower(threshold) + self._censored_slower(threshold)

    def judged_against(self, threshold: Decimal) -> int:
        """Requests of which it is known whether they were slower than a threshold in seconds."""
        return self.completed + self._censored_slower(threshold)

    def quantile(self, q: float) -> float | None:
        """Latency in seconds that a share `q` of the requests does not exceed, within 1 %; None if unknown."""
        return histogram.quantile(self.latency, q, self.in_flight_at_end)

    def between(self, start: float, end: float) -> Self:
        """The stretch of this run from one time to another, by time of completion.

        Seconds are taken whole: each one whose beginning lies in [floor(start), floor(end)), and the last one
        too when `end` is not before the run's end. So neighbouring stretches share nothing and lose nothing.

        Args:
            start: epoch second.
            end: epoch second.

        Returns:
            A result of its own; requests in flight at the end belong to the stretch that reaches the end.
        """
        reaches_end = start < self.ended_at <= end
        stop = math.inf if reaches_end else math.floor(end)
        seconds = [second for second in self.seconds if math.floor(start) <= second.at < stop]
        if len(seconds) == len(self.seconds):
            return self
        return self.model_copy(
            update={
                "seconds": seconds,
                "started_at": max(start, self.started_at),
                "ended_at": min(end, self.ended_at),
                "warm_up": max(0.0, self.started_at + self.warm_up - max(start, self.started_at)),
                "censored": self.censored if reaches_end else [],
                "in_flight_at_end": self.in_flight_at_end if reaches_end else 0,
                "by_name": {},
                "phases": [],
                "generator": generator_health(
                    seconds, users=self.users, asked_rate=self.asked_rate, drained_from=self.drained_from
                ),
            }
        )

    def evaluated(self) -> Self:
        """This run without its warm-up."""
        return self.between(self.started_at + self.warm_up, self.ended_at) if self.warm_up else self

    def of_generator_that_stood_still(self, seconds: float) -> Self:
        """This run, of which its generator told nothing more for so many seconds: partial, and fit for no verdict."""
        if any(reason.startswith(_STOOD_STILL) for reason in self.generator.reasons):
            return self
        reason = f"{_STOOD_STILL} for {seconds:g} s: a task that never waits holds its only thread"
        health = self.generator.model_copy(
            update={"saturated": True, "reasons": [reason, *self.generator.reasons], "lag_max": seconds}
        )
        notes = [f"the load generator {reason}", *self.notes]
        return self.model_copy(update={"partial": True, "generator": health, "notes": notes})

    def stopped_because_missed(self, misses: Sequence[EarlyMiss]) -> Self:
        """This partial run, stopped because of what was surely missed; at least one."""
        if self.missed_early:
            return self
        names = ", ".join(f"`{miss.objective}`" for miss in misses)
        notes = [f"stopped early: objective {names} is missed", *self.notes]
        return self.model_copy(update={"missed_early": list(misses), "notes": notes})

    def to_json(self) -> str:
        """The JSON form, marked `"schema": 1`."""
        return self.model_dump_json(by_alias=True)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read the JSON form.

        Raises:
            pydantic.ValidationError: it is of another schema, or no result at all.
        """
        return cls.model_validate_json(text)

    def _completed_slower(self, threshold: Decimal) -> int:
        if self.completed and threshold not in self.thresholds:
            known = ", ".join(str(known) for known in self.thresholds) or "none"
            raise KeyError(f"no exact counter for {threshold} s in this run; it has {known}")
        return sum(
            count for second in self.seconds for text, count in second.slower.items() if Decimal(text) == threshold
        )

    def _censored_slower(self, threshold: Decimal) -> int:
        return sum(request.age > float(threshold) for request in self.censored)


def summed(counts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    """Counts by key of several mappings together."""
    total: dict[str, int] = {}
    for mapping in counts:
        for key, count in mapping.items():
            total[key] = total.get(key, 0) + count
    return total
