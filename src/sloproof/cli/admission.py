"""Whether something may be broken now: the workspace's limits, its targets, its error budgets, and a person."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from sloproof.chaos.experiment import Experiment
from sloproof.chaos.prediction import Spend, predict
from sloproof.chaos.reach import out_of_reach
from sloproof.chaos.spend_guard import Limit
from sloproof.definition import format_duration
from sloproof.errors import PartFailed, Refused, SloproofError
from sloproof.verdict.wording import percent

if TYPE_CHECKING:
    from sloproof.alerts import Timing
    from sloproof.chaos.surroundings import Surroundings
    from sloproof.workspace import Workspace

WHOLE = 1.0
"""A run may spend at most a whole budget where nobody knows what is left of it."""


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
    for objection in objections(experiment, workspace):
        raise objection
    timing, system = surroundings.timing, experiment.system
    spends = predict(experiment, surroundings.slos, len(surroundings.instances), timing)
    left = budgets_left(workspace, system, surroundings)
    held = holds_budget(workspace, timing, over_budget=over_budget)
    for objection in () if over_budget else too_dear(spends, left if held else {}, workspace):
        raise objection
    confirm(f"Break `{system}` with `{experiment.name}`, for {format_duration(experiment.length)}?", yes=yes)
    safety = workspace.settings.safety
    most = None if safety.most_spend is None else float(safety.most_spend / 100)
    return [_limit(spend, left, most, workspace, timing, held=held) for spend in spends]


def admitted_in_own_lab(
    experiments: Sequence[Experiment], workspace: "Workspace", *, lasts: timedelta, smaller: str = ""
) -> None:
    """Let a command begin that brings a lab of its own up, breaks it, and ends it; or not.

    The error budgets of such a lab are born and end with it, and to spend them is what the command is for: no spend and
    no burn rate is limited. A process that is to be broken may come with the lab.

    Args:
        experiments: what it breaks.
        workspace: with its limits.
        lasts: how long all of it takes.
        smaller: what makes less of it, for the hint.

    Raises:
        Refused: a limit or the list of targets forbids it; nothing was sent.
    """
    for experiment in experiments:
        for refusal in refusals(experiment, workspace, lasts):
            raise Refused(refusal.message, hint="; ".join(filter(None, (refusal.hint, smaller))))


def objections(
    experiment: Experiment, workspace: "Workspace", lasts: timedelta | None = None
) -> Iterator[SloproofError]:
    """What forbids a run at this moment whatever its system is like.

    Args:
        experiment: the definition.
        workspace: with its limits.
        lasts: how long all of it takes; None for the experiment alone.

    Returns:
        Refused: it is not the hour for it, a fault is beyond a limit, or a target is not listed.
        PartFailed: a process that is to be broken is not there.
    """
    safety, hint = workspace.settings.safety, "the limits stand in `[tool.sloproof.safety]`"
    if why := safety.why_not_now(datetime.now(UTC), lasts or experiment.run_length):
        yield Refused(f"{why}; nothing was sent", hint=hint)
    for breach in safety.breaches(experiment):
        yield Refused(f"{breach}; nothing was sent", hint=hint)
    yield from out_of_reach(experiment.faults, workspace.settings.targets)


def refusals(experiment: Experiment, workspace: "Workspace", lasts: timedelta | None = None) -> Iterator[Refused]:
    """Those objections that stay when the system is brought up first."""
    return (one for one in objections(experiment, workspace, lasts) if isinstance(one, Refused))


def too_dear(spends: Sequence[Spend], left: Mapping[str, float | None], workspace: "Workspace") -> Iterator[Refused]:
    """What a run would spend beyond its limit, or beyond what is left.

    Args:
        spends: what it will probably spend of each budget.
        left: the share of each budget that is left, by identity, ratio of 1; empty where that is no limit.
        workspace: with its limits.
    """
    hint = (
        "wait until the budget has recovered, shorten the fault, or spend beyond it with `sloproof chaos run "
        "--over-budget`"
    )
    for why in _unpaid(spends, left, workspace):
        yield Refused(f"{why}; nothing was sent", hint=hint)


def holds_budget(workspace: "Workspace", timing: "Timing", *, over_budget: bool) -> bool:
    """Whether what is left of the error budget is a limit."""
    return not over_budget and (timing.scale == 1 or workspace.settings.safety.lab_budget)


def budgets_left(workspace: "Workspace", system: str, surroundings: "Surroundings") -> dict[str, float | None]:
    """The share of each budget that is left, ratio of 1, by identity; None where nothing is recorded.

    Raises:
        PartFailed: Prometheus does not answer, or only in part.
    """
    from sloproof.workspace.status import status_of

    try:
        found = status_of(workspace.only(system), surroundings.prometheus, scale=surroundings.timing.scale).whole()
    except PartFailed as error:
        raise PartFailed(f"what is left of the error budget cannot be told: {error.message}", hint=error.hint) from None
    return {one.slo.identity: one.left for one in found.budgets}


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


def told_share(share: object) -> str:
    """A share of a budget, ratio of 1, in words."""
    return "an unknown part" if share is None else percent(float(str(share)))


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


def _unpaid(spends: Sequence[Spend], left: Mapping[str, float | None], workspace: "Workspace") -> Iterator[str]:
    most = workspace.settings.safety.most_spend
    for spend in spends:
        known, identity, share = left.get(spend.slo.identity), spend.slo.identity, told_share(spend.share)
        if spend.share is not None and most is not None and spend.share * 100 > most:
            yield f"it will probably spend {share} of the budget of `{identity}`, and {most} % is allowed"
        elif known is not None and spend.share != 0 and float(spend.share or 0) > max(known, 0.0):
            rest = percent(max(known, 0.0))
            yield f"it will probably spend {share} of the budget of `{identity}`, and {rest} is left"
        elif known is not None and known <= 0 and spend.share is None:
            yield f"the budget of `{identity}` is spent, and what this run spends is not known"
