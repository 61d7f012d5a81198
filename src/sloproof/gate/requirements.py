"""Every requirement that a gate can have."""

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from sloproof.gate.live_requirements import BudgetLeft, ObjectivesHold
from sloproof.gate.requirement import Requirement, stamp
from sloproof.gate.run_requirements import Load, NotSlower, Survives
from sloproof.gate.world import World
from sloproof.verdict.gate_decision import GateFinding
from sloproof.verdict.judge import Verdict
from sloproof.verdict.wording import counted

__all__ = [
    "AlertsProven",
    "AnyRequirement",
    "BudgetLeft",
    "Load",
    "NoOpenFaults",
    "NotSlower",
    "ObjectivesHold",
    "Requirement",
    "Survives",
]

MOST_NAMED = 3
"""Alerts that are not proven and are named; `sloproof prove` tells of all."""


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
            seen = f"{counted(count, 'fault')} not put back"
            evidence = "; ".join(faults.descriptions)
            yield self.found(Verdict.FAIL, seen, evidence=evidence, hint="run `sloproof chaos undo`")
        elif faults.unreadable:
            count = faults.unreadable
            seen = f"{counted(count, 'line')} of the undo ledger cannot be read"
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
        told = counted(proofs.cases, "case")
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
