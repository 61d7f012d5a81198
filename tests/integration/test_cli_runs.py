"""`sloproof load run`, `chaos run` and `chaos undo`, as processes on one real lab, ended at every awkward moment."""

import json
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from sloproof.chaos.journal import EVENTS, read_events
from sloproof.lab.processes import lab_processes
from sloproof.lab.state import LabState
from sloproof.loadtests.load_files import LoadFiles
from sloproof.loadtests.result import LoadResult
from sloproof.prometheus import Prometheus
from sloproof.supervisor import Supervisor
from tests.integration.cli_runs import Workspace, eventually

pytestmark = pytest.mark.integration
STOPPED = {signal.SIGINT: 130, signal.SIGTERM: 143}
AWAY = 4.0


@pytest.fixture(scope="module")
def up(parts: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    workspace = Workspace(tmp_path_factory.mktemp("cli") / "slos", away=f"{AWAY:.0f}s", slow="60s", tail="60s")
    try:
        done = workspace.run("lab", "up", "--for", "8m")
        assert done.returncode == 0, done.stderr
        yield workspace
    finally:
        assert workspace.run("lab", "down").returncode == 0
        assert workspace.marked() == []


def lab_of(up: Workspace) -> LabState:
    state = up.state
    assert state is not None
    return state


def run_folder(up: Workspace, before: list[Path]) -> Path | None:
    """The folder of the run that was started last."""
    new = [folder for folder in up.runs() if folder not in before]
    return new[0] if new else None


def events(up: Workspace, before: list[Path]) -> list[str]:
    folder = run_folder(up, before)
    return [event.kind for event in read_events(folder)] if folder and (folder / EVENTS).exists() else []


def sent_something(up: Workspace, before: list[Path]) -> bool:
    folder = run_folder(up, before)
    return folder is not None and sum(second.completed for second in LoadFiles(folder).read_seconds()) > 0


def kept(up: Workspace, before: list[Path]) -> LoadResult:
    """The partial record of a run that was ended early."""
    folder = run_folder(up, before)
    assert folder is not None
    result = LoadResult.model_validate_json(LoadFiles(folder).result.read_text())
    assert result.partial
    assert result.completed > 0
    return result


def assert_nothing_is_left(up: Workspace, within: float = 5) -> None:
    """The lab is whole, and nothing but the lab runs."""
    assert eventually(lambda: not outside_the_lab(up), within), outside_the_lab(up)
    assert up.whole()
    assert up.run("lab", "status").returncode == 0


def outside_the_lab(up: Workspace) -> list[psutil.Process]:
    lab = {process.pid for process in lab_processes(lab_of(up).runtime)}
    return [process for process in up.marked() if process.pid not in lab]


@pytest.mark.parametrize(("number", "group"), [(signal.SIGINT, True), (signal.SIGTERM, False)])
def test_an_interrupted_load_keeps_what_it_saw(up: Workspace, number: signal.Signals, group: bool) -> None:
    before = up.runs()
    with up.started("load", "run", "endless") as command:
        command.wait_until(lambda: sent_something(up, before))
        command.send(number, group=group)
        assert command.ended() == STOPPED[number], command.said
        assert f"stopped by {number.name}" in command.said
        kept(up, before)
        assert_nothing_is_left(up)


@pytest.mark.parametrize(
    ("number", "group", "experiment", "after"),
    [
        (signal.SIGINT, False, "slow-backend", "started"),
        (signal.SIGTERM, True, "slow-backend", "injected"),
        (signal.SIGINT, True, "lose-one-instance", "injected"),
        (signal.SIGTERM, False, "lose-one-instance", "undoing"),
    ],
)
def test_an_interrupted_experiment_puts_everything_back(
    up: Workspace, number: signal.Signals, group: bool, experiment: str, after: str
) -> None:
    before = up.runs()
    with up.started("chaos", "run", experiment) as command:
        command.wait_until(lambda: ("injected" if after == "undoing" else after) in events(up, before))
        if after == "undoing":
            time.sleep(AWAY + 0.2)
        command.send(number, group=group)
        assert command.ended(90) == STOPPED[number], command.said
        if after != "started":
            assert "undone" in events(up, before)
            kept(up, before)
        assert "injected" in events(up, before) or after == "started"
        assert_nothing_is_left(up)


def test_a_killed_command_leaves_nothing_that_undo_cannot_put_back(up: Workspace) -> None:
    before = up.runs()
    with up.started("chaos", "run", "slow-backend") as command:
        command.wait_until(lambda: "injected" in events(up, before))
        command.process.kill()
        command.process.wait(10)
        first = up.run("chaos", "undo")
        assert first.returncode == 0, first.stderr
        assert up.whole()
        second = up.run("chaos", "undo")
        assert second.returncode == 0
        assert second.stderr == "nothing was left broken\n"
        assert_nothing_is_left(up, within=20)


def test_a_prometheus_that_dies_for_good_ends_the_run_and_keeps_its_record(up: Workspace) -> None:
    before, state = up.runs(), lab_of(up)
    supervisor = Supervisor(state.supervisor_socket)
    with up.started("load", "run", "endless") as command:
        command.wait_until(lambda: sent_something(up, before))
        try:
            supervisor.stop("prometheus")
            assert command.ended() == 6, command.said
            assert "stopped answering in the middle of the run" in command.said
            assert "the partial record is kept" in command.said
            kept(up, before)
            refused = up.run("load", "run", "steady")
            assert refused.returncode == 6
            assert "does not answer" in refused.stderr
            assert up.run("lab", "status").returncode == 3
        finally:
            supervisor.start("prometheus")
        assert eventually(lambda: Prometheus(state.prometheus).ready(), 20)
        assert_nothing_is_left(up)


def test_a_short_load_ends_by_itself_with_a_report(up: Workspace, tmp_path: Path) -> None:
    before, report = up.runs(), tmp_path / "deep" / "report.html"
    done = up.run("load", "run", "steady", "--report", str(report))
    assert done.returncode in (0, 3), done.stderr
    folder = run_folder(up, before)
    assert folder is not None
    verdict = json.loads((folder / "report.json").read_text())["verdict"]
    assert verdict == {0: "PASS", 3: "UNDECIDED"}[done.returncode]
    assert "tasks/availability" in done.stdout
    assert "tasks/availability" in report.read_text()
