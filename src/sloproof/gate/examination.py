"""Asks for everything that a gate requires, in order, and loses nothing of what went wrong on the way."""

from collections.abc import Callable, Iterator

from sloproof.errors import SloproofError
from sloproof.gate.definition import Gate
from sloproof.gate.requirements import Requirement
from sloproof.gate.world import World
from sloproof.verdict.gate_decision import GateDecision, GateFinding
from sloproof.verdict.judge import Verdict

Say = Callable[[GateFinding], None]
"""Told each finding as it is made."""


def examine(gate: Gate, world: World, *, release: str, clock: Callable[[], float], say: Say) -> GateDecision:
    """Decide a gate.

    Args:
        gate: what is required.
        world: where the answers come from.
        release: what is judged; empty when nobody said.
        clock: epoch seconds.
        say: told each finding as it is made.

    Returns:
        The decision. A part that fails leaves its requirement undecided, and the others are asked all the same; only
        loads and faults are spared once something has failed, because they could not change that any more.
    """
    started, findings = clock(), list[GateFinding]()
    for requirement in gate.requires:
        failed = next((finding for finding in findings if finding.verdict is Verdict.FAIL), None)
        found = [_spared(requirement, failed)] if requirement.runs and failed else _examined(requirement, world)
        for finding in found:
            findings.append(finding)
            say(finding)
    return GateDecision(
        gate=gate.name,
        system=gate.system,
        release=release,
        started_at=started,
        ended_at=max(clock(), started),
        findings=tuple(findings),
        description=gate.description,
    )


def _spared(requirement: Requirement, failed: GateFinding) -> GateFinding:
    return requirement.found(Verdict.UNDECIDED, "not run", evidence=f"`{failed.requirement}` has failed already")


def _examined(requirement: Requirement, world: World) -> Iterator[GateFinding]:
    """The findings of a requirement, and its error as the last one; one that finds nothing is undecided."""
    count = 0
    try:
        for finding in requirement.examine(world):
            count += 1
            yield finding
    except SloproofError as error:
        count += 1
        yield requirement.found(Verdict.UNDECIDED, error.message, code=error.exit_code, hint=error.hint)
    if not count:
        yield requirement.found(Verdict.UNDECIDED, "nobody looked")
