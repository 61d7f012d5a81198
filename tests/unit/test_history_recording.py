"""What is remembered of a run is what the run showed."""

import math
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from sloproof.alerts import Timing
from sloproof.chaos.facts import RunFacts
from sloproof.chaos.outcome import ChaosOutcome
from sloproof.chaos.stage import Stage
from sloproof.history.recording import ended_early, past_run, windows_of
from sloproof.loadtests.evaluation import judge_load
from sloproof.loadtests.load_files import LoadFiles
from sloproof.loadtests.plan import LoadPlan
from sloproof.loadtests.profile import LoadProfile
from sloproof.loadtests.result import LoadResult, Second
from sloproof.slo import SLO, ErrorRatio, Service
from sloproof.verdict.evidence import PROMETHEUS, Counts, Evidence
from sloproof.verdict.judge import Verdict, judge_objective

AVAILABILITY = SLO(
    service=Service(name="api", owner="team", job="api"),
    name="availability",
    objective="99",
    sli=ErrorRatio(errors='r{code="500"}', total="r"),
)
STEADY = LoadProfile(name="steady", system="api", locustfile="users/api.py", users=10, duration="40s", warm_up="2s")


def load(seconds: int = 40, *, partial: bool = False) -> LoadResult:
    found = [
        Second(at=1000.0 + at, started=50, completed=50, errors={"4xx": 2}, latency={-200: 50}) for at in range(seconds)
    ]
    found[-1] = found[-1].model_copy(update={"errors": {"5xx": 1, "4xx": 2}})
    return LoadResult(
        profile="steady", system="api", target="http://127.0.0.1:1", locustfile="users/api.py", users=10,
        asked_rate=None, warm_up=2.0, started_at=1000.0, drained_from=1000.0 + seconds - 1, ended_at=1000.0 + seconds,
        seconds=found, partial=partial, in_flight_at_end=3,
    )  # fmt: skip


def facts(run: LoadResult, counted: Counts, chaos: str = "completed") -> RunFacts:
    return RunFacts(
        load=run,
        chaos=ChaosOutcome.model_validate({"status": chaos}),
        objectives=judge_load(run, [AVAILABILITY], {"api/availability": counted}),
        alerts={},
        before={},
        policies={},
        timing=Timing(),
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    files = LoadFiles(tmp_path)
    files.folder.mkdir()
    plan = LoadPlan.of(STEADY, target="http://127.0.0.1:1", thresholds=[Decimal("0.5")], allowed=[])
    files.plan.write_text(plan.model_dump_json())
    return tmp_path


def stage(given: RunFacts) -> Stage:
    return Stage("steady", given, ())


def test_a_run_is_remembered_without_its_warm_up(folder: Path) -> None:
    counted = Counts(source=PROMETHEUS, total=2003, bad=1)
    run, windows = past_run(
        [stage(facts(load(), counted))], kind="load", name="steady", verdict=Verdict.PASS, exit_code=0, folder=folder
    )
    assert (run.completed, run.failed, run.partial) == (38 * 50, 1, False)
    assert [(one.slo, one.verdict, one.bad, one.total) for one in run.objectives] == [
        ("api/availability", Verdict.PASS, 4, 1903)
    ]
    assert run.load["users"] == 10
    assert run.load["duration"] == 40
    assert "target" not in run.load
    assert windows is not None
    assert (len(windows.completed), windows.asked, sum(windows.failed), windows.open) == (38, 37, 1, 3)


def test_a_figure_that_is_no_number_is_remembered_as_none(folder: Path) -> None:
    given = facts(load(), Counts(source=PROMETHEUS, total=2000, bad=1))
    result = given.objectives[0]
    nan = Counts(source=PROMETHEUS, total=math.nan, bad=math.nan)
    evidence = Evidence(slo="api/availability", objective=Decimal(99), counts=nan)
    unknown = replace(result, judgement=judge_objective(Decimal("0.01"), evidence))
    told = stage(replace(given, objectives=[unknown]))
    run, _ = past_run([told], kind="load", name="x", verdict=Verdict.UNDECIDED, exit_code=3, folder=folder)
    assert (run.objectives[0].bad, run.objectives[0].total, run.objectives[0].ratio) == (None, None, None)


@pytest.mark.parametrize(("partial", "chaos"), [(True, "completed"), (False, "interrupted")])
def test_a_run_that_ended_early_is_marked(folder: Path, partial: bool, chaos: str) -> None:
    given = facts(load(partial=partial), Counts(source=PROMETHEUS, total=2000, bad=1), chaos)
    run, _ = past_run([stage(given)], kind="load", name="x", verdict=Verdict.UNDECIDED, exit_code=3, folder=folder)
    assert run.partial


def test_runs_of_several_loads_have_no_common_windows(folder: Path) -> None:
    both = [stage(facts(load(), Counts(source=PROMETHEUS, total=2000, bad=1)))] * 2
    run, windows = past_run(both, kind="demo", name="demo", verdict=Verdict.PASS, exit_code=0, folder=folder)
    assert windows is None
    assert run.completed == 2 * 38 * 50
    assert len(run.objectives) == 2


def test_hours_are_kept_in_few_windows() -> None:
    windows = windows_of(load(3600))
    assert len(windows.completed) <= 600
    assert sum(windows.completed) == 3598 * 50


def test_what_an_interrupted_run_left_is_undecided(folder: Path) -> None:
    LoadFiles(folder).seconds.write_text("".join(s.model_dump_json() + "\n" for s in load(10).seconds))
    left = ended_early(folder, kind="load", name="steady", system="api", exit_code=130, reason="stopped by SIGINT")
    assert left is not None
    run, windows = left
    assert (run.verdict, run.partial, run.exit_code) == (Verdict.UNDECIDED, True, 130)
    assert run.notes[-1] == "stopped by SIGINT"
    assert windows is not None
    assert sum(windows.completed) == 8 * 50


def test_a_run_that_sent_nothing_leaves_nothing(folder: Path) -> None:
    assert ended_early(folder, kind="load", name="x", system="api", exit_code=2, reason="why") is None


def test_a_load_that_proves_nothing_is_remembered_as_unfit_to_compare_with(folder: Path) -> None:
    given = facts(load(), Counts(source=PROMETHEUS, total=2003, bad=1))
    turned_away = [second.model_copy(update={"errors": {"429": 50}}) for second in given.load.seconds]
    saturated = given.load.generator.model_copy(
        update={"saturated": True, "reasons": ["used more than 90 % of a core"]}
    )
    unfit = given.load.model_copy(update={"seconds": turned_away, "generator": saturated})
    told = {"kind": "load", "name": "steady", "verdict": Verdict.UNDECIDED, "exit_code": 3, "folder": folder}
    assert past_run([stage(given)], **told)[0].unfit == ()  # type: ignore[arg-type]
    run, _ = past_run([stage(replace(given, load=unfit))], **told)  # type: ignore[arg-type]
    assert run.unfit == (
        "its load generator was not fit to measure: used more than 90 % of a core",
        "100 % of the answers were 4xx or 429, so hardly anything was asked of the system",
    )
