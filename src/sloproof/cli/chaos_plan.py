"""The plan of a run: what it would do, what it would probably spend, and what forbids it now."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from sloproof.chaos.experiment import Experiment
from sloproof.chaos.prediction import ASSUMPTIONS, Spend, predict
from sloproof.chaos.safety import most_at_once
from sloproof.cli import console
from sloproof.cli.admission import budgets_left, holds_budget, objections, told_share, too_dear
from sloproof.definition import format_duration, plain
from sloproof.errors import Refused, UsageError
from sloproof.verdict.wording import percent

if TYPE_CHECKING:
    from sloproof.workspace import Workspace


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
        left, where = budgets_left(workspace, experiment.system, surroundings), f"windows divided by {timing.scale}"
    spends = predict(experiment, slos, instances, timing)
    for line in (*_plan(experiment, instances), *_spending(spends, left, where)):
        console.show(line)
    held = holds_budget(workspace, timing, over_budget=False)
    found = [*objections(experiment, workspace), *too_dear(spends, left if held else {}, workspace)]
    for objection in found:
        console.show(f"{'refused' if isinstance(objection, Refused) else 'fails'} now: {objection.message}")
        if objection.hint:
            console.show(f"  hint: {objection.hint}")
    return found[0].exit_code if found else 0


def _plan(experiment: Experiment, instances: int) -> Iterator[str]:
    load = experiment.load
    yield f"{experiment.name}: {experiment.description or 'breaks ' + experiment.system}"
    duration = format_duration(experiment.run_length)
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
        yield f"  {spend.slo.identity}: {told_share(spend.share)} of its error budget; {rest}"
        for unknown in spend.unknown:
            yield f"    nobody can say before: {unknown}"
    for assumption in ASSUMPTIONS:
        yield f"  assumed: {assumption}"
