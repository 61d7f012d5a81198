"""A load profile: who loads a system, how hard, and for how long."""

from datetime import timedelta
from decimal import Decimal
from pathlib import PurePosixPath
from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from sloproof.definition import Definition, Duration, Length, Name
from sloproof.errors import UsageError
from sloproof.loadtests.arrivals import Arrivals
from sloproof.loadtests.baseline import Baseline
from sloproof.loadtests.distribution import MOST_WORKERS
from sloproof.loadtests.phases import Span, spans
from sloproof.loadtests.promises import AnyPromise
from sloproof.loadtests.user_stages import Users, UserStage, stretches


def _inside_loadtests(path: str) -> str:
    parts = PurePosixPath(path)
    if parts.is_absolute() or ".." in parts.parts or parts.suffix != ".py":
        raise ValueError(f"`{path}` must be a Python file inside loadtests/, such as `users/tasks.py`")
    return path


class LoadProfile(Definition):
    """Users of one kind, at once, for a while.

    Args:
        name: short name; `sloproof load run NAME` runs it.
        system: the system it loads, such as `tasks`.
        locustfile: an ordinary locustfile, relative to the workspace's loadtests/ folder.
        users: how many at once; with `stages`, how many at the beginning; with `arrivals`, the most tasks that run
            at once.
        stages: how the number of users moves, one stretch after the other; the last number stays until the end.
        spawn_rate: users started per second; all within the first second when left out.
        rate: requests per second asked of all users together; they pace themselves by the environment
            variable SLOPROOF_PACE (seconds from one task to the next). None: as the locustfile waits.
        arrivals: tasks begin by the clock instead, whether or not earlier ones were answered (an open model), and the
            first request of each counts from the time it was due; wait times of the locustfile do not hold.
        duration: how long load is asked for, from the first user.
        warm_up: the part at the start that an evaluation leaves out; it is recorded all the same.
        request_timeout: after this long a request fails, unless the locustfile sets a time-out of its own.
        drain: how long requests in flight may take to finish at the end; then they count as censored.
        expect: what this load must show beside the objectives of its system, judged from what its users saw. An
            experiment that runs under this load has expectations of its own.
        stop_early: end the load as soon as an objective is missed beyond doubt; without it, the run shows all of a
            failure. An experiment's load never ends early.
        processes: how many processes send the load; more where one core cannot send it.
        baseline: by how much a run may be worse than the pinned earlier run of this profile; None sets no limit.
        description: one sentence on what this load stands for.
        share: the part of its full length that this is, ratio of 1; `shortened` sets it, and the result tells it.
    """

    name: Name
    system: Name
    locustfile: Annotated[str, AfterValidator(_inside_loadtests)]
    users: Users
    stages: tuple[UserStage, ...] = ()
    spawn_rate: Annotated[Decimal, Field(gt=0)] | None = None
    rate: Annotated[Decimal, Field(gt=0)] | None = None
    arrivals: Arrivals | None = None
    duration: Length
    warm_up: Duration = timedelta(0)
    request_timeout: Length = timedelta(seconds=10)
    drain: Length = timedelta(seconds=10)
    expect: tuple[AnyPromise, ...] = ()
    stop_early: bool = False
    processes: Annotated[int, Field(ge=1, le=MOST_WORKERS)] = 1
    baseline: Baseline | None = None
    description: str = ""
    share: Annotated[Decimal, Field(gt=0, le=1)] = Decimal(1)

    @model_validator(mode="after")
    def _leaves_something_to_measure(self) -> Self:
        if self.warm_up >= self.duration:
            raise ValueError("`warm_up` must be shorter than `duration`: nothing would be left to evaluate")
        return self

    @model_validator(mode="after")
    def _somebody_comes(self) -> Self:
        if not self.most_users:
            raise ValueError("there is never a user: nothing would be sent")
        if self.stages and (self.rate is not None or self.arrivals is not None or self.spawn_rate is not None):
            raise ValueError("`stages` say how many users there are; leave `rate`, `spawn_rate` and `arrivals` out")
        stretches(self.users, self.stages, self.duration)
        return self

    @model_validator(mode="after")
    def _one_model(self) -> Self:
        if self.arrivals is not None:
            if self.rate is not None:
                raise ValueError("give `rate` (users that pace themselves) or `arrivals` (by the clock), not both")
            if self.arrivals.trace is None:
                self.arrivals.stretches(self.duration)
        return self

    @property
    def most_users(self) -> int:
        """The greatest number of users at once."""
        return max((self.users, *(stage.users for stage in self.stages)))

    def shortened(self, share: Decimal) -> Self:
        """The same profile in a part of its time: all lengths but time-outs times a share, the heights as they are.

        Args:
            share: above 0 and at most 1.

        Raises:
            UsageError: the share is none.
        """
        if not 0 < share <= 1:
            raise UsageError(f"`{share}` is no part of a length", hint="give more than 0 and at most 1, as `0.1`")
        part = float(share)
        arrivals = self.arrivals and self.arrivals.model_copy(
            update={"stages": tuple(s.model_copy(update={"over": s.over * part}) for s in self.arrivals.stages)}
        )
        return self.model_copy(
            update={
                "stages": tuple(stage.model_copy(update={"over": stage.over * part}) for stage in self.stages),
                "arrivals": arrivals,
                "duration": self.duration * part,
                "warm_up": self.warm_up * part,
                "share": self.share * share,
            }
        )

    @property
    def phases(self) -> list[Span]:
        """The phases of this load, in seconds from its beginning: the warm-up, and those that its stages name."""
        stages = self.arrivals.stages if self.arrivals is not None else self.stages
        return spans([(stage.over, stage.phase) for stage in stages], self.duration, self.warm_up)

    @property
    def pace(self) -> float | None:
        """Seconds from one task of a user to its next, so that all users together make `rate`; None without a rate."""
        return None if self.rate is None else float(self.users / self.rate)

    @property
    def spawned_per_second(self) -> float:
        """Users started per second."""
        return float(self.most_users if self.spawn_rate is None else self.spawn_rate)
