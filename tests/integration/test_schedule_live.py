"""A daemon and its signals, and what systemd itself says of the written units."""

import json
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

from sloproof.chaos.experiment import Balanced, Experiment
from sloproof.chaos.faults import KillInstance
from sloproof.chaos.schedule import Errand, Schedule
from sloproof.chaos.schedule_files import cron_jobs
from sloproof.chaos.scheduled_process import ScheduledProcess
from sloproof.loadtests.profile import LoadProfile

STEADY = LoadProfile(name="steady", system="tasks", locustfile="users/tasks.py", users=2, duration="30s")
LOSE_ONE = Experiment(
    name="lose-one",
    system="tasks",
    load=STEADY,
    faults=[KillInstance("a1", at="8s", back_after="15s")],
    expect=[Balanced()],
)
SCHEDULE = Schedule(name="nightly", cron="0 3 * * *", run=LOSE_ONE)
DEFINITIONS = """
from sloproof import SLO, Drill, ErrorRatio, Schedule, Service

availability = SLO(
    service=Service(name="api", owner="team", job="api"),
    name="availability",
    objective="99.9",
    sli=ErrorRatio(errors='requests_total{code="500"}', total="requests_total"),
)
yearly = Schedule(name="yearly", cron="0 3 1 1 *", run=Drill(availability))
workdays = Schedule(name="workdays", cron="*/30 4 * * 1-5", run=Drill(availability, tier="fast"))
"""


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    (tmp_path / "pyproject.toml").write_text("[tool.sloproof]\n")
    for folder in ("slo", "alerts", "dashboards", "loadtests", "chaos"):
        (tmp_path / folder).mkdir()
    (tmp_path / "chaos" / "schedules.py").write_text(DEFINITIONS)
    return tmp_path


def command(*words: str) -> list[str]:
    return [sys.executable, "-m", "sloproof", *words]


def test_a_daemon_tells_what_was_missed_and_stops_cleanly_on_sigterm(workspace: Path) -> None:
    state = workspace / ".sloproof"
    state.mkdir()
    (state / "schedule.json").write_text(json.dumps({"workdays": time.time() - 8 * 24 * 3600}))
    daemon = subprocess.Popen(
        command("chaos", "daemon"), cwd=workspace, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    try:
        assert daemon.stdout is not None
        said = [next(daemon.stdout) for _ in range(4)]
        daemon.send_signal(signal.SIGTERM)
        assert daemon.wait(timeout=30) == 128 + signal.SIGTERM
    finally:
        daemon.kill()
        daemon.wait()
    assert any("`workdays` missed: no daemon ran" in line for line in said), said
    assert any("`yearly` is next due at" in line for line in said), said
    events = [json.loads(line) for line in (state / "schedule.jsonl").read_text().splitlines()]
    assert [(event["schedule"], event["kind"]) for event in events] == [("workdays", "missed")]


def test_a_workspace_without_schedules_says_how_one_is_written(workspace: Path) -> None:
    (workspace / "chaos" / "schedules.py").unlink()
    for words in (("schedule",), ("chaos", "daemon")):
        ended = subprocess.run(command(*words), cwd=workspace, capture_output=True, text=True, timeout=60, check=False)
        assert ended.returncode == 2
        assert "hint: write one in `chaos/`" in ended.stderr


def test_a_schedule_that_never_comes_is_named_with_its_place(workspace: Path) -> None:
    file = workspace / "chaos" / "schedules.py"
    file.write_text(DEFINITIONS.replace("0 3 1 1 *", "0 3 31 2 *"))
    ended = subprocess.run(command("schedule"), cwd=workspace, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 2
    assert "chaos/schedules.py:10" in ended.stderr
    assert "never comes" in ended.stderr


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd's own judge is not installed")
def test_systemd_understands_the_timers_and_the_services(workspace: Path) -> None:
    units = workspace / "units"
    program = shutil.which("true")
    subprocess.run(
        command("schedule", "systemd", "--out", str(units), "--program", str(program)),
        cwd=workspace,
        check=True,
        timeout=60,
        capture_output=True,
    )
    files = sorted(str(file) for file in units.iterdir())
    assert len(files) == 4
    judged = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *files], capture_output=True, text=True, timeout=60, check=False
    )
    complaints = [line for line in judged.stderr.splitlines() if "sloproof-" in line]
    assert not complaints, complaints
    for timer in units.glob("*.timer"):
        (when,) = [line.removeprefix("OnCalendar=") for line in timer.read_text().splitlines() if "OnCalendar" in line]
        subprocess.run(["systemd-analyze", "calendar", when], check=True, capture_output=True, timeout=60)


FORBIDDEN = ("chaos", "run", "any.json")
"""Ends with 5: a file of the Chaos Toolkit needs `--yes` where nobody can be asked."""
AFTER = ("schedule", "--help")


@pytest.mark.parametrize(
    ("before", "run", "ended"), [(FORBIDDEN, ("--version",), False), (("--version",), FORBIDDEN, True)]
)
def test_a_system_that_was_up_before_is_not_ended_by_a_schedule(
    workspace: Path, before: tuple[str, ...], run: tuple[str, ...], ended: bool
) -> None:
    action = {"type": "action", "name": "nothing", "provider": {"type": "process", "path": "true"}}
    any_file = {"title": "any", "description": "any", "method": [action]}
    (workspace / "any.json").write_text(json.dumps(any_file))
    log = workspace / "log"
    process = ScheduledProcess(Errand(before=before, run=run, after=AFTER), workspace, log)
    while (code := process.poll()) is None:
        time.sleep(0.1)
    assert code == 5, log.read_text()
    assert ("$ sloproof schedule --help" in log.read_text()) is ended


@pytest.mark.parametrize(("up", "run", "ended", "code"), [(5, 0, False, 5), (6, 0, True, 6), (0, 5, True, 5)])
def test_the_shell_ends_only_what_it_brought_up(tmp_path: Path, up: int, run: int, ended: bool, code: int) -> None:
    program = tmp_path / "sloproof"
    program.write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/log\ncase "$2" in up) exit {up};; run) exit {run};; esac\n')
    program.chmod(0o755)
    (job,) = yaml.safe_load_all(cron_jobs([SCHEDULE], image="registry/drills:1"))
    (container,) = job["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"]
    found = subprocess.run(container["command"], env={"PATH": f"{tmp_path}:/usr/bin:/bin"}, check=False, timeout=30)
    said = (tmp_path / "log").read_text().splitlines()
    assert (found.returncode, "lab down tasks" in said) == (code, ended)
    assert ("chaos run lose-one" in said) is (up == 0)
