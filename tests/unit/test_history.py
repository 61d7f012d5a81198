"""Past runs are kept whole, in order, and in a file that is never spoilt."""

import json
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from sloproof.cli import main
from sloproof.cli.history import _cells as listed_cells
from sloproof.errors import PartFailed, UsageError
from sloproof.history import History, PastDeploy, PastObjective, PastQuantile, PastRun, Windows
from sloproof.history.database import MIGRATIONS, connect
from sloproof.verdict.judge import Verdict

WRITER = """
import sys
from pathlib import Path
from sloproof.history import History, PastRun, Windows
from sloproof.verdict.judge import Verdict
path, name, count = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
for at in range(count):
    with History.open(path) as history:
        times = dict(started_at=at, ended_at=at)
        run = PastRun(kind="load", name=name, system="tasks", verdict=Verdict.PASS, exit_code=0, **times)
        history.record(run, Windows(completed=(at,), failed=(0,), latency=({-100: at},)))
"""


def past(name: str = "steady", *, release: str = "1.0", verdict: Verdict = Verdict.PASS) -> PastRun:
    return PastRun(
        kind="load",
        name=name,
        system="tasks",
        started_at=1_700_000_000,
        ended_at=1_700_000_060,
        verdict=verdict,
        exit_code=verdict.exit_code,
        release=release,
        environment="lab",
        folder="/runs/1",
        target="http://127.0.0.1:8080",
        load={"users": 20, "share": "1"},
        objectives=(PastObjective(stage=name, slo="tasks/latency", verdict=verdict, bad=1, total=100, ratio=0.01),),
        quantiles=(PastQuantile(q=0.95, value=0.04, lower=0.03, upper=0.05),),
        completed=100,
        versions={"Locust": "2.47"},
        notes=("run in 10 % of the profile's length",),
    )


WINDOWS = Windows(asked=2, completed=(40, 60), failed=(0, 1), latency=({-100: 40}, {-100: 59, 20: 1}), open=3)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / ".sloproof" / "history.db"


def test_a_run_is_remembered_whole(file: Path) -> None:
    with History.open(file) as history:
        recorded = history.record(past(), WINDOWS)
    with History.open(file) as later:
        assert later.run(recorded.id) == recorded == past().model_copy(update={"id": 1})
        assert later.windows(recorded.id) == WINDOWS


def test_runs_come_newest_first_and_by_what_was_asked(file: Path) -> None:
    with History.open(file) as history:
        for name, release in (("steady", "1.0"), ("spike", "1.0"), ("steady", "1.1")):
            history.record(past(name, release=release))
        assert [run.id for run in history.runs()] == [3, 2, 1]
        assert [run.id for run in history.runs(name="steady")] == [3, 1]
        assert [run.id for run in history.runs(release="1.0", limit=1)] == [2]
        assert history.runs(system="other") == []
        latest = history.latest("load", "steady", "tasks")
        assert latest is not None
        assert latest.release == "1.1"
        assert history.latest("chaos", "steady", "tasks") is None


def test_a_name_has_one_baseline_which_pinning_moves(file: Path) -> None:
    with History.open(file) as history:
        first, second, other = (history.record(past(name)) for name in ("steady", "steady", "spike"))
        assert history.baseline("steady", "tasks") is None
        history.pin(first.id)
        history.pin(other.id)
        history.pin(second.id)
        baseline = history.baseline("steady", "tasks")
        assert baseline is not None
        assert baseline.id == second.id
        assert history.pinned() == {second.id, other.id}
        assert history.unpin(second.id)
        assert not history.unpin(second.id)
        assert history.baseline("steady", "tasks") is None


def test_a_run_that_is_not_there_is_a_usage_error(file: Path) -> None:
    with History.open(file) as history:
        with pytest.raises(UsageError, match="no run `7`"):
            history.run(7)
        with pytest.raises(UsageError, match="no run `7`"):
            history.pin(7)


def test_processes_that_write_at_once_lose_nothing(file: Path) -> None:
    each = 8
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(file), name, str(each)], stderr=subprocess.PIPE)
        for name in ("a", "b", "c")
    ]
    for writer in writers:
        _, error = writer.communicate(timeout=120)
        assert writer.returncode == 0, error
    with History.open(file) as history:
        found = history.runs(limit=1000)
        assert sorted(run.id for run in found) == list(range(1, 3 * each + 1))
        for name in "abc":
            assert [run.started_at for run in found if run.name == name] == list(reversed(range(each)))
        assert all(history.windows(run.id) is not None for run in found)


def test_a_file_that_is_no_database_is_left_as_it_is(file: Path) -> None:
    file.parent.mkdir()
    file.write_bytes(b"not a database at all, but somebody's notes\n" * 100)
    before = file.read_bytes()
    with pytest.raises(PartFailed, match="damaged: file is not a database"):
        History.open(file)
    assert file.read_bytes() == before


def test_a_damaged_history_takes_no_new_run_and_is_left_as_it_is(file: Path) -> None:
    with History.open(file) as history:
        for _ in range(50):
            history.record(past(), WINDOWS)
    torn = bytearray(file.read_bytes())
    middle = len(torn) // 4096 // 2 * 4096  # a page that a new run does not touch
    torn[middle : middle + 4096] = b"\xff" * 4096
    file.write_bytes(torn)
    with History.open(file) as history, pytest.raises(PartFailed, match="damaged"):
        history.record(past())
    assert file.read_bytes() == bytes(torn)


def test_a_newer_schema_is_refused_and_left_as_it_is(file: Path) -> None:
    with History.open(file) as history:
        history.record(past())
    connect(file, (*MIGRATIONS, ("ALTER TABLE runs ADD COLUMN new TEXT",))).close()
    before = file.read_bytes()
    with pytest.raises(PartFailed, match="newer sloproof: its schema is 3, this one knows 2"):
        History.open(file)
    assert file.read_bytes() == before


def test_a_migration_keeps_what_was_recorded(file: Path) -> None:
    with History.open(file) as history:
        history.record(past(), WINDOWS)
    newer = connect(file, (*MIGRATIONS, ("ALTER TABLE runs ADD COLUMN note TEXT DEFAULT 'none'",)))
    assert newer.execute("SELECT name, note FROM runs").fetchall() == [("steady", "none")]
    newer.close()


def test_a_migration_that_fails_leaves_the_old_schema(file: Path) -> None:
    with History.open(file) as history:
        history.record(past())
    with pytest.raises(PartFailed):
        connect(file, (*MIGRATIONS, ("ALTER TABLE runs ADD COLUMN note TEXT", "no SQL at all")))
    with History.open(file) as history:
        assert history.run(1).name == "steady"


def test_another_programs_database_is_not_touched(file: Path) -> None:
    file.parent.mkdir()
    other = sqlite3.connect(file)
    other.execute("CREATE TABLE theirs (x)")
    other.commit()
    other.close()
    before = file.read_bytes()
    with pytest.raises(PartFailed, match="no history of sloproof"):
        History.open(file)
    assert file.read_bytes() == before


def test_fields_that_a_newer_version_added_are_passed_over(file: Path) -> None:
    with History.open(file) as history:
        history.record(past())
        history._connection.execute("UPDATE runs SET document = json_set(document, '$.more', 1)")
        assert history.run(1).name == "steady"


def test_a_long_run_is_kept_in_longer_windows_that_lose_no_request() -> None:
    seconds = Windows(
        asked=7,
        completed=tuple(range(7)),
        failed=(1,) * 7,
        latency=tuple({-100: at} for at in range(7)),
    )
    wide = seconds.widened(3)
    assert (wide.length, wide.asked, wide.completed, wide.failed) == (3, 2, (3, 18), (3, 4))
    assert sum(count for one in wide.latency for count in one.values()) == 21


@pytest.fixture
def workspace(tmp_path: Path, file: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "pyproject.toml").write_text("[tool.sloproof]\n")
    monkeypatch.chdir(tmp_path)
    with History.open(file) as history:
        history.record(past(verdict=Verdict.FAIL))
    return tmp_path


def test_the_history_is_listed_and_its_baseline_is_marked(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["history", "pin", "1"]) == 0
    assert "run 1 is now the baseline of load `steady` against `tasks`" in capsys.readouterr().err
    assert main(["history"]) == 0
    heading, row = capsys.readouterr().out.splitlines()
    assert heading.split()[0] == "RUN"
    assert row.split() == ["1*", "2023-11-14", "22:13:20", "load", "steady", "tasks", "1.0", "FAIL"]
    assert main(["history", "unpin", "1"]) == 0
    assert main(["history", "list", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert [(run["id"], run["verdict"], run["baseline"]) for run in listed] == [(1, "FAIL", False)]


def test_a_run_is_shown_with_its_figures(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["history", "show", "1"]) == 0
    shown = capsys.readouterr().out
    assert "run 1: load `steady` against `tasks`, FAIL, exit code 1" in shown
    assert "p95: 40 ms, at least 30 ms, at most 50 ms" in shown
    assert main(["history", "show", "9"]) == 2
    assert "there is no run `9` in the history" in capsys.readouterr().err


def test_a_run_that_ended_early_is_marked_where_runs_are_listed() -> None:
    assert listed_cells(past(), frozenset())[-1] == "PASS"
    assert listed_cells(past().model_copy(update={"partial": True}), frozenset())[-1] == "PASS partial"


def test_deploys_of_a_system_are_told_by_time_and_each_once(file: Path) -> None:
    with History.open(file) as history:
        for system, release, at in (("api", "2", 20.0), ("api", "1", 10.0), ("api", "2", 20.0), ("web", "9", 15.0)):
            history.record_deploy(PastDeploy(system=system, release=release, at=at))
        assert [(one.release, one.at) for one in history.deploys("api", 10, 20)] == [("1", 10.0), ("2", 20.0)]
        assert history.deploys("api", 11, 19) == []


def test_a_history_of_an_earlier_version_takes_deploys(file: Path) -> None:
    connect(file, MIGRATIONS[:1]).close()
    with History.open(file) as history:
        assert history.deploys("api", 0, 1e10) == []
        history.record_deploy(PastDeploy(system="api", release="1", at=1.0))
        assert len(history.deploys("api", 0, 2)) == 1
