"""Runs for a gate: made now against the lab, or taken from the history."""

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from sloproof.chaos.expecting import Finding
from sloproof.chaos.experiment import Experiment, Holds
from sloproof.chaos.facts import RunFacts
from sloproof.chaos.stage import Stage, verdict_of
from sloproof.chaos.toolkit_json import experiment_json
from sloproof.cli import console
from sloproof.cli.remembering import Remembered, remember
from sloproof.errors import UndoFailed, UsageError
from sloproof.gate.taking import fitting
from sloproof.gate.world import NoRun, RunRecord
from sloproof.loadtests.baseline import Baseline
from sloproof.loadtests.distribution import Distribution
from sloproof.loadtests.load_files import LoadFiles, digest
from sloproof.loadtests.plan import LoadPlan
from sloproof.loadtests.profile import LoadProfile
from sloproof.slo import SLO
from sloproof.verdict.judge import Verdict

if TYPE_CHECKING:
    from sloproof.chaos.run import Watch
    from sloproof.chaos.surroundings import Surroundings
    from sloproof.history import History, PastRun
    from sloproof.workspace import Workspace

_NOT_COMPARED = {"target", "allowed"}
_MOST_CANDIDATES = 200
LAB = "lab"
"""Where runs of a gate are made; the history also holds runs against other targets, which say nothing of it."""


@dataclass(frozen=True)
class GateRuns:
    """Makes runs against the lab of a system, or takes them from the history.

    Args:
        workspace: the definitions.
        surroundings: the lab that is up; asked for when something is run.
        history: the history's file.
        release: what is judged.
        take: runs are only taken, and may have ended so long ago; None: they are made.
        told: every run that was given to the gate, in order.
    """

    workspace: "Workspace"
    surroundings: "Callable[[], Surroundings]"
    history: Path
    release: str
    take: timedelta | None = None
    told: list[RunRecord] = field(default_factory=list)

    def run_load(self, profile: LoadProfile, max_age: timedelta | None) -> RunRecord | NoRun:
        """A run of a profile; see `World`."""
        slos = self.workspace.slos_of(profile.system)
        promised = (promise.describe() for promise in (*map(Holds, slos), *profile.expect))
        asked = frozenset({_wanted(profile, slos, self.workspace.root), *promised})
        taken = self._taken("load", profile.name, profile.system, asked, max_age)
        if isinstance(taken, RunRecord) and profile.baseline is not None:  # another run may be pinned by now
            compared = self.compare_with_baseline(profile, taken, profile.baseline)
            return self._given(replace(taken, findings=(*taken.findings, *compared)))
        return self._given(taken if taken is not None else self._load(profile))

    def run_experiment(self, experiment: Experiment, max_age: timedelta | None) -> RunRecord | NoRun:
        """A run of an experiment; see `World`."""
        profile = experiment.load.model_copy(update={"duration": experiment.run_length})
        wanted = _wanted(profile, self.workspace.slos_of(experiment.system), self.workspace.root)
        expected = (expectation.describe() for expectation in experiment.expect)
        asked = frozenset({wanted, experiment_json(experiment), *expected})
        taken = self._taken("chaos", experiment.name, experiment.system, asked, max_age)
        return self._given(taken if taken is not None else self._experiment(experiment))

    def compare_with_baseline(self, profile: LoadProfile, run: RunRecord, limits: Baseline) -> list[Finding]:
        """A run beside the pinned one of its profile; see `World`."""
        from sloproof.history.against import NO_COMPARISON, Against, beside_baseline, findings

        if not run.number:
            why = "this run is not in the history, so its seconds are not known"
            return [Finding("this run can be compared with an earlier run", NO_COMPARISON, Verdict.UNDECIDED, why)]
        with self._opened() as history:
            pinned = history.baseline(profile.name, profile.system)
            return findings(Against(pinned, beside_baseline(history, run.number, limits)))

    def _given(self, run: RunRecord | NoRun) -> RunRecord | NoRun:
        if isinstance(run, RunRecord):
            self.told.append(run)
        return run

    def _taken(
        self, kind: str, name: str, system: str, asked: frozenset[str], max_age: timedelta | None
    ) -> RunRecord | NoRun | None:
        """A run of the history, why there is none where only those count, or None: make one."""
        limit = self.take or max_age
        if limit is None:
            return None
        with self._opened() as history:
            past = history.runs(kind=kind, name=name, system=system, limit=_MOST_CANDIDATES)
        own = [self._told(_remembered(run)) for run in past if (run.release, run.environment) == (self.release, LAB)]
        found = fitting(own, asked=asked, release=self.release, max_age=limit, now=time.time())
        if isinstance(found, NoRun) and self.take is None:
            console.say(f"{name}: {found.reason}; so it is run now")
            return None
        return found

    def _opened(self) -> "History":
        from sloproof.history import History

        return History.open(self.history)

    def _load(self, profile: LoadProfile) -> RunRecord:
        from sloproof.chaos.run import run_load
        from sloproof.cli.extras import require

        require("load")
        surroundings = self.surroundings()
        return self._made(
            surroundings,
            Remembered(
                history=self.history, kind="load", name=profile.name, system=profile.system, release=self.release
            ),
            lambda folder, watch: run_load(profile, surroundings, folder, watch),
            lambda facts: Stage.of_load(profile.name, facts, profile.expect),
            profile.baseline,
        )

    def _experiment(self, experiment: Experiment) -> RunRecord:
        from sloproof.chaos.run import run_experiment
        from sloproof.cli.admission import admitted
        from sloproof.cli.extras import require

        require("load", "chaos")
        surroundings = self.surroundings()
        for fault in experiment.faults:
            console.say(f"planned: {fault.describe()}")
        # Whoever asks for a gate has said yes to what it requires; beyond a budget no gate goes.
        limits = admitted(experiment, self.workspace, surroundings, yes=True, over_budget=False)
        return self._made(
            surroundings,
            Remembered(
                history=self.history,
                kind="chaos",
                name=experiment.name,
                system=experiment.system,
                release=self.release,
            ),
            lambda folder, watch: run_experiment(experiment, surroundings, folder, watch, limits),
            lambda facts: Stage.of_experiment(experiment, facts),
        )

    def _made(
        self,
        surroundings: "Surroundings",
        remembered: Remembered,
        run: "Callable[[Path, Watch], RunFacts]",
        judge: Callable[[RunFacts], Stage],
        limits: Baseline | None = None,
    ) -> RunRecord:
        from sloproof.cli.comparing import compared, find_earlier
        from sloproof.cli.outcome import recorded_in, write_records
        from sloproof.cli.progress import live_line
        from sloproof.cli.surroundings import new_run_folder

        name = remembered.name
        folder, difference = new_run_folder(self.workspace, name), None
        earlier = find_earlier(remembered, None) if remembered.kind == "load" else None
        with recorded_in(folder, {}, remembered=remembered), live_line(f"{name}: ") as watch:
            stage = judge(run(folder, watch))
        if earlier is not None:
            stage, difference = compared(stage, remembered, folder, earlier, limits)
        title, command = f"{name}, for a gate", f"sloproof {remembered.kind} run {name}"
        write_records([stage], surroundings, folder, title, command, None, against=difference, remembered=remembered)
        return self._told(_kept(stage, remembered, folder))

    def _told(self, run: RunRecord) -> RunRecord:
        """A run whose folder is told from the workspace's root, as far as it lies there."""
        folder, root = Path(run.folder), self.workspace.root
        return replace(run, folder=str(folder.relative_to(root)) if folder.is_relative_to(root) else run.folder)


def _kept(stage: Stage, remembered: Remembered, folder: Path) -> RunRecord:
    """A run that was made, once it is in the history."""
    from sloproof.cli.outcome import environment_of

    left = stage.facts.chaos.not_undone
    code = UndoFailed.exit_code if left else verdict_of([stage]).exit_code
    kept = remember([stage], remembered, folder, exit_code=code, versions=environment_of([stage]))
    return _record_of(stage, remembered.release, folder, kept.id if kept is not None else 0)


def _record_of(stage: Stage, release: str, folder: Path, number: int) -> RunRecord:
    load, chaos = stage.facts.load, stage.facts.chaos
    evaluated = load.evaluated()
    return RunRecord(
        name=stage.name,
        verdict=verdict_of([stage]),
        findings=stage.findings,
        started_at=load.started_at,
        ended_at=load.ended_at,
        completed=evaluated.completed,
        failed=evaluated.failed,
        partial=load.partial or chaos.status != "completed",
        release=release,
        folder=str(folder),
        not_undone=chaos.not_undone,
        number=number,
    )


def _remembered(run: "PastRun") -> RunRecord:
    """A run of the history; what it was asked for and what it found is read from its own records."""
    findings, asked = _records(Path(run.folder))
    return RunRecord(
        name=run.name,
        verdict=run.verdict,
        findings=findings,
        started_at=run.started_at,
        ended_at=run.ended_at,
        completed=run.completed,
        failed=run.failed,
        partial=run.partial,
        release=run.release,
        taken=True,
        folder=run.folder,
        not_undone=("the run's own report names it",) if run.exit_code == UndoFailed.exit_code else (),
        asked=asked,
        number=run.id,
    )


def _records(folder: Path) -> tuple[tuple[Finding, ...], frozenset[str]]:
    from sloproof.report.json import read_json

    try:
        report = read_json((folder / "report.json").read_text(encoding="utf-8"))
        plan = LoadFiles(folder).read_plan()
    except (OSError, UsageError, ValueError):
        return (), frozenset()
    document = folder / "experiment.json"
    experiment = [document.read_text(encoding="utf-8")] if document.is_file() else []
    findings = tuple(
        Finding(row.expected, row.observed, Verdict(row.verdict), row.detail) for row in report.expectations
    )
    return findings, frozenset({_plan_text(plan), *experiment, *(finding.expected for finding in findings)})


def _wanted(profile: LoadProfile, slos: Sequence[SLO], root: Path) -> str:
    """The plan of a new run; one that needs more than its definition, such as a recorded day, equals no other."""
    thresholds = [slo.sli.client_threshold for slo in slos]
    try:
        plan = LoadPlan.of(
            profile,
            target="",
            thresholds=[one for one in thresholds if one is not None],
            allowed=(),
            distribution=Distribution.here(profile.processes),
            digest=digest(root / "loadtests" / profile.locustfile),
        )
    except ValueError as error:
        return f"unknown: {error}"
    return _plan_text(plan)


def _plan_text(plan: LoadPlan) -> str:
    return json.dumps(plan.model_dump(mode="json", exclude=_NOT_COMPARED), sort_keys=True)
