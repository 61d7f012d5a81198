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
    from sloproof.cli.surroundings import known_instances, running_lab, surroundings_of

    slos, instances = workspace.slos_of(experiment.system), known_instances(experiment.system)
    timing, left, where = workspace.settings.timing(), {}, "no lab is up: real windows"
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
    for line in _how_to_know(spends, instances, experiment, lab_is_up=surroundings is not None):
        console.show(f"  to know: {line}")
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
    if experiment.run_length > load.duration:
        duration += f" (its own {format_duration(load.duration)}, made longer until the watching ends)"
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


def _how_to_know(spends: Sequence[Spend], instances: int, experiment: Experiment, *, lab_is_up: bool) -> Iterator[str]:
    """What would make known what is not."""
    system, unknown = experiment.system, any(spend.unknown for spend in spends)
    if unknown and not instances and any("instance" in fault.parts for fault in experiment.faults):
        yield f"how many instances share the load is not known of `{system}`, which is no system of the lab"
    elif unknown:
        yield "what such a fault does depends on the system; a run measures it, and its guard stops at the limits"
    if spends and instances and not lab_is_up:
        yield f"what is left is asked of a lab that is up: `sloproof lab up {system}`, then this once more"


def _radius(experiment: Experiment, instances: int) -> str:
    """How much is broken at the worst moment, and for how long something is."""
    broken = most_at_once(experiment.faults)
    parts = [f"{len(broken)} of {instances or 'the'} instances at once"] if broken else []
    percents = [percent for fault in experiment.faults if (percent := getattr(fault, "percent", None)) is not None]
    parts += [f"up to {plain(max(percents))} % of the requests"] if percents else []
    first, last = experiment.first_fault_at, max(fault.end for fault in experiment.faults)
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
