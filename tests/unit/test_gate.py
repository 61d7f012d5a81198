"""What a gate requires, what it decides, and all that it never passes on."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from sloproof import (
    SLO,
    AlertsProven,
    BudgetLeft,
    ErrorRatio,
    Experiment,
    Gate,
    Holds,
    KillInstance,
    Load,
    LoadProfile,
    NoOpenFaults,
    NotSlower,
    ObjectivesHold,
    Service,
    Survives,
)
from sloproof.chaos.expecting import Finding
from sloproof.errors import PartFailed, Refused, SloproofError, UndoFailed
from sloproof.gate.examination import examine
from sloproof.gate.requirements import AnyRequirement
from sloproof.gate.taking import fitting
from sloproof.gate.world import BudgetNow, NoRun, OpenFaults, Proofs, ProvenAlert, RunRecord
from sloproof.loadtests.baseline import Baseline
from sloproof.verdict.evidence import Counts
from sloproof.verdict.gate_decision import PRECEDENCE, GateDecision, GateFinding
from sloproof.verdict.judge import Judgement, Verdict
from tests.unit.gate_samples import decision, finding

API = Service(name="api", owner="team", job="api")
SLO_ = SLO(service=API, name="availability", objective="99.9", sli=ErrorRatio(errors='r{code="5"}', total="r"))
STEADY = LoadProfile(name="steady", system="api", locustfile="users/api.py", users=10, duration="40s")
LOSE = Experiment(
    name="lose", system="api", load=STEADY, faults=[KillInstance("a", at="5s", back_after="5s")], expect=[Holds(SLO_)]
)
NOW = 10_000.0
GOOD = Finding("`api/availability` holds its 99.9 %", "0 % of requests were bad", Verdict.PASS, "0 bad of 4,000")


def run(**changes: Any) -> RunRecord:
    made = RunRecord("steady", Verdict.PASS, (GOOD,), NOW - 60, NOW - 20, completed=4000, failed=0, release="1")
    return replace(made, **changes)


def judged(verdict: Verdict, ratio: float | None = 0.0) -> Judgement:
    counts = Counts(source="Prometheus", total=100, bad=0)
    return Judgement(slo="api/availability", verdict=verdict, counts=counts, confidence=0.95, ratio=ratio, reason="so")


@dataclass
class World:
    """A world that says what it was told to, or fails as it was told to."""

    load: RunRecord | NoRun | SloproofError = field(default_factory=run)
    experiment: RunRecord | NoRun | SloproofError = field(default_factory=run)
    left: Sequence[BudgetNow] | SloproofError = (BudgetNow("api/availability", 0.9, 1.0, True, "30d"),)
    now: Sequence[Judgement] | SloproofError = field(default_factory=lambda: [judged(Verdict.PASS)])
    faults: OpenFaults | SloproofError = field(default_factory=OpenFaults)
    proof: Proofs | SloproofError = field(default_factory=lambda: Proofs((ProvenAlert("ApiFast"),), 5, NOW))
    compared: Sequence[Finding] = ()
    slos: tuple[SLO, ...] = (SLO_,)
    asked: list[str] = field(default_factory=list)

    def run_load(self, profile: LoadProfile, max_age: timedelta | None) -> RunRecord | NoRun:
        self.asked.append("load")
        said: RunRecord | NoRun = _said(self.load)
        return said

    def run_experiment(self, experiment: Experiment, max_age: timedelta | None) -> RunRecord | NoRun:
        self.asked.append("experiment")
        said: RunRecord | NoRun = _said(self.experiment)
        return said

    def compare_with_baseline(self, profile: LoadProfile, run: RunRecord, limits: Baseline) -> list[Finding]:
        return list(self.compared)

    def budgets(self, slos: Sequence[SLO]) -> list[BudgetNow]:
        return list(_said(self.left))

    def live(self, slo: SLO, over: timedelta) -> list[Judgement]:
        return list(_said(self.now))

    def open_faults(self) -> OpenFaults:
        said: OpenFaults = _said(self.faults)
        return said

    def proofs(self) -> Proofs:
        said: Proofs = _said(self.proof)
        return said

    def objectives(self) -> tuple[SLO, ...]:
        return self.slos


def _said(answer: Any) -> Any:
    if isinstance(answer, SloproofError):
        raise answer
    return answer


def decided(*requires: AnyRequirement, **world: Any) -> GateDecision:
    gate = Gate(name="release", system="api", requires=requires)
    return examine(gate, World(**world), release="1", clock=lambda: NOW, say=lambda _: None)


EVERYTHING: tuple[AnyRequirement, ...] = (
    NoOpenFaults(), AlertsProven(), Load(STEADY), ObjectivesHold(), BudgetLeft("20%"), Survives(LOSE)
)  # fmt: skip


def test_a_gate_passes_when_everything_that_it_requires_is_shown() -> None:
    found = decided(*EVERYTHING)
    assert (found.verdict, found.exit_code) == (Verdict.PASS, 0), found.headline
    assert {one.requirement for one in found.findings} == {requirement.title for requirement in EVERYTHING}


NEVER: dict[str, tuple[dict[str, Any], Verdict, int]] = {
    "no request at all": ({"load": run(completed=0, findings=(GOOD,))}, Verdict.UNDECIDED, 3),
    "no request was answered": ({"load": run(failed=4000)}, Verdict.FAIL, 1),
    "a run that ended early": ({"load": run(partial=True)}, Verdict.UNDECIDED, 3),
    "a run that judged nothing": ({"load": run(findings=())}, Verdict.UNDECIDED, 3),
    "an objective that was missed": (
        {"load": run(findings=(Finding("holds", "no", Verdict.FAIL),))}, Verdict.FAIL, 1),
    "an objective that stayed open": (
        {"load": run(findings=(GOOD, Finding("holds", "?", Verdict.UNDECIDED)))}, Verdict.UNDECIDED, 3),
    "no run that may be taken": ({"load": NoRun("the newest is 3 h old", "run it")}, Verdict.UNDECIDED, 3),
    "a generator that failed": ({"load": PartFailed("Locust died")}, Verdict.UNDECIDED, 6),
    "a target that is refused": ({"load": Refused("not listed")}, Verdict.UNDECIDED, 5),
    "a fault that stayed": ({"experiment": run(not_undone=("a is gone",))}, Verdict.FAIL, 7),
    "an undo that failed": ({"experiment": UndoFailed("a is gone")}, Verdict.UNDECIDED, 7),
    "an open fault": ({"faults": OpenFaults(("a is gone",))}, Verdict.FAIL, 1),
    "a ledger that cannot be read whole": ({"faults": OpenFaults((), 1)}, Verdict.UNDECIDED, 3),
    "an alert that is not proven": (
        {"proof": Proofs((ProvenAlert("A"), ProvenAlert("B", ("fires late",))), 5, NOW)}, Verdict.FAIL, 1),
    "no alert": ({"proof": Proofs((), 0, NOW)}, Verdict.UNDECIDED, 3),
    "no promtool": ({"proof": PartFailed("promtool is missing")}, Verdict.UNDECIDED, 6),
    "no objective": ({"slos": ()}, Verdict.UNDECIDED, 3),
    "nothing recorded": ({"now": []}, Verdict.UNDECIDED, 3),
    "an objective that is missed now": ({"now": [judged(Verdict.FAIL, 0.1)]}, Verdict.FAIL, 1),
    "a group that is missed now": (
        {"now": [judged(Verdict.PASS), judged(Verdict.FAIL, 0.1), judged(Verdict.UNDECIDED)]}, Verdict.FAIL, 1),
    "an objective that is unknown now": ({"now": [judged(Verdict.UNDECIDED, None)]}, Verdict.UNDECIDED, 3),
    "an unreachable Prometheus": (
        {"now": PartFailed("cannot be reached"), "left": PartFailed("cannot be reached")}, Verdict.UNDECIDED, 6),
    "no budget figure": ({"left": ()}, Verdict.UNDECIDED, 3),
    "a budget that is unknown": (
        {"left": (BudgetNow("api/availability", None, None, False, "30d"),)}, Verdict.UNDECIDED, 3),
    "a budget that is NaN": (
        {"left": (BudgetNow("api/availability", math.nan, 1.0, True, "30d"),)}, Verdict.UNDECIDED, 3),
    "a budget of which too little was measured": (
        {"left": (BudgetNow("api/availability", 0.9, 0.1, False, "30d"),)}, Verdict.UNDECIDED, 3),
    "a budget that is nearly gone": (
        {"left": (BudgetNow("api/availability", 0.19, 1.0, True, "30d"),)}, Verdict.FAIL, 1),
    "a budget that is nearly gone in what was measured": (
        {"left": (BudgetNow("api/availability", -0.1, 0.1, False, "30d"),)}, Verdict.FAIL, 1),
}  # fmt: skip


@pytest.mark.parametrize(
    ("left", "told"),
    [
        (0.125, "12.5 % is left"),
        (-0.02, "nothing is left: 102 % of it was spent"),
        (-501.0, "nothing is left: it was spent 502 times over"),
    ],
)
def test_a_gate_says_in_words_how_far_a_budget_is_overspent(left: float, told: str) -> None:
    found = decided(BudgetLeft("20%"), left=(BudgetNow("api/availability", left, 1.0, True, "30d"),))
    assert [finding.observed for finding in found.findings] == [told]


@pytest.mark.parametrize(("failed", "told"), [(1, "1 request failed"), (3, "3 requests failed")])
def test_a_finding_that_passed_speaks_of_no_failed_requests(failed: int, told: str) -> None:
    found = decided(Load(STEADY), load=run(failed=failed))
    itself = found.findings[0]
    assert itself.verdict is Verdict.PASS
    assert "failed" not in itself.observed
    assert f"{told}, which the objectives judge" in itself.evidence


@pytest.mark.parametrize("case", NEVER)
def test_a_gate_never_passes_on(case: str) -> None:
    world, verdict, code = NEVER[case]
    found = decided(*EVERYTHING, **world)
    assert (found.verdict, found.exit_code) == (verdict, code), found.findings


@pytest.mark.parametrize("verdict", Verdict)
def test_a_comparison_decides_as_it_says(verdict: Verdict) -> None:
    compared = [Finding("p95 is at most 10 % slower than in run 3", "21 ms then, 40 ms now", verdict, "so")]
    found = decided(Load(STEADY), NotSlower(STEADY), compared=compared)
    assert found.verdict is verdict
    assert found.findings[-1].evidence.startswith("so; run for this gate")


def test_a_comparison_that_compares_nothing_is_undecided() -> None:
    assert decided(NotSlower(STEADY)).verdict is Verdict.UNDECIDED


@pytest.mark.parametrize("run_", [run(partial=True), run(completed=0), NoRun("none")])
def test_a_run_that_is_none_is_compared_with_nothing(run_: RunRecord | NoRun) -> None:
    compared = [Finding("p95 is at most 10 % slower", "the same", Verdict.PASS)]
    assert decided(NotSlower(STEADY), load=run_, compared=compared).verdict is Verdict.UNDECIDED


def test_nothing_is_loaded_or_broken_once_something_has_failed() -> None:
    gate = Gate(name="release", system="api", requires=[NoOpenFaults(), Load(STEADY), AlertsProven(), Survives(LOSE)])
    world = World(faults=OpenFaults(("a is gone",)))
    found = examine(gate, world, release="1", clock=lambda: NOW, say=lambda _: None)
    assert world.asked == []
    assert [one.observed for one in found.findings if one.requirement in ("load steady", "survives lose")] == [
        "not run", "not run"
    ]  # fmt: skip
    assert "18" not in found.headline and found.exit_code == 1


def test_a_part_that_fails_leaves_the_other_requirements_to_be_asked() -> None:
    found = decided(*EVERYTHING, now=PartFailed("Prometheus died", hint="start it"))
    (one,) = [one for one in found.findings if one.requirement == "objectives hold"]
    assert (one.verdict, one.code, one.hint) == (Verdict.UNDECIDED, 6, "start it")
    assert {one.requirement for one in found.findings} == {requirement.title for requirement in EVERYTHING}


def test_a_taken_run_says_when_it_was() -> None:
    found = decided(Load(STEADY), load=run(taken=True, folder="runs/1"))
    assert found.findings[0].evidence == (
        "taken from the history of release `1`, 1970-01-01 02:45:40 UTC to 02:46:20 UTC, in `runs/1`"
    )


def codes(*found: GateFinding) -> int:
    return decision(*found).exit_code


def test_the_exit_code_tells_the_gravest_thing() -> None:
    of_code = {code: finding(Verdict.UNDECIDED, code=code) for code in (2, 4, 5, 6, 7)}
    of_code |= {1: finding(Verdict.FAIL), 3: finding(Verdict.UNDECIDED)}
    assert set(of_code) == set(PRECEDENCE)
    for place, code in enumerate(PRECEDENCE):
        assert codes(*(of_code[one] for one in reversed(PRECEDENCE[place:])), finding(Verdict.PASS)) == code
    assert codes(finding(Verdict.PASS)) == 0


def test_no_findings_and_an_error_that_passes_cannot_be() -> None:
    assert (decision().verdict, decision().exit_code) == (Verdict.UNDECIDED, 3)
    with pytest.raises(ValidationError, match="did not pass"):
        finding(Verdict.PASS, code=6)


def refused(match: str, make: Callable[[], object]) -> None:
    with pytest.raises(ValidationError, match=match):
        make()


def test_a_gate_refuses_what_cannot_be() -> None:
    other = STEADY.model_copy(update={"system": "other"})
    refused("at least 1", lambda: Gate(name="g", system="api", requires=[]))
    refused("required twice", lambda: Gate(name="g", system="api", requires=[Load(STEADY), Load(STEADY)]))
    refused("for the system `other`", lambda: Gate(name="g", system="api", requires=[Load(other)]))
    refused("for the system `other`", lambda: Gate(name="g", system="api", requires=[NotSlower(other)]))
    refused("for the system `api`", lambda: Gate(name="g", system="other", requires=[Survives(LOSE)]))
    refused("for the system `api`", lambda: Gate(name="g", system="other", requires=[ObjectivesHold(SLO_)]))
    refused("for the system `api`", lambda: Gate(name="g", system="other", requires=[BudgetLeft("1", slos=[SLO_])]))
    refused("too short to judge", lambda: ObjectivesHold(over="5m"))
    refused("as text", lambda: BudgetLeft(0.2))  # type: ignore[arg-type]
    refused("less than 100", lambda: BudgetLeft("100%"))
    refused("valid decimal", lambda: BudgetLeft("much"))


def test_a_percentage_may_be_written_with_its_sign() -> None:
    assert BudgetLeft("20%").least == BudgetLeft("20").least == BudgetLeft(" 20 % ").least


ASKED = frozenset({"plan", "holds"})


def taken(*candidates: RunRecord, release: str = "1", age: float = 3600, now: float = NOW) -> RunRecord | NoRun:
    return fitting(candidates, asked=ASKED, release=release, max_age=timedelta(seconds=age), now=now)


def reason(found: RunRecord | NoRun) -> str:
    assert isinstance(found, NoRun), found
    return found.reason


def test_a_fresh_run_of_the_same_release_is_taken() -> None:
    own = run(asked=ASKED | {"more"})
    assert taken(own) is own


def test_a_stale_run_is_not_taken() -> None:
    assert "ended 2h ago; at most 1h" in reason(taken(run(asked=ASKED, ended_at=NOW - 7200)))


def test_a_run_of_another_release_is_not_taken() -> None:
    assert "no run of release `2`" in reason(taken(run(asked=ASKED), release="2"))


def test_a_run_that_was_asked_for_something_else_is_not_taken() -> None:
    assert "asked for something else" in reason(taken(run(asked=frozenset({"plan"}))))


def test_a_release_that_nobody_named_or_committed_takes_nothing() -> None:
    assert "nobody said which release" in reason(taken(run(asked=ASKED, release=""), release=""))
    assert "not committed" in reason(taken(run(asked=ASKED, release="ab12+changes"), release="ab12+changes"))


def test_an_older_run_that_passed_does_not_hide_a_newer_one_that_failed() -> None:
    newer = run(asked=ASKED, verdict=Verdict.FAIL)
    assert taken(newer, run(asked=ASKED, ended_at=NOW - 100)) is newer


def test_a_newest_run_that_does_not_fit_is_not_passed_over() -> None:
    assert "something else" in reason(taken(run(asked=frozenset()), run(asked=ASKED)))
