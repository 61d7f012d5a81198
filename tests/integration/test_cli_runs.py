"""`sloproof load run`, `chaos run` and `chaos undo`, as processes on one real lab, ended at every awkward moment."""

import json
import re
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

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


def seconds_after_warm_up(up: Workspace, before: list[Path]) -> int:
    folder = run_folder(up, before)
    return 0 if folder is None else sum(second.completed > 0 for second in LoadFiles(folder).read_seconds()) - 1


def past_runs(up: Workspace) -> list[dict[str, Any]]:
    done = up.run("history", "list", "--json")
    assert done.returncode == 0, done.stderr
    runs: list[dict[str, Any]] = json.loads(done.stdout)
    return runs


def test_a_run_is_remembered_and_the_next_is_compared_with_it(up: Workspace) -> None:
    first = up.run("load", "run", "steady", "--against", "baseline", "--release", "1.0")
    assert first.returncode in (1, 3), first.stdout + first.stderr
    assert "there is no earlier run to compare with" in " ".join(first.stdout.split())
    earlier = past_runs(up)[0]
    assert (earlier["kind"], earlier["name"], earlier["release"], earlier["partial"]) == (
        "load",
        "steady",
        "1.0",
        False,
    )
    assert earlier["exit_code"] == first.returncode
    assert earlier["load"]["users"] == 20
    assert {one["slo"] for one in earlier["objectives"]} == {"tasks/availability", "tasks/latency"}
    assert up.run("history", "pin", str(earlier["id"])).returncode == 0

    second = up.run("load", "run", "steady", SLOPROOF_RELEASE="1.1")
    said = " ".join(second.stdout.split())
    assert f"Compared with run {earlier['id']} (" in said
    assert "release 1.0)" in said
    # Four seconds of load show no change of anything; a comparison that nobody asked for takes no verdict away.
    assert re.search(r"\d windows do not show how much p95 varies", said), said
    assert past_runs(up)[0]["release"] == "1.1"

    shorter = up.run("load", "run", "steady", "--fraction", "0.5", "--against", str(earlier["id"]))
    assert shorter.returncode in (1, 3), shorter.stdout + shorter.stderr
    assert "is no measure for this one" in " ".join(shorter.stdout.split())
    assert "`share` was `1`, now `0.5`" in " ".join(shorter.stdout.split())


def test_a_run_that_is_not_in_the_history_is_no_measure_and_nothing_is_sent(up: Workspace) -> None:
    before = up.runs()
    done = up.run("load", "run", "steady", "--against", "4711")
    assert done.returncode == 2
    assert "there is no run `4711` in the history" in done.stderr
    assert up.runs() == before


def test_an_interrupted_run_is_remembered_as_partial_and_undecided(up: Workspace) -> None:
    before = up.runs()
    with up.started("load", "run", "endless") as command:
        command.wait_until(lambda: seconds_after_warm_up(up, before) > 1)
        command.send(signal.SIGINT, group=True)
        assert command.ended() == STOPPED[signal.SIGINT], command.said
    run = past_runs(up)[0]
    assert (run["name"], run["verdict"], run["partial"], run["exit_code"]) == ("endless", "UNDECIDED", True, 130)
    assert run["completed"] > 0
    assert run["notes"][-1] == "stopped by SIGINT"


def test_a_history_that_cannot_be_written_takes_no_verdict_away(up: Workspace) -> None:
    history = up.root / ".sloproof" / "history.db"
    kept_aside = history.rename(history.with_name("aside.db"))
    history.write_text("somebody's notes\n" * 100)
    try:
        done = up.run("load", "run", "steady")
        assert done.returncode in (0, 1, 3), done.stderr
        assert "this run is not in the history" in done.stderr
        assert "report: " in done.stderr
        assert history.read_text().startswith("somebody's notes")
    finally:
        kept_aside.rename(history)
