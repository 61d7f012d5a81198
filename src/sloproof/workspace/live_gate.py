"""What a gate asks, asked of the live system, of the ledger and of the rules of a workspace."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Protocol

from sloproof.alerts import Timing
from sloproof.chaos.expecting import Finding
from sloproof.chaos.experiment import Experiment
from sloproof.chaos.ledger import Ledger
from sloproof.errors import PartFailed, UsageError
from sloproof.gate.world import BudgetNow, NoRun, OpenFaults, Proofs, ProvenAlert, RunRecord
from sloproof.loadtests.baseline import Baseline
from sloproof.loadtests.profile import LoadProfile
from sloproof.prometheus import Prometheus
from sloproof.slo import SLO
from sloproof.verdict.judge import Judgement, Verdict
from sloproof.workspace import kept_proofs, proofs
from sloproof.workspace.last_proofs import PROOFS_FOLDER
from sloproof.workspace.live_objectives import judge_live
from sloproof.workspace.loading import Workspace
from sloproof.workspace.status import BudgetStatus, status_of


class Runner(Protocol):
    """Makes runs, or takes them from the history."""

    def run_load(self, profile: LoadProfile, max_age: timedelta | None) -> RunRecord | NoRun:
        """A run of a profile."""
        ...

    def run_experiment(self, experiment: Experiment, max_age: timedelta | None) -> RunRecord | NoRun:
        """A run of an experiment."""
        ...

    def compare_with_baseline(self, profile: LoadProfile, run: RunRecord, limits: Baseline) -> list[Finding]:
        """A run beside the pinned one."""
        ...


@dataclass
class LiveWorld:
    """The world of one gate.

    Args:
        workspace: the definitions.
        system: that the gate guards.
        runner: makes and takes runs.
        live: the Prometheus that the rules run on, and the clock of those rules; asked for when it is needed.
        promtool: where it lies; asked for when it is needed.
    """

    workspace: Workspace
    system: str
    runner: Runner
    live_prometheus: Callable[[], tuple[Prometheus, Timing]]
    promtool: Callable[[], Path]
    _loads: dict[str, RunRecord | NoRun] = field(default_factory=dict)

    def objectives(self) -> tuple[SLO, ...]:
        """Every objective of the system."""
        return self.workspace.slos_of(self.system)

    def run_load(self, profile: LoadProfile, max_age: timedelta | None) -> RunRecord | NoRun:
        """A run of a profile; one is enough, however many requirements ask for it."""
        key = profile.model_dump_json()
        if key not in self._loads:
            self._loads[key] = self.runner.run_load(profile, max_age)
        return self._loads[key]

    def run_experiment(self, experiment: Experiment, max_age: timedelta | None) -> RunRecord | NoRun:
        """A run of an experiment."""
        return self.runner.run_experiment(experiment, max_age)

    def compare_with_baseline(self, profile: LoadProfile, run: RunRecord, limits: Baseline) -> list[Finding]:
        """A run beside the pinned one."""
        return self.runner.compare_with_baseline(profile, run, limits)

    def budgets(self, slos: Sequence[SLO]) -> list[BudgetNow]:
        """What `sloproof status` says of these objectives.

        Raises:
            PartFailed: Prometheus does not answer, or only in part.
        """
        prometheus, timing = self.live_prometheus()
        status = status_of(self.workspace.only(self.system), prometheus, scale=timing.scale).whole()
        wanted = {slo.identity for slo in slos}
        return [_budget(one) for one in status.budgets if one.slo.identity in wanted]

    def live(self, slo: SLO, over: timedelta) -> list[Judgement]:
        """The objective over the last stretch of time."""
        prometheus, timing = self.live_prometheus()
        return judge_live(slo, prometheus, timing, over, time.time())

    def open_faults(self) -> OpenFaults:
        """What the undo ledger holds open of the system.

        Raises:
            PartFailed: the ledger cannot be read.
        """
        ledger = self.workspace.state / "ledger.jsonl"
        try:
            contents = Ledger(ledger).read()
        except OSError as error:
            raise PartFailed(f"the undo ledger `{ledger}` cannot be read: {error.strerror}") from error
        found = [entry.description for entry in contents.open_entries() if entry.system == self.system]
        return OpenFaults(tuple(found), contents.unreadable)

    def proofs(self) -> Proofs:
        """Whether each alert fires and clears when promised.

        Raises:
            PartFailed: promtool is missing or fails.
        """
        own = self.workspace.only(self.system)
        try:
            plans = proofs.plans(own)
        except UsageError:  # there is no alert at all
            return Proofs((), 0, time.time())
        proof, kept = kept_proofs.prove(self.promtool(), plans, self.workspace.state / PROOFS_FOLDER)
        alerts = tuple(ProvenAlert(alert, why_not) for alert, why_not in proof.why_not.items())
        return Proofs(alerts, proof.cases, proof.proven_at, kept)


def _budget(one: BudgetStatus) -> BudgetNow:
    group = f"its worst group is {', '.join(one.group)}" if one.group else ""
    return BudgetNow(
        slo=one.slo.identity,
        left=one.left,
        coverage=one.coverage,
        measured=one.verdict is not Verdict.UNDECIDED,
        window=one.slo.promised_over,
        notes=tuple(note for note in (group, *one.notes) if note),
    )
