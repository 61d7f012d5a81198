"""What is asked before a run breaks something: its plan, its limits, its budget, and a person."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sloproof.chaos.experiment import Experiment
from sloproof.chaos.prediction import ASSUMPTIONS, Spend, predict
from sloproof.chaos.reach import out_of_reach
from sloproof.chaos.safety import most_at_once
from sloproof.chaos.spend_guard import Limit
from sloproof.cli import console
from sloproof.definition import format_duration, plain
from sloproof.errors import PartFailed, Refused, SloproofError, UsageError
from sloproof.verdict.wording import percent

if TYPE_CHECKING:
    from sloproof.alerts import Timing
    from sloproof.chaos.surroundings import Surroundings
    from sloproof.workspace import Workspace

WHOLE = 1.0
"""A run may spend at most a whole budget where nobody knows what is left of it."""


def show_plan(experiment: Experiment, workspace: "Workspace") -> int:
    """Print what a run would do and probably spend; nothing is sent to the system.

    Args:
        experiment: the definition.
        workspace: the definitions around it.

    Returns:
        The exit code: 0, or that of the first reason for which a run would not begin now.
    """
    from sloproof.cli.surroundings import running_lab, surroundings_of

    slos = workspace.slos_of(experiment.system)
    timing, instances, left, where = workspace.settings.timing(), 0, {}, "no lab is up: real windows"
    try:
        surroundings = surroundings_of(workspace, running_lab(workspace, experiment.system))
    except UsageError:
        surroundings = None
    if surroundings is not None:
        timing, instances = surroundings.timing, len(surroundings.instances)
        left, where = _left(workspace, experiment.system, surroundings), f"windows divided by {timing.scale}"
    spends = predict(experiment, slos, instances, timing)
    for line in (*_plan(experiment, instances), *_spending(spends, left, where)):
        console.show(line)
    held = _held(workspace, timing, over_budget=False)
    objections = [*_objections(experiment, workspace), *_too_dear(spends, left if held else {}, workspace)]
    for objection in objections:
        console.show(f"{'refused' if isinstance(objection, Refused) else 'fails'} now: {objection.message}")
        if objection.hint:
            console.show(f"  hint: {objection.hint}")
    return objections[0].exit_code if objections else 0


def admitted(
    experiment: Experiment, workspace: "Workspace", surroundings: "Surroundings", *, yes: bool, over_budget: bool
) -> list[Limit]:
    """Let a run begin, or not.

    Args:
        experiment: the definition.
        workspace: with its limits.
        surroundings: the lab that is up.
        yes: nobody is asked.
        over_budget: what is left of the budget is no limit.

    Returns:
        What the guard holds the run to.

    Raises:
        Refused: a limit, the list of targets, the error budget or the person who was asked forbids it; nothing was
            sent.
        PartFailed: Prometheus does not answer, or a process that is to be broken is not there.
    """
    for objection in _objections(experiment, workspace):
        raise objection
    timing, system = surroundings.timing, experiment.system
    spends = predict(experiment, surroundings.slos, len(surroundings.instances), timing)
    left = _left(workspace, system, surroundings)
    held = _held(workspace, timing, over_budget=over_budget)
    for objection in () if over_budget else _too_dear(spends, left if held else {}, workspace):
        raise objection
    confirm(f"Break `{system}` with `{experiment.name}`, for {format_duration(experiment.length)}?", yes=yes)
    safety = workspace.settings.safety
    most = None if safety.most_spend is None else float(safety.most_spend / 100)
    return [_limit(spend, left, most, workspace, timing, held=held) for spend in spends]


def _held(workspace: "Workspace", timing: "Timing", *, over_budget: bool) -> bool:
    """Whether what is left of the error budget is a limit."""
    return not over_budget and (timing.scale == 1 or workspace.settings.safety.lab_budget)


def confirm(question: str, *, yes: bool) -> None:
    """Ask a person; without a terminal there is nobody to ask, and a lab on loopback goes on.

    Args:
        question: what is asked.
        yes: it was answered before.

    Raises:
        Refused: the answer is no.
    """
    if yes or not (sys.stdin.isatty() and sys.stderr.isatty()):
        return
    import typer

    if not typer.confirm(question, err=True):
        raise Refused("not confirmed; nothing was sent", hint="`--yes` answers beforehand")


def _limit(
    spend: Spend,
    left: Mapping[str, float | None],
    most: float | None,
    workspace: "Workspace",
    timing: "Timing",
    *,
    held: bool,
) -> Limit:
    known = left.get(spend.slo.identity)
    rest = WHOLE if known is None else max(known, 0.0)
    burn = workspace.settings.safety.most_burn
    return Limit(
        slo=spend.slo,
        spend=min((limit for limit in (most, rest if held else None) if limit is not None), default=None),
        burn=None if burn is None else float(burn),
        window=timing.real(spend.slo.window).total_seconds(),
    )


def _left(workspace: "Workspace", system: str, surroundings: "Surroundings") -> dict[str, float | None]:
    """The share of each budget that is left, by identity; None where nothing is recorded."""
    from sloproof.workspace.status import status_of

    try:
        found = status_of(workspace.only(system), surroundings.prometheus, scale=surroundings.timing.scale).whole()
    except PartFailed as error:
        raise PartFailed(f"what is left of the error budget cannot be told: {error.message}", hint=error.hint) from None
    return {one.slo.identity: one.left for one in found.budgets}


def _objections(experiment: Experiment, workspace: "Workspace") -> Iterator[SloproofError]:
    """What forbids a run whatever its system is like."""
    safety, hint = workspace.settings.safety, "the limits stand in `[tool.sloproof.safety]`"
    if why := safety.why_not_now(datetime.now(UTC), max(experiment.load.duration, experiment.length)):
        yield Refused(f"{why}; nothing was sent", hint=hint)
    for breach in safety.breaches(experiment):
        yield Refused(f"{breach}; nothing was sent", hint=hint)
    yield from out_of_reach(experiment.faults, workspace.settings.targets)


def _too_dear(spends: Sequence[Spend], left: Mapping[str, float | None], workspace: "Workspace") -> Iterator[Refused]:
    hint = "wait until the budget has recovered, shorten the fault, or spend beyond it with `--over-budget`"
    for why in _unpaid(spends, left, workspace):
        yield Refused(f"{why}; nothing was sent", hint=hint)


def _unpaid(spends: Sequence[Spend], left: Mapping[str, float | None], workspace: "Workspace") -> Iterator[str]:
    most = workspace.settings.safety.most_spend
    for spend in spends:
        known, identity = left.get(spend.slo.identity), spend.slo.identity
        if spend.share is not None and most is not None and spend.share * 100 > most:
            yield f"it will probably spend {_share(spend.share)} of the budget of `{identity}`, and {most} % is allowed"
        elif known is not None and spend.share != 0 and float(spend.share or 0) > max(known, 0.0):
            yield (
                f"it will probably spend {_share(spend.share)} of the budget of `{identity}`, "
                f"and {percent(max(known, 0.0))} is left"
            )
        elif known is not None and known <= 0 and spend.share is None:
            yield f"the budget of `{identity}` is spent, and what this run spends is not known"


def _plan(experiment: Experiment, instances: int) -> Iterator[str]:
    load = experiment.load
    yield f"{experiment.name}: {experiment.description or 'breaks ' + experiment.system}"
    duration = format_duration(max(load.duration, experiment.length))
    pace = f", {load.rate} requests a second" if load.rate is not None else ""
    yield f"load     `{load.name}`: {load.most_users} users{pace}, for {duration}"
    for index, fault in enumerate(experiment.faults):
        yield f"{format_duration(fault.at):>8} {experiment.fault_id(index)}: {fault.describe()}"
        latest = format_duration(fault.end + fault.grace)
        yield f"{format_duration(fault.end):>8} put back ({fault.place}); by the watchdog at {latest} at the latest"
    yield f"{format_duration(experiment.length):>8} the watching ends"
    yield f"radius   {_radius(experiment, instances)}"
    for expectation in experiment.expect:
        yield f"expected {expectation.describe()}"


def _radius(experiment: Experiment, instances: int) -> str:
    """How much is broken at the worst moment, and for how long something is."""
    broken = most_at_once(experiment.faults)
    parts = [f"{len(broken)} of {instances or 'the'} instances at once"] if broken else []
    percents = [percent for fault in experiment.faults if (percent := getattr(fault, "percent", None)) is not None]
    parts += [f"up to {plain(max(percents))} % of the requests"] if percents else []
    first, last = min(fault.at for fault in experiment.faults), max(fault.end for fault in experiment.faults)
    return ", ".join((*parts, f"from {format_duration(first)} to {format_duration(last)}"))


def _spending(spends: Sequence[Spend], left: Mapping[str, float | None], where: str) -> Iterator[str]:
    yield f"predicted spend ({where}); a prediction, not a promise:"
    for spend in spends:
        known = left.get(spend.slo.identity)
        rest = "what is left is not known" if known is None else f"{percent(known)} is left"
        yield f"  {spend.slo.identity}: {_share(spend.share)} of its error budget; {rest}"
        for unknown in spend.unknown:
            yield f"    nobody can say before: {unknown}"
    for assumption in ASSUMPTIONS:
        yield f"  assumed: {assumption}"


def _share(share: object) -> str:
    return "an unknown part" if share is None else percent(float(str(share)))
