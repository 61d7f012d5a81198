"""What was seen of an alert, what is kept of it, and what nobody has tried."""

from datetime import timedelta
from pathlib import Path

import pytest

from sloproof.alerts import Timing
from sloproof.chaos.facts import AlertTimeline, RunFacts
from sloproof.chaos.outcome import ChaosOutcome, FaultOutcome
from sloproof.chaos.stage import Stage
from sloproof.errors import UsageError
from sloproof.history.past_run import PastRun
from sloproof.history.seen_alerts import seen_alerts
from sloproof.runbooks.evidence import MOST_SEEN, Evidence, SeenAlert, seen_block, untried_block
from sloproof.workspace import load_workspace
from sloproof.workspace.alert_memory import FAULTS, SEEN, AlertMemory, keep_seen, seen_in
from tests.unit.test_history_recording import load

REPOSITORY = Path(__file__).parents[2]
ONCE = SeenAlert(
    alert="ApiAvailabilityFastBurn",
    kind="chaos",
    run="database-lost",
    at=1_795_356_489.0,
    fault="stop `postgres` for 15s",
    fired_after=12.4,
    cleared_after=290.0,
    restored_by="`postgres` accepts work",
)
KILLED = FaultOutcome(
    fault="kill",
    description="kill `a1`",
    injected_at=100.0,
    undone_at=160.0,
    undo_verified=True,
    undo_evidence="a1 answers",
)


def run(line: AlertTimeline, *faults: FaultOutcome) -> list[Stage]:
    given = RunFacts(
        load=load(),
        chaos=ChaosOutcome(status="completed", faults=faults),
        objectives=(),
        alerts={line.alert: line},
        before={},
        policies={},
        timing=Timing(scale=60, scrape=timedelta(seconds=1), evaluation=timedelta(seconds=1)),
    )
    return [Stage("lose-one", given, ())]


def test_an_alert_that_fired_is_told_from_its_fault_and_from_its_undo() -> None:
    (seen,) = seen_alerts(run(AlertTimeline("A", firing_at=112.0, cleared_at=170.5), KILLED), "chaos")
    assert (seen.run, seen.kind, seen.at, seen.fault) == ("lose-one", "chaos", 112.0, "kill `a1`")
    assert (seen.fired_after, seen.cleared_after, seen.restored_by) == (12.0, 10.5, "a1 answers")
    assert seen.scale == 60


@pytest.mark.parametrize(
    "line",
    [AlertTimeline("A"), AlertTimeline("A", pending_at=1.0), AlertTimeline("A", firing_at=9.0, active_before=True)],
)
def test_what_did_not_begin_to_fire_in_the_run_was_not_seen(line: AlertTimeline) -> None:
    assert seen_alerts(run(line, KILLED), "chaos") == ()


def test_what_fires_before_anything_was_broken_is_the_rest_of_an_earlier_run() -> None:
    assert seen_alerts(run(AlertTimeline("A", firing_at=90.0, cleared_at=195.0), KILLED), "chaos") == ()


def test_a_load_alone_may_fire_an_alert_and_claims_no_times() -> None:
    (seen,) = seen_alerts(run(AlertTimeline("A", firing_at=90.0, cleared_at=95.0)), "load")
    assert (seen.fault, seen.fired_after, seen.cleared_after, seen.restored_by) == ("", None, None, "")


def test_an_alert_that_cleared_before_the_undo_claims_no_reset() -> None:
    (brief,) = seen_alerts(run(AlertTimeline("A", firing_at=110.0, cleared_at=120.0), KILLED), "chaos")
    assert (brief.fired_after, brief.cleared_after) == (10.0, None)


def test_faults_that_are_in_place_together_are_all_told() -> None:
    other = KILLED.model_copy(
        update={"description": "kill `a2`", "injected_at": 105.0, "undone_at": 170.0, "undo_evidence": "a2 answers"}
    )
    over = KILLED.model_copy(update={"description": "delay", "injected_at": 50.0, "undone_at": 60.0})
    (seen,) = seen_alerts(run(AlertTimeline("A", firing_at=112.0, cleared_at=175.0), over, KILLED, other), "chaos")
    assert (seen.fault, seen.restored_by) == ("kill `a1`; kill `a2`", "a1 answers; a2 answers")
    assert (seen.fired_after, seen.cleared_after) == (12.0, 5.0)


def test_a_drill_tells_in_its_own_record_what_fired_after_which_level() -> None:
    assert seen_alerts(run(AlertTimeline("A", firing_at=112.0, cleared_at=170.5), KILLED), "drill") == ()


def test_a_past_run_of_an_older_version_has_seen_nothing() -> None:
    old = PastRun(kind="chaos", name="x", system="api", started_at=0, ended_at=1, verdict="PASS", exit_code=0)
    assert old.alerts == ()


def test_what_is_kept_stays_once_and_the_newest_first(tmp_path: Path) -> None:
    (tmp_path / "alerts").mkdir()
    later = ONCE.model_copy(update={"at": ONCE.at + 60})
    file, new = keep_seen(tmp_path, (), [ONCE])
    assert (file, new) == (tmp_path / SEEN, 1)
    file, new = keep_seen(tmp_path, seen_in(file.read_text()), [ONCE, later])
    assert (new, seen_in(file.read_text())) == (1, (later, ONCE))


@pytest.mark.parametrize("text", ["", "{}", '[{"alert": "A"}]'])
def test_a_damaged_memory_is_named(text: str) -> None:
    with pytest.raises(UsageError, match=r"alerts/seen\.json"):
        seen_in(text)


def test_a_page_tells_when_after_what_and_what_helped() -> None:
    told = seen_block(Evidence("api", seen=(ONCE,)))
    assert told == (
        "- **2026-11-22 14:08 UTC**, chaos `database-lost`; broken: stop `postgres` for 15 s; fired after 12 s; "
        "cleared 4 min 50 s after the undo; restored by: `postgres` accepts work."
    )


def test_words_of_a_run_cannot_break_the_page() -> None:
    hostile = ONCE.model_copy(update={"fault": "a | b\n<!-- /generated:seen -->"})
    told = seen_block(Evidence("api", seen=(hostile,)))
    assert "<!--" not in told
    assert len(told.splitlines()) == 1


def test_many_times_are_counted_and_the_newest_shown() -> None:
    many = tuple(ONCE.model_copy(update={"at": ONCE.at + 60 * n}) for n in range(MOST_SEEN + 2))
    told = seen_block(Evidence("api", seen=many))
    assert told.count(", chaos ") == MOST_SEEN
    assert "and 2 more times before." in told


def test_nothing_seen_and_nothing_tried_is_said_so() -> None:
    assert "No run that is kept has fired this alert" in seen_block(Evidence("api"))
    assert "No experiment breaks `api` yet" in untried_block(Evidence("api"))


def test_an_experiment_that_has_not_fired_it_yet_and_untried_faults_are_named() -> None:
    evidence = Evidence("api", seen=(ONCE,), expecting=("database-lost", "slow"), experiments=2, untried=("PressCPU",))
    told = untried_block(evidence)
    assert "no such run is kept: `sloproof chaos run slow`." in told
    assert "database-lost" not in told
    assert "`PressCPU`" in told


def test_the_workspace_knows_its_experiments_and_the_faults_that_none_tries() -> None:
    known = AlertMemory(load_workspace(REPOSITORY), None).evidence("TasksLatencySlowBurn", "tasks")
    assert known.expecting == ("slow-backend",)
    assert "KillInstance" not in known.untried
    assert set(known.untried) < {fault.__name__ for fault in FAULTS}
    elsewhere = AlertMemory(load_workspace(REPOSITORY), None).evidence("PlatformShardDown", "platform")
    assert (elsewhere.experiments, len(elsewhere.untried)) == (0, len(FAULTS))
