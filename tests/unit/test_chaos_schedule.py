"""When schedules are due, what is refused, and how they are written for those who keep the clock."""

from datetime import UTC, datetime
from itertools import islice
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from sloproof.chaos.experiment import Balanced, Experiment
from sloproof.chaos.faults import KillInstance
from sloproof.chaos.schedule import Drill, Schedule
from sloproof.chaos.schedule_files import cron_jobs, crontab, github_workflow, on_calendar, systemd_units
from sloproof.errors import UsageError
from sloproof.loadtests.profile import LoadProfile
from sloproof.slo import SLO, ErrorRatio, Service

AVAILABILITY = SLO(
    service=Service(name="tasks", owner="team", job="api"),
    name="availability",
    objective="99.9",
    sli=ErrorRatio(errors='requests_total{code="500"}', total="requests_total"),
)
LOSE_ONE = Experiment(
    name="lose-one",
    system="tasks",
    load=LoadProfile(name="steady", system="tasks", locustfile="users/tasks.py", users=2, duration="30s"),
    faults=[KillInstance("a1", at="8s", back_after="15s")],
    expect=[Balanced()],
)


def schedule(cron: str = "0 3 * * 1", **changes: Any) -> Schedule:
    return Schedule(**{"name": "nightly", "cron": cron, "run": Drill(AVAILABILITY), **changes})


def due(one: Schedule, after: str, times: int = 1) -> list[str]:
    moment = datetime.fromisoformat(after).replace(tzinfo=UTC)
    return [f"{at.astimezone(UTC):%F %H:%M}" for at in islice(one.after(moment), times)]


def test_a_schedule_is_due_when_cron_says() -> None:
    assert due(schedule(), "2026-11-22 12:00", 2) == ["2026-11-23 03:00", "2026-11-30 03:00"]
    assert due(schedule("*/20 8-9 1,15 * *"), "2026-11-22 12:00", 2) == ["2026-12-01 08:00", "2026-12-01 08:20"]


def test_a_schedule_is_told_on_its_own_clock_also_when_that_changes() -> None:
    lisbon = schedule("30 1 * * *", timezone="Europe/Lisbon")
    # On 29 March 2026 the clocks of Lisbon go from 01:00 to 02:00: that night has no 01:30.
    assert due(lisbon, "2026-03-28 00:00", 3) == ["2026-03-28 01:30", "2026-03-29 01:00", "2026-03-30 00:30"]


@pytest.mark.parametrize(
    ("cron", "why"),
    [
        ("0 3 31 2 *", "never comes"),
        ("0 3 30 feb *", "never comes"),
        ("0 3 * *", "has not five fields"),
        ("0 0 3 * * 1", "has not five fields"),
        ("60 3 * * *", "cannot be read: bad minute"),
        ("0 3 L * *", "which not every cron reads"),
        ("0 3 * * 1#2", "which not every cron reads"),
        ("@daily", "has not five fields"),
    ],
)
def test_a_schedule_that_cannot_be_is_refused(cron: str, why: str) -> None:
    with pytest.raises(ValidationError, match=why):
        schedule(cron)


def test_july_is_no_last_day_and_a_leap_day_comes() -> None:
    assert due(schedule("0 3 1 jul *"), "2026-11-22 12:00") == ["2027-07-01 03:00"]
    assert due(schedule("0 3 29 2 *"), "2026-11-22 12:00") == ["2028-02-29 03:00"]


def test_an_unknown_time_zone_is_refused() -> None:
    with pytest.raises(ValidationError, match="is no time zone"):
        schedule(timezone="Europe/Lisboa")


def test_a_drill_of_one_tier_is_not_of_all_objectives() -> None:
    with pytest.raises(ValidationError, match="a `tier` is one objective's"):
        Drill(AVAILABILITY, tier="fast", all_of_service=True)


def test_an_experiment_brings_its_system_up_and_a_drill_has_its_own() -> None:
    errand = schedule(run=LOSE_ONE).errand
    assert (errand.before, errand.run, errand.after) == (
        ("lab", "up", "tasks"),
        ("chaos", "run", "lose-one"),
        ("lab", "down", "tasks"),
    )
    assert schedule(run=LOSE_ONE, own_system=False).errand.before == ()
    assert schedule().errand.run == ("drill", "tasks/availability", "--scale", "60")


@pytest.mark.parametrize(
    ("cron", "calendar"),
    [
        ("0 3 * * 1", ["Mon *-*-* 03:00:00 UTC"]),
        ("*/30 4 * * 1-5", ["Mon,Tue,Wed,Thu,Fri *-*-* 04:00,30:00 UTC"]),
        ("5 4 1 jan *", ["*-01-01 04:05:00 UTC"]),
        ("0 0 13 * fri", ["*-*-13 00:00:00 UTC", "Fri *-*-* 00:00:00 UTC"]),
        ("0 12 * * 7", ["Sun *-*-* 12:00:00 UTC"]),
        ("0 6-8/2 * * *", ["*-*-* 06,08:00:00 UTC"]),
    ],
)
def test_systemd_is_told_the_same_times(cron: str, calendar: list[str]) -> None:
    assert on_calendar(schedule(cron)) == calendar


def test_a_timer_starts_a_service_that_ends_in_time() -> None:
    units = systemd_units([schedule(run=LOSE_ONE, deadline="10m")], workspace="/srv/slo", program="/usr/bin/sloproof")
    service = units["sloproof-nightly.service"].splitlines()
    assert [line for line in service if line.startswith("Exec")] == [
        "ExecStart=/usr/bin/sloproof lab up tasks",
        "ExecStart=/usr/bin/sloproof chaos run lose-one",
        "ExecStopPost=/usr/bin/sloproof lab down tasks",
    ]
    assert "TimeoutStartSec=600" in service
    assert "OnCalendar=Mon *-*-* 03:00:00 UTC" in units["sloproof-nightly.timer"]


def test_a_unit_keeps_a_path_with_spaces_and_percent_signs_whole() -> None:
    units = systemd_units([schedule()], workspace='/srv/my 100%h "slo"', program="/opt/my tools/sloproof")
    service = units["sloproof-nightly.service"].splitlines()
    assert 'WorkingDirectory=/srv/my 100%%h "slo"' in service
    assert r'ReadWritePaths="/srv/my 100%%h \"slo\""' in service
    assert 'ExecStart="/opt/my tools/sloproof" drill tasks/availability --scale 60' in service


@pytest.mark.parametrize(
    ("cron", "told"),
    [
        ("0 12 * * 7", "0 12 * * 0"),
        ("0 12 * * 5-7", "0 12 * * 0,5,6"),
        ("5/15 3 * * fri", "5-59/15 3 * * fri"),
        ("7 7,17-19/2 7 7 *", "7 7,17-19/2 7 7 *"),
        ("*/7 3 1,5/7 jan/3 *", "*/7 3 1,5-31/7 jan-12/3 *"),
    ],
)
def test_sunday_and_open_steps_are_written_as_every_reader_knows_them(cron: str, told: str) -> None:
    (job,) = yaml.safe_load_all(cron_jobs([schedule(cron)], image="registry/drills:1"))
    assert job["spec"]["schedule"] == told
    workflow = yaml.safe_load(github_workflow([schedule(cron)]))
    assert workflow["on"]["schedule"] == [{"cron": told}]
    assert f"github.event.schedule == '{told}'" in workflow["jobs"]["nightly"]["if"]
    assert f"\n{told} cd " in crontab([schedule(cron)], workspace="/srv/slo", program="/usr/bin/sloproof")
    assert due(schedule(told), "2026-01-01", 20) == due(schedule(cron), "2026-01-01", 20)


@pytest.mark.parametrize("cron", ["0 3 */2 * 1", "0 3 1-7 * */3"])
def test_days_that_kubernetes_reads_otherwise_are_refused(cron: str) -> None:
    with pytest.raises(UsageError, match="would come on other days"):
        cron_jobs([schedule(cron)], image="registry/drills:1")


@pytest.mark.parametrize("cron", ["0 3 */2 * *", "0 3 * * */2", "0 3 13 * 5", "0 3 */1 * 1"])
def test_days_that_kubernetes_reads_alike_are_taken(cron: str) -> None:
    assert cron_jobs([schedule(cron)], image="registry/drills:1")


def test_a_name_that_is_too_long_for_a_cron_job_is_refused() -> None:
    assert cron_jobs([schedule(name="n" * 43)], image="registry/drills:1")
    with pytest.raises(UsageError, match="has 44 characters, and its CronJob may have 43"):
        cron_jobs([schedule(name="n" * 44)], image="registry/drills:1")


def test_cron_lines_never_overlap_and_keep_the_exit_code() -> None:
    lines = crontab([schedule(run=LOSE_ONE)], workspace="/srv/my slo", program="/usr/bin/sloproof").splitlines()
    assert "CRON_TZ=UTC" in lines
    assert lines[-1].startswith("0 3 * * 1 cd '/srv/my slo' && flock --nonblock ")
    assert "timeout --signal=TERM 3600s" in lines[-1]
    assert lines[-1].endswith("; code=$?; /usr/bin/sloproof lab down tasks; exit $code'")


def test_cron_jobs_never_overlap_have_deadlines_and_no_rights() -> None:
    (job,) = yaml.safe_load_all(
        cron_jobs([schedule(late="5m", deadline="30m")], image="registry/drills:1", namespace="n")
    )
    spec, pod = job["spec"], job["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    assert (spec["concurrencyPolicy"], spec["startingDeadlineSeconds"], spec["timeZone"]) == ("Forbid", 300, "UTC")
    assert spec["jobTemplate"]["spec"]["activeDeadlineSeconds"] == 1800
    assert spec["jobTemplate"]["spec"]["backoffLimit"] == 0
    assert pod["automountServiceAccountToken"] is False
    assert pod["containers"][0]["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    assert pod["securityContext"]["runAsNonRoot"] is True
    with pytest.raises(UsageError, match="is not pinned"):
        cron_jobs([schedule()], image="registry/drills:latest")


def test_a_github_workflow_runs_only_what_is_due_and_reads_only() -> None:
    workflow = yaml.safe_load(github_workflow([schedule(run=LOSE_ONE), schedule("0 4 * * *", name="other")]))
    assert workflow["permissions"] == {"contents": "read"}
    assert workflow["on"]["schedule"] == [{"cron": "0 3 * * 1"}, {"cron": "0 4 * * *"}]
    job = workflow["jobs"]["nightly"]
    assert "github.event.schedule == '0 3 * * 1'" in job["if"]
    assert job["concurrency"] == {"group": "sloproof-tasks", "cancel-in-progress": False}
    assert {"if": "always()", "run": "sloproof lab down tasks"} in job["steps"]
    with pytest.raises(UsageError, match="GitHub knows UTC only"):
        github_workflow([schedule(timezone="Europe/Lisbon")])
