"""What a gate can require of runs: a load, an experiment, a comparison with an earlier run."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from sloproof.chaos.experiment import Experiment
from sloproof.definition import Length, exact, plain
from sloproof.gate.requirement import PerCent, Requirement, same_system, stamp
from sloproof.gate.world import NoRun, RunRecord, World
from sloproof.loadtests.baseline import Baseline
from sloproof.loadtests.profile import LoadProfile
from sloproof.verdict.gate_decision import GateFinding
from sloproof.verdict.judge import Verdict
from sloproof.verdict.wording import counted


class _OfLoad(Requirement):
    """What requirements share that rest on the run of a load."""

    runs: ClassVar[bool] = True
    profile: LoadProfile
    share: Annotated[Decimal, exact("share"), Field(gt=0, le=1)] = Decimal(1)
    max_age: Length | None = None

    def check_system(self, system: str) -> None:
        """Refuse a load of another system."""
        same_system(f"the load `{self.profile.name}`", self.profile.system, system)

    @property
    def asked(self) -> LoadProfile:
        """The load as long as the gate wants it."""
        return self.profile if self.share == 1 else self.profile.shortened(self.share)


class Load(_OfLoad):
    """The objectives of the system hold under a load.

    Args:
        profile: the load.
        share: the part of its length that is run, ratio of 1, as text.
        max_age: a run of the same release and profile that ended not longer ago is taken; None: always a new one.
    """

    kind: Literal["load"] = "load"

    def __init__(self, profile: LoadProfile, **others: Any) -> None:
        super().__init__(**{"profile": profile, **others})

    @property
    def title(self) -> str:
        """What it is called."""
        return f"load {self.profile.name}"

    def describe(self) -> str:
        """What must be seen."""
        return f"the objectives hold under the load `{self.profile.name}`"

    def examine(self, world: World) -> Iterator[GateFinding]:
        """One finding for each objective, and one for the run."""
        yield from _of_run(self, world.run_load(self.asked, self.max_age))


class Survives(Requirement):
    """The system survives an experiment: everything that it expects is seen.

    Args:
        experiment: the experiment.
        max_age: a run of the same release that ended not longer ago is taken; None: always a new one.
    """

    kind: Literal["survives"] = "survives"
    runs: ClassVar[bool] = True
    experiment: Experiment
    max_age: Length | None = None

    def __init__(self, experiment: Experiment, **others: Any) -> None:
        super().__init__(**{"experiment": experiment, **others})

    @property
    def title(self) -> str:
        """What it is called."""
        return f"survives {self.experiment.name}"

    def describe(self) -> str:
        """What must be seen."""
        return f"the system survives `{self.experiment.name}`"

    def check_system(self, system: str) -> None:
        """Refuse an experiment with another system."""
        same_system(f"the experiment `{self.experiment.name}`", self.experiment.system, system)

    def examine(self, world: World) -> Iterator[GateFinding]:
        """One finding for each thing that the experiment expects, and one for the run."""
        yield from _of_run(self, world.run_experiment(self.experiment, self.max_age))


class NotSlower(_OfLoad):
    """A load is not answered more slowly than in the pinned run of the same profile.

    Args:
        profile: the load; where the gate requires it too, that run is compared.
        tolerance: growth that is still accepted, per cent, as text.
        share: the part of its length that is run, ratio of 1, as text; the pinned run must be as long.
        max_age: as that of `Load`.
    """

    kind: Literal["not_slower"] = "not_slower"
    tolerance: PerCent = Decimal(10)

    def __init__(self, profile: LoadProfile, **others: Any) -> None:
        super().__init__(**{"profile": profile, **others})

    @property
    def title(self) -> str:
        """What it is called."""
        return f"not slower {self.profile.name}"

    def describe(self) -> str:
        """What must be seen."""
        return f"`{self.profile.name}` is answered at most {plain(self.tolerance)} % slower than in its pinned run"

    def examine(self, world: World) -> Iterator[GateFinding]:
        """What the comparison shows; the first run has nothing to be compared with, and says so."""
        run = world.run_load(self.asked, self.max_age)
        if isinstance(run, NoRun):
            yield self.found(Verdict.UNDECIDED, run.reason, hint=run.hint)
            return
        if run.partial or not run.completed:
            observed = "the run ended before its time" if run.partial else "no requests were answered"
            yield self.found(Verdict.UNDECIDED, observed, evidence=_whence(run))
            return
        limits = Baseline(no_slower_than=self.tolerance / 100)
        for finding in world.compare_with_baseline(self.asked, run, limits):
            evidence = f"{finding.detail}; {_whence(run)}"
            yield self.found(finding.verdict, finding.observed, expected=finding.expected, evidence=evidence)


def _of_run(requirement: Requirement, run: RunRecord | NoRun) -> Iterator[GateFinding]:
    """What a run says of a requirement: itself first, then everything that it had to show."""
    if isinstance(run, NoRun):
        yield requirement.found(Verdict.UNDECIDED, run.reason, hint=run.hint)
        return
    yield _run_itself(requirement, run)
    for finding in run.findings:
        yield requirement.found(finding.verdict, finding.observed, expected=finding.expected, evidence=finding.detail)


def _run_itself(requirement: Requirement, run: RunRecord) -> GateFinding:
    """Whether there is a run to speak of: it was whole, and somebody answered."""
    expected = f"`{run.name}` runs to its end and is answered"
    told: dict[str, Any] = {"expected": expected, "evidence": _whence(run)}
    if run.not_undone:
        left = f"still broken: {'; '.join(run.not_undone)}"
        return requirement.found(Verdict.FAIL, left, code=7, hint="run `sloproof chaos undo`", **told)
    if not run.completed:
        return requirement.found(Verdict.UNDECIDED, "no data: not one request was counted", **told)
    if run.failed >= run.completed:
        seen = f"not one of {counted(run.completed, 'request')} was answered"
        return requirement.found(Verdict.FAIL, seen, **told)
    if run.partial:
        return requirement.found(Verdict.UNDECIDED, "it ended before its time", **told)
    if not run.findings:
        return requirement.found(Verdict.UNDECIDED, "it judged nothing", **told)
    # What failed is no fault of the run: the objectives judge it, and a line that passed does not tell of it.
    told["evidence"] += f"; {counted(run.failed, 'request')} failed, which the objectives judge" if run.failed else ""
    return requirement.found(Verdict.PASS, f"it ran to its end, {counted(run.completed, 'request')}", **told)


def _whence(run: RunRecord) -> str:
    made = "taken from the history" if run.taken else "run for this gate"
    release = f" of release `{run.release}`" if run.release else ""
    where = f", in `{run.folder}`" if run.folder else ""
    return f"{made}{release}, {stamp(run.started_at)} to {stamp(run.ended_at).split(' ', 1)[1]}{where}"
