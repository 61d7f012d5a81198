"""What a gate asks of the world, as a port, and the plain values that it gets."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from sloproof.chaos.expecting import Finding
from sloproof.chaos.experiment import Experiment
from sloproof.loadtests.baseline import Baseline
from sloproof.loadtests.profile import LoadProfile
from sloproof.slo import SLO
from sloproof.verdict.judge import Judgement, Verdict


@dataclass(frozen=True)
class RunRecord:
    """A run of a load or of an experiment, made for this gate or taken from the history.

    Args:
        name: of the profile or the experiment.
        verdict: of the whole run; a partial one never passed.
        findings: what it had to show.
        started_at: epoch seconds.
        ended_at: epoch seconds.
        completed: requests that ended.
        failed: those of them that broke a promise (5xx, connection, time-out, other).
        partial: it ended before its time.
        release: what was tested; empty when nobody said.
        taken: it was not made for this gate, but comes from the history.
        folder: where its records lie.
        not_undone: faults that are still in place.
        asked: what was asked for and what it had to show, in parts that can be compared.
        number: in the history; 0 where it is not kept there.
    """

    name: str
    verdict: Verdict
    findings: tuple[Finding, ...]
    started_at: float
    ended_at: float
    completed: int
    failed: int
    partial: bool = False
    release: str = ""
    taken: bool = False
    folder: str = ""
    not_undone: tuple[str, ...] = ()
    asked: frozenset[str] = frozenset()
    number: int = 0


@dataclass(frozen=True)
class NoRun:
    """There is no run that may be taken.

    Args:
        reason: why, in a few words.
        hint: what can be done about it.
    """

    reason: str
    hint: str = ""


@dataclass(frozen=True)
class BudgetNow:
    """What is left of one error budget.

    Args:
        slo: the objective's identity.
        left: share of the budget that is left, ratio of 1, below 0 when it is overspent; None without a figure.
        coverage: share of the budget's window that was measured, ratio of 1; None without a figure.
        measured: enough of the window was measured to say that so much is left.
        window: the budget's window, such as `30d`.
        notes: what a reader must know, in words.
    """

    slo: str
    left: float | None
    coverage: float | None
    measured: bool
    window: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class OpenFaults:
    """What the undo ledger holds open of a system.

    Args:
        descriptions: one sentence a fault.
        unreadable: lines of the ledger that cannot be read, behind any of which a fault may hide.
    """

    descriptions: tuple[str, ...] = ()
    unreadable: int = 0


@dataclass(frozen=True)
class ProvenAlert:
    """An alert, and whether it was proven.

    Args:
        alert: its name.
        why_not: each case that did not hold, with its reason; empty when it is proven.
    """

    alert: str
    why_not: tuple[str, ...] = ()


@dataclass(frozen=True)
class Proofs:
    """The proofs of a system's alerts.

    Args:
        alerts: every alert of the system.
        cases: simulated histories that were run.
        proven_at: when they were run, epoch seconds.
        kept: they were run earlier, for these very rules.
    """

    alerts: tuple[ProvenAlert, ...]
    cases: int
    proven_at: float
    kept: bool = False


class World(Protocol):
    """Everything outside of the definitions; each method raises a SloproofError where its part fails."""

    def run_load(self, profile: LoadProfile, max_age: timedelta | None) -> RunRecord | NoRun:
        """A run of a profile: a fitting one of the history not older than `max_age`, else a new one."""
        ...

    def run_experiment(self, experiment: Experiment, max_age: timedelta | None) -> RunRecord | NoRun:
        """A run of an experiment, in the same way."""
        ...

    def compare_with_baseline(self, profile: LoadProfile, run: RunRecord, limits: Baseline) -> list[Finding]:
        """What a run shows beside the pinned one of its profile; undecided where none is pinned."""
        ...

    def budgets(self, slos: Sequence[SLO]) -> list[BudgetNow]:
        """What is left of each of these budgets."""
        ...

    def live(self, slo: SLO, over: timedelta) -> list[Judgement]:
        """The objective over the last stretch of time, judged on what was recorded; one for each of its groups."""
        ...

    def open_faults(self) -> OpenFaults:
        """What is broken on purpose and not put back."""
        ...

    def proofs(self) -> Proofs:
        """Whether each alert fires and clears when promised."""
        ...

    def objectives(self) -> tuple[SLO, ...]:
        """Every objective of the system."""
        ...
