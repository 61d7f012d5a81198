"""What a gate can require: each kind is a class that asks the world and judges the answer."""

import math
from abc import abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field, field_validator

from sloproof.chaos.experiment import Experiment
from sloproof.definition import Definition, Length, exact, format_duration, plain
from sloproof.gate.world import BudgetNow, NoRun, RunRecord, World
from sloproof.loadtests.baseline import Baseline
from sloproof.loadtests.profile import LoadProfile
from sloproof.slo import SLO
from sloproof.verdict.gate_decision import GateFinding
from sloproof.verdict.judge import Judgement, Verdict, combine
from sloproof.verdict.wording import percent, quantity

SHORTEST_LIVE = timedelta(hours=1)
"""Recorded series tell slices of five minutes; a judgement needs ten of them, and an hour has twelve."""
MOST_NAMED = 3


def _without_sign(value: Any) -> Any:
    return value.strip().removesuffix("%").strip() if isinstance(value, str) else value


PerCent = Annotated[Decimal, BeforeValidator(_without_sign), exact("percentage"), Field(ge=0, lt=100)]
"""A percentage as text: `20%` or `20`."""


class Requirement(Definition):
    """Something that must be true before a release goes on.

    Attributes:
        runs: it loads or breaks the system; that is spared once something before it has failed.
    """

    runs: ClassVar[bool] = False

    @property
    @abstractmethod
    def title(self) -> str:
        """What it is called in reports, such as `load steady`."""

    @abstractmethod
    def describe(self) -> str:
        """What must be seen, in one plain sentence without a full stop."""

    @abstractmethod
    def examine(self, world: World) -> Iterable[GateFinding]:
        """Ask the world, and judge what it answers.

        Args:
            world: where the answers come from.

        Raises:
            SloproofError: a part failed, so that nothing can be said.
        """

    def check_system(self, system: str) -> None:
        """Refuse to be required of a system that it is not about.

        Raises:
            ValueError: it is about another one.
        """

    def found(self, verdict: Verdict, observed: str, **others: Any) -> GateFinding:
        """A finding of this requirement."""
        expected = others.pop("expected", self.describe())
        return GateFinding(requirement=self.title, expected=expected, observed=observed, verdict=verdict, **others)


class Load(Requirement):
    """The objectives of the system hold under a load.

    Args:
        profile: the load.
        share: the part of its length that is run, ratio of 1, as text.
        max_age: a run of the same release and profile that ended not longer ago is taken; None: always a new one.
    """

    kind: Literal["load"] = "load"
    runs: ClassVar[bool] = True
    profile: LoadProfile
    share: Annotated[Decimal, exact("share"), Field(gt=0, le=1)] = Decimal(1)
    max_age: Length | None = None

    def __init__(self, profile: LoadProfile, **others: Any) -> None:
        super().__init__(**{"profile": profile, **others})

    @property
    def title(self) -> str:
        """What it is called."""
        return f"load {self.profile.name}"

    def describe(self) -> str:
        """What must be seen."""
        return f"the objectives hold under the load `{self.profile.name}`"

    def check_system(self, system: str) -> None:
        """Refuse a load of another system."""
        _same_system(f"the load `{self.profile.name}`", self.profile.system, system)

    def examine(self, world: World) -> Iterator[GateFinding]:
        """One finding for each objective, and one for the run."""
        profile = self.profile if self.share == 1 else self.profile.shortened(self.share)
        yield from _of_run(self, world.run_load(profile, self.max_age))


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
        _same_system(f"the experiment `{self.experiment.name}`", self.experiment.system, system)

    def examine(self, world: World) -> Iterator[GateFinding]:
        """One finding for each thing that the experiment expects, and one for the run."""
        yield from _of_run(self, world.run_experiment(self.experiment, self.max_age))


class NotSlower(Requirement):
    """A load is not answered more slowly than in the pinned run of the same profile.

    Args:
        profile: the load; where the gate requires it too, that run is compared.
        tolerance: growth that is still accepted, per cent, as text.
        share: the part of its length that is run, ratio of 1, as text; the pinned run must be as long.
        max_age: as that of `Load`.
    """

    kind: Literal["not_slower"] = "not_slower"
    runs: ClassVar[bool] = True
    profile: LoadProfile
    tolerance: PerCent = Decimal(10)
    share: Annotated[Decimal, exact("share"), Field(gt=0, le=1)] = Decimal(1)
    max_age: Length | None = None

    def __init__(self, profile: LoadProfile, **others: Any) -> None:
        super().__init__(**{"profile": profile, **others})

    @property
    def title(self) -> str:
        """What it is called."""
        return f"not slower {self.profile.name}"

    def describe(self) -> str:
        """What must be seen."""
        return f"`{self.profile.name}` is answered at most {plain(self.tolerance)} % slower than in its pinned run"

    def check_system(self, system: str) -> None:
        """Refuse a load of another system."""
        _same_system(f"the load `{self.profile.name}`", self.profile.system, system)

    def examine(self, world: World) -> Iterator[GateFinding]:
        """What the comparison shows; the first run has nothing to be compared with, and says so."""
        profile = self.profile if self.share == 1 else self.profile.shortened(self.share)
        run = world.run_load(profile, self.max_age)
        if isinstance(run, NoRun):
            yield self.found(Verdict.UNDECIDED, run.reason, hint=run.hint)
            return
        if run.partial or not run.completed:
            observed = "the run ended before its time" if run.partial else "no requests were answered"
            yield self.found(Verdict.UNDECIDED, observed, evidence=_whence(run))
            return
        limits = Baseline(no_slower_than=self.tolerance / 100)
        for finding in world.compare_with_baseline(profile, run, limits):
            evidence = f"{finding.detail}; {_whence(run)}"
            yield self.found(finding.verdict, finding.observed, expected=finding.expected, evidence=evidence)


class ObjectivesHold(Requirement):
    """Objectives hold in the live system now, by what Prometheus recorded of real traffic.

    Args:
        slos: the objectives; none for every objective of the system.
        over: how far back it is looked, before the lab divides it.
    """

    kind: Literal["objectives_hold"] = "objectives_hold"
    slos: tuple[SLO, ...] = ()
    over: Length = SHORTEST_LIVE

    def __init__(self, *slos: SLO, **others: Any) -> None:
        super().__init__(**{"slos": slos, **others} if slos else others)

    @field_validator("over")
    @classmethod
    def _long_enough(cls, over: timedelta) -> timedelta:
        if over < SHORTEST_LIVE:
            raise ValueError(f"`{format_duration(over)}` is too short to judge; give `1h` or more")
        return over

    @property
    def title(self) -> str:
        """What it is called."""
        return "objectives hold"

    def describe(self) -> str:
        """What must be seen."""
        return f"the objectives hold over the last {format_duration(self.over)}"

    def check_system(self, system: str) -> None:
        """Refuse objectives of another system."""
        _own_objectives(self.slos, system)

    def examine(self, world: World) -> Iterator[GateFinding]:
        """One finding for each objective."""
        slos = self.slos or world.objectives()
        if not slos:
            yield self.found(Verdict.UNDECIDED, "the system has no objectives", hint="define them in `slo/`")
        for slo in slos:
            yield self._of_objective(slo, world.live(slo, self.over))

    def _of_objective(self, slo: SLO, judged: Sequence[Judgement]) -> GateFinding:
        expected = f"`{slo.identity}` holds its {plain(slo.objective)} % over the last {format_duration(self.over)}"
        if not judged:
            hint = "see that its rules are loaded and its service is scraped"
            return self.found(Verdict.UNDECIDED, "no data: nothing is recorded", expected=expected, hint=hint)
        verdict = combine(one.verdict for one in judged)
        worst = max((one for one in judged if one.verdict is verdict), key=lambda one: one.ratio or 0)
        seen = "no data" if worst.ratio is None else f"{percent(worst.ratio)} of events were bad"
        return self.found(verdict, seen, expected=expected, evidence=worst.reason)


class BudgetLeft(Requirement):
    """So much of each error budget is left.

    Args:
        least: share of the budget, per cent, as text: `20%`.
        slos: the objectives; none for every objective of the system.
    """

    kind: Literal["budget_left"] = "budget_left"
    least: PerCent
    slos: tuple[SLO, ...] = ()

    def __init__(self, least: str | Decimal, **others: Any) -> None:
        super().__init__(**{"least": least, **others})

    @property
    def title(self) -> str:
        """What it is called."""
        return "budget left"

    def describe(self) -> str:
        """What must be seen."""
        return f"at least {plain(self.least)} % of every error budget is left"

    def check_system(self, system: str) -> None:
        """Refuse objectives of another system."""
        _own_objectives(self.slos, system)

    def examine(self, world: World) -> Iterator[GateFinding]:
        """One finding for each objective."""
        slos = self.slos or world.objectives()
        if not slos:
            yield self.found(Verdict.UNDECIDED, "the system has no objectives", hint="define them in `slo/`")
            return
        found = {one.slo: one for one in world.budgets(slos)}
        for slo in slos:
            yield self._of_budget(slo, found.get(slo.identity))

    def _of_budget(self, slo: SLO, budget: BudgetNow | None) -> GateFinding:
        expected = f"at least {plain(self.least)} % of the budget of `{slo.identity}` is left"
        if budget is None or budget.left is None or not math.isfinite(budget.left):
            notes = "; ".join(budget.notes) if budget else ""
            return self.found(Verdict.UNDECIDED, "no figure", expected=expected, evidence=notes)
        covered = "an unknown part" if budget.coverage is None else percent(budget.coverage)
        evidence = "; ".join((f"{covered} of its {budget.window} window was measured", *budget.notes))
        seen = f"{_share(budget.left)} is left"
        if budget.left < float(self.least) / 100:  # what was not measured can only have spent more
            return self.found(Verdict.FAIL, seen, expected=expected, evidence=evidence)
        verdict = Verdict.PASS if budget.measured else Verdict.UNDECIDED
        seen += "" if budget.measured else ", if nothing was spent while nobody measured"
        return self.found(verdict, seen, expected=expected, evidence=evidence)


class NoOpenFaults(Requirement):
    """Nothing is broken on purpose and not put back."""

    kind: Literal["no_open_faults"] = "no_open_faults"

    @property
    def title(self) -> str:
        """What it is called."""
        return "no open faults"

    def describe(self) -> str:
        """What must be seen."""
        return "no fault is in place"

    def examine(self, world: World) -> Iterator[GateFinding]:
        """One finding."""
        faults = world.open_faults()
        if faults.descriptions:
            count = len(faults.descriptions)
            seen = f"{count} fault{'' if count == 1 else 's'} not put back"
            evidence = "; ".join(faults.descriptions)
            yield self.found(Verdict.FAIL, seen, evidence=evidence, hint="run `sloproof chaos undo`")
        elif faults.unreadable:
            count = faults.unreadable
            seen = f"{count} line{'' if count == 1 else 's'} of the undo ledger cannot be read"
            yield self.found(Verdict.UNDECIDED, seen, hint="any of them may stand for a fault; mend the ledger")
        else:
            yield self.found(Verdict.PASS, "the undo ledger holds nothing open")


class AlertsProven(Requirement):
    """Every alert of the system fires and clears when promised, in simulated histories of its rules."""

    kind: Literal["alerts_proven"] = "alerts_proven"

    @property
    def title(self) -> str:
        """What it is called."""
        return "alerts proven"

    def describe(self) -> str:
        """What must be seen."""
        return "every alert fires and clears when promised"

    def examine(self, world: World) -> Iterator[GateFinding]:
        """One finding; each alert that is not proven is named."""
        proofs = world.proofs()
        if not proofs.alerts:
            yield self.found(Verdict.UNDECIDED, "the system has no alerts", hint="define an objective in `slo/`")
            return
        wrong = [one for one in proofs.alerts if one.why_not]
        told = f"{quantity(proofs.cases)} cases"
        when = f"{'kept from' if proofs.kept else 'run at'} {stamp(proofs.proven_at)}"
        if not wrong:
            yield self.found(Verdict.PASS, f"{len(proofs.alerts)} alerts are proven", evidence=f"{told}, {when}")
            return
        named = "; ".join(f"`{one.alert}`: {one.why_not[0]}" for one in wrong[:MOST_NAMED])
        seen = f"{len(wrong)} of {len(proofs.alerts)} alerts are not proven"
        yield self.found(Verdict.FAIL, seen, evidence=named, hint="`sloproof prove` tells of each")


AnyRequirement = Annotated[
    Load | Survives | NotSlower | ObjectivesHold | BudgetLeft | NoOpenFaults | AlertsProven,
    Field(discriminator="kind"),
]
"""Every requirement there is."""


def stamp(at: float) -> str:
    """A time as it stands in evidence, UTC: `2026-11-22 14:03:22 UTC`."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


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
        seen = f"not one of {quantity(run.completed)} requests was answered"
        return requirement.found(Verdict.FAIL, seen, **told)
    if run.partial:
        return requirement.found(Verdict.UNDECIDED, "it ended before its time", **told)
    if not run.findings:
        return requirement.found(Verdict.UNDECIDED, "it judged nothing", **told)
    seen = f"{quantity(run.completed)} requests, {quantity(run.failed)} of them failed"
    return requirement.found(Verdict.PASS, seen, **told)


def _whence(run: RunRecord) -> str:
    made = "taken from the history" if run.taken else "run for this gate"
    release = f" of release `{run.release}`" if run.release else ""
    where = f", in `{run.folder}`" if run.folder else ""
    return f"{made}{release}, {stamp(run.started_at)} to {stamp(run.ended_at).split(' ', 1)[1]}{where}"


def _same_system(what: str, own: str, system: str) -> None:
    if own != system:
        raise ValueError(f"{what} is for the system `{own}`, the gate is for `{system}`")


def _own_objectives(slos: Iterable[SLO], system: str) -> None:
    for slo in slos:
        _same_system(f"the objective `{slo.identity}`", slo.service.name, system)


def _share(ratio: float) -> str:
    return f"{'-' if ratio < 0 else ''}{percent(abs(ratio))}"
