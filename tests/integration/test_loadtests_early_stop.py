"""A load against a real server that fails too often ends early, and says why."""

import time
from pathlib import Path
from typing import Any

import pytest

from sloproof.loadtests.arrivals import Arrivals
from sloproof.loadtests.early_stop import StopWatch, Watched
from sloproof.loadtests.evaluation import judge_load
from sloproof.loadtests.load_files import read_result
from sloproof.loadtests.locust_process import LoadProcess
from sloproof.loadtests.profile import LoadProfile
from sloproof.loadtests.result import LoadResult
from sloproof.slo import SLO, ErrorRatio, Service
from sloproof.verdict.evidence import PROMETHEUS, Counts
from sloproof.verdict.judge import Verdict
from tests.integration.counted_server import CountedServer
from tests.integration.small_workspace import USERS, sloproof, workspace_of

pytestmark = pytest.mark.integration

AVAILABILITY = SLO(
    service=Service(name="api", owner="team", job="api"),
    name="availability",
    objective="99",
    sli=ErrorRatio(errors='r{code="503"}', total="r"),
)


def watched(folder: Path, server: CountedServer, **changes: Any) -> LoadResult:
    """Run a load under the watch of its one objective."""
    users = folder / "loadtests" / "users"
    users.mkdir(parents=True)
    (users / "visitors.py").write_text(USERS)
    fields = {"users": 50, "arrivals": Arrivals(rate=100), "duration": "3m", **changes}
    profile = LoadProfile(name="open", system="api", locustfile="users/visitors.py", **fields)
    with LoadProcess.start(
        profile, workspace=folder, target=server.url, run_folder=folder / "run", thresholds=[]
    ) as load:
        watch = StopWatch([Watched.of(AVAILABILITY)])
        while load.running and not load.gave_up(watch):
            time.sleep(0.2)
        return load.wait(60)


def verdict(result: LoadResult, server: CountedServer) -> Verdict:
    books = server.books()
    counted = {AVAILABILITY.identity: Counts(source=PROMETHEUS, total=books.asked, bad=books.failed)}
    return judge_load(result, [AVAILABILITY], counted)[0].judgement.verdict


def test_a_server_that_fails_five_times_its_budget_is_given_up_long_before_the_end(tmp_path: Path) -> None:
    with CountedServer(failing=0.05) as server:
        result = watched(tmp_path, server)
        books = server.books()
        assert verdict(result, server) is Verdict.FAIL
    assert result.partial and [miss.objective for miss in result.missed_early] == ["api/availability"]
    assert result.notes[0] == "stopped early: objective `api/availability` is missed"
    assert result.drained_from - result.started_at < 60
    assert (result.completed, result.failed) == (books.asked, books.failed)
    assert read_result(tmp_path / "run") == result


def test_a_server_within_its_budget_is_loaded_to_the_end(tmp_path: Path) -> None:
    with CountedServer(failing=0.002) as server:
        result = watched(tmp_path, server, duration="25s")
        assert verdict(result, server) is not Verdict.FAIL
    assert not result.partial and not result.missed_early
    assert result.completed == pytest.approx(2500, abs=10)


def test_the_command_stops_early_fails_and_says_why(tmp_path: Path) -> None:
    fields = 'users=50, arrivals=Arrivals(rate=100), duration="3m", stop_early=True, expect=(Failures(below="1%"),)'
    workspace = workspace_of(tmp_path, fields)
    with CountedServer(failing=0.05) as server:
        done = sloproof(workspace, "load", "run", "steady", "--target", server.url)
        asked = server.books().asked
    assert done.returncode == 1, done.stdout + done.stderr
    assert asked < 100 * 60
    assert "note: stopped early: objective `fewer than 1 % of requests fail` is missed" in done.stderr
    assert "stopped early: " in done.stdout and "would ever look as bad" in " ".join(done.stdout.split())


@pytest.mark.alone  # on a busy machine it is undecided, and rightly
def test_the_command_runs_to_the_end_when_told_so(tmp_path: Path) -> None:
    fields = 'users=50, arrivals=Arrivals(rate=50), duration="14s", stop_early=True, expect=(Failures(below="1%"),)'
    workspace = workspace_of(tmp_path, fields)
    with CountedServer(failing=0.3) as server:
        done = sloproof(workspace, "load", "run", "steady", "--to-the-end", "--target", server.url)
        assert server.books().asked == pytest.approx(50 * 14, abs=2)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "stopped early" not in done.stdout + done.stderr
