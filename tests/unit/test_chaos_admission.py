"""The limits of a workspace hold wherever something is broken: in gates, drills, the demo and the daemon."""

import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sloproof.chaos.experiment import Experiment
from sloproof.chaos.outside_faults import KillProcess
from sloproof.chaos.safety import DAYS
from sloproof.chaos.schedule import Schedule
from sloproof.chaos.surroundings import Surroundings
from sloproof.cli.admission import admitted_in_own_lab, objections
from sloproof.cli.app import main
from sloproof.cli.gate_runs import GateRuns
from sloproof.cli.schedule import held_back
from sloproof.errors import Refused, UsageError
from sloproof.workspace import Workspace, load_workspace, template

HOUR = timedelta(hours=1)


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "work"
    template.copy_to(folder)
    monkeypatch.chdir(folder)
    return folder


def limited(root: Path, *lines: str) -> Workspace:
    """The workspace with limits of its own."""
    file = root / "pyproject.toml"
    file.write_text("\n".join((file.read_text(), "[tool.sloproof.safety]", *lines, "")))
    return load_workspace(root)


def never() -> tuple[str, str]:
    """A limit to the day that is farthest away."""
    return f'days = ["{DAYS[(datetime.now(UTC).weekday() + 3) % 7]}"]', 'time-zone = "UTC"'


def lost(workspace: Workspace) -> Experiment:
    return workspace.named(Experiment, "lose-one-instance")


@pytest.mark.parametrize("words", [("drill", "tasks/availability", "--tier", "fast"), ("demo", "--no-open")])
@pytest.mark.parametrize("by", ["day", "fault"])
def test_a_command_with_a_lab_of_its_own_is_refused_before_that_is_started(
    root: Path, words: tuple[str, ...], by: str, capsys: pytest.CaptureFixture[str]
) -> None:
    limited(root, *(never() if by == "day" else ('longest-fault = "1s"',)))
    assert main(list(words)) == Refused.exit_code
    said = " ".join(capsys.readouterr().err.split())
    assert ("runs begin on" if by == "day" else "lasts longer than 1s") in said
    assert ("`--tier`" in said) is (words[0] == "drill")
    assert not (root / ".sloproof").exists()


def test_what_a_lab_of_ones_own_spends_is_no_limit(root: Path) -> None:
    workspace = limited(root, 'most-spend = "0.0001"', 'most-burn = "0.1"', "lab-budget = true")
    admitted_in_own_lab([lost(workspace)], workspace, lasts=HOUR)


def test_a_process_that_comes_with_the_system_holds_nothing_back(root: Path) -> None:
    workspace = load_workspace(root)
    killed = KillProcess(pattern=uuid.uuid4().hex, at="12s", back_after="5s")
    experiment = lost(workspace).model_copy(update={"faults": (killed,)})
    admitted_in_own_lab([experiment], workspace, lasts=HOUR)
    assert held_back(workspace, None)(Schedule(name="one", cron="0 3 * * *", run=experiment)) == ""
    (missing,) = objections(experiment, workspace)
    assert "no process" in missing.message


def test_all_of_a_command_lies_within_the_hours(root: Path) -> None:
    begin, end = datetime.now(UTC) - timedelta(minutes=30), datetime.now(UTC) + timedelta(minutes=30)
    workspace = limited(root, f'hours = "{begin:%H:%M}-{end:%H:%M}"', 'time-zone = "UTC"')
    admitted_in_own_lab([lost(workspace)], workspace, lasts=timedelta(minutes=1))
    with pytest.raises(Refused, match="begin and end within"):
        admitted_in_own_lab([lost(workspace)], workspace, lasts=HOUR)


def test_a_gate_does_not_run_an_experiment_beyond_a_limit(root: Path) -> None:
    workspace = limited(root, 'longest-fault = "1s"')
    up = Surroundings.__new__(Surroundings)  # nothing of the lab may be asked before the limits are
    runs = GateRuns(workspace, lambda: up, workspace.state / "history.db", "1.0")
    with pytest.raises(Refused, match="lasts longer than 1s; nothing was sent"):
        runs.run_experiment(lost(workspace), None)
    assert not workspace.state.exists()


@pytest.mark.parametrize("kind", ["experiment", "drill"])
def test_a_daemon_holds_back_what_the_hour_forbids(root: Path, kind: str) -> None:
    file = root / "chaos" / "nightly.py"
    file.write_text(
        "from chaos.tasks import lose_one_instance\nfrom slo import tasks\nfrom sloproof import Drill, Schedule\n"
        f'one = Schedule(name="one", cron="0 3 * * *", '
        f"run={'lose_one_instance' if kind == 'experiment' else 'Drill(tasks.availability)'})\n"
    )
    free = load_workspace(root)
    assert held_back(free, None)(free.named(Schedule, "one")) == ""
    bound = limited(root, *never())
    why_not = held_back(bound, None)(bound.named(Schedule, "one"))
    assert "runs begin on" in why_not and "nothing was sent" not in why_not


def test_a_daemon_holds_back_an_experiment_beyond_a_limit(root: Path) -> None:
    workspace = limited(root, 'longest-fault = "1s"')
    schedule = Schedule(name="one", cron="0 3 * * *", run=lost(workspace))
    assert "lasts longer than 1s" in held_back(workspace, None)(schedule)


@pytest.mark.parametrize("ratio", ["NaN", "inf", "0", "-5", "100.1", "much"])
def test_a_drill_by_no_percentage_is_refused(root: Path, ratio: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["drill", "tasks/availability", "--tier", "fast", f"--ratio={ratio}"]) == UsageError.exit_code
    assert f"--ratio: `{ratio}` is no percentage above 0, up to 100" in capsys.readouterr().err
    assert not (root / ".sloproof").exists()
