"""What goes wrong with a load ends with a clear word and never with a pass."""

import json
import resource
import signal
import socket
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from sloproof.loadtests.load_files import LoadFiles, read_result
from sloproof.loadtests.result import LoadResult
from sloproof.loadtests.second import Second
from tests.integration.counted_server import CountedServer
from tests.integration.small_workspace import USERS, runs, sloproof, started, wait_until, workspace_of

pytestmark = pytest.mark.integration
PROMISES = 'expect=(Failures(below="5%"), Quantile("p95", below="500ms"))'
OPEN = f'users=200, arrivals=Arrivals(rate=50), duration="15s", drain="1s", {PROMISES}'
SPINS = USERS.replace('self.client.get("/visit")', 'self.client.get("/visit")\n        while True:\n            pass')
CLOSED = f'users=3, duration="4s", drain="1s", {PROMISES}'
FEW_BYTES = 3000


def verdict(workspace: Path) -> str:
    return str(json.loads((runs(workspace)[-1] / "report.json").read_text())["verdict"])


def test_nothing_is_sent_to_a_target_that_is_not_listed(tmp_path: Path) -> None:
    workspace = workspace_of(tmp_path, OPEN)
    done = sloproof(workspace, "load", "run", "steady", "--target", "http://api.invalid:8080")
    assert done.returncode == 5
    assert "`api.invalid:8080` is not a listed target; nothing was sent to it" in done.stderr
    assert "hint: list `api.invalid:8080`" in done.stderr
    assert not any((folder / "load" / "plan.json").exists() for folder in runs(workspace))


@pytest.mark.parametrize("words", [["run", "steady"], ["capacity", "steady", "--from", "5"]])
def test_nothing_is_sent_to_an_address_that_is_not_http(tmp_path: Path, words: list[str]) -> None:
    workspace = workspace_of(tmp_path, OPEN)
    done = sloproof(workspace, "load", *words, "--target", "ftp://127.0.0.1")
    assert done.returncode == 2, done.stderr
    assert "only `http://` and `https://` are" in " ".join(done.stderr.split())
    assert not any(LoadFiles(folder).plan.exists() for folder in runs(workspace))


def test_no_rate_is_searched_of_a_target_that_is_not_listed(tmp_path: Path) -> None:
    workspace = workspace_of(tmp_path, OPEN)
    done = sloproof(workspace, *["load", "capacity", "steady", "--target", "http://api.invalid:8080"])
    assert done.returncode == 5
    assert not runs(workspace)


def test_users_that_leave_for_another_target_send_nothing_there(tmp_path: Path) -> None:
    with CountedServer() as server:
        leaves = USERS.replace('"/visit"', '"http://api.invalid/visit"')
        workspace = workspace_of(tmp_path, OPEN, leaves)
        done = sloproof(workspace, "load", "run", "steady", "--target", server.url)
        assert server.books().asked == 0
    assert done.returncode == 3, done.stdout + done.stderr
    result = read_result(runs(workspace)[-1])
    assert result.completed == 0
    assert all("`api.invalid:80` is not a listed target" in text for text in result.exceptions) and result.exceptions


@pytest.mark.parametrize("fields", [CLOSED, OPEN.replace("15s", "4s")], ids=["closed", "open"])
@pytest.mark.parametrize(
    ("users", "line"),
    [
        (USERS.replace('self.client.get("/visit")', 'raise KeyError("seed")'), 7),
        (USERS.replace("    @task", "    def on_start(self):\n        raise KeyError('seed')\n\n    @task"), 6),
    ],
    ids=["task", "on-start"],
)
def test_users_that_raise_at_once_are_told_with_the_line_and_nothing_else(
    tmp_path: Path, fields: str, users: str, line: int
) -> None:
    with CountedServer() as server:
        done = sloproof(workspace_of(tmp_path, fields, users), "load", "run", "steady", "--target", server.url)
    assert done.returncode == 2, done.stdout + done.stderr
    told = " ".join(done.stderr.split())
    assert f"loadtests/users/visitors.py:{line} the users raised before they sent anything: KeyError: 'seed'" in told
    assert "Type Name" not in told and "Traceback" not in told


def test_a_shape_that_ends_at_once_is_told(tmp_path: Path) -> None:
    shape = (
        "\nfrom locust import LoadTestShape\n\nclass Ends(LoadTestShape):\n    def tick(self):\n        return None\n"
    )
    with CountedServer() as server:
        done = sloproof(workspace_of(tmp_path, CLOSED, USERS + shape), "load", "run", "steady", "--target", server.url)
    assert done.returncode == 2, done.stdout + done.stderr
    assert "the shape `Ends` of `users/visitors.py` was over before its first user" in " ".join(done.stderr.split())


def test_a_locustfile_that_spins_when_it_is_loaded_is_given_up_and_named(tmp_path: Path) -> None:
    with CountedServer() as server:
        workspace = workspace_of(tmp_path, OPEN, "while True:\n    pass\n")
        done = sloproof(workspace, "load", "run", "steady", "--target", server.url)
        assert server.books().asked == 0
    assert done.returncode == 2, done.stderr
    told = " ".join(done.stderr.split())
    assert "loadtests/users/visitors.py:1 the locustfile did not begin within 30 s: it spins or waits here" in told
    assert "Traceback" not in told and "what was recorded" not in told


def test_a_task_that_spins_ends_undecided_and_is_told_as_such(tmp_path: Path) -> None:
    with CountedServer() as server:
        workspace = workspace_of(tmp_path, OPEN, SPINS)
        done = sloproof(workspace, "load", "run", "steady", "--target", server.url)
        assert server.books().asked > 0
    assert done.returncode in (3, 6), done.stdout + done.stderr
    assert "stood still" in done.stdout + done.stderr or "did not begin" in done.stderr


def test_a_task_that_begins_to_spin_later_is_told_as_a_generator_that_stood_still(tmp_path: Path) -> None:
    later = SPINS.replace("while True:", "while time.time() > BEGUN + 8:").replace(
        "from locust", "import time\n\nBEGUN = time.time()\n\nfrom locust", 1
    )
    with CountedServer() as server:
        workspace = workspace_of(tmp_path, OPEN, later)
        done = sloproof(workspace, "load", "run", "steady", "--target", server.url)
    assert done.returncode == 3, done.stdout + done.stderr
    assert verdict(workspace) == "UNDECIDED"
    assert "the load generator was saturated: stood still for 20 s" in done.stdout
    result = read_result(runs(workspace)[-1])
    assert result.partial and result.generator.saturated and result.completed > 0


def test_a_rate_that_the_machine_cannot_make_is_undecided(tmp_path: Path) -> None:
    with CountedServer() as server:
        workspace = workspace_of(tmp_path, OPEN.replace("rate=50", "rate=20000"))
        done = sloproof(workspace, "load", "run", "steady", "--target", server.url)
    assert done.returncode == 3, done.stdout + done.stderr
    assert verdict(workspace) == "UNDECIDED"
    assert "the load generator was saturated" in done.stdout
    assert "of 20000.0/s asked" in done.stdout
    assert read_result(runs(workspace)[-1]).generator.saturated


def test_a_disk_that_fills_up_ends_the_load_and_never_passes(tmp_path: Path) -> None:
    def few_bytes() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (FEW_BYTES, FEW_BYTES))

    with CountedServer() as server:
        workspace = workspace_of(tmp_path, OPEN.replace("15s", "10m"))
        done = sloproof(workspace, "load", "run", "steady", "--target", server.url, prepare=few_bytes)
        assert 0 < server.books().asked < 50 * 120
    assert done.returncode in (3, 6), done.stdout + done.stderr
    assert "Traceback" not in done.stderr and "PASS" not in done.stdout
    assert "cannot be written: File too large" in done.stderr and "hint: free some space" in done.stderr
    assert read_result(runs(workspace)[-1]).partial


def test_a_run_that_cannot_write_its_plan_sends_nothing(tmp_path: Path) -> None:
    with CountedServer() as server:
        workspace = workspace_of(tmp_path, OPEN)
        (workspace / ".sloproof").mkdir()
        (workspace / ".sloproof" / "runs").write_text("a file where a folder belongs")
        done = sloproof(workspace, "load", "run", "steady", "--target", server.url)
        assert server.books().asked == 0
    assert done.returncode == 6
    assert "cannot be written" in done.stderr and "hint:" in done.stderr


def test_a_target_that_refuses_every_connection_fails(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        url = f"http://127.0.0.1:{gone.getsockname()[1]}"
    workspace = workspace_of(tmp_path, OPEN)
    done = sloproof(workspace, "load", "run", "steady", "--target", url)
    assert done.returncode == 1, done.stdout + done.stderr
    assert read_result(runs(workspace)[-1]).errors.keys() == {"connection"}


def test_a_refused_connection_is_no_fast_answer(tmp_path: Path) -> None:
    """Refusals come within a millisecond; a promise of latency alone must not hold for them."""
    with socket.create_server(("127.0.0.1", 0)) as gone:
        url = f"http://127.0.0.1:{gone.getsockname()[1]}"
    workspace = workspace_of(
        tmp_path,
        OPEN.replace('Failures(below="5%"), Quantile("p95", below="500ms")', 'Quantile("p95", below="500ms"),'),
    )
    assert sloproof(workspace, "load", "run", "steady", "--target", url).returncode == 1
    assert verdict(workspace) == "FAIL"


def test_a_target_that_never_answers_does_not_pass(tmp_path: Path) -> None:
    with CountedServer(silent=True) as server:
        workspace = workspace_of(tmp_path, OPEN.replace("users=200", "users=1000"))
        done = sloproof(workspace, "load", "run", "steady", "--target", server.url)
        asked = server.books().asked
    assert done.returncode in (1, 3), done.stdout + done.stderr
    result = read_result(runs(workspace)[-1])
    assert result.in_flight_at_end > 0 and result.started == asked
    assert result.failed == result.completed


def test_an_empty_locustfile_does_not_pass(tmp_path: Path) -> None:
    with CountedServer() as server:
        workspace = workspace_of(tmp_path, OPEN, "")
        done = sloproof(workspace, "load", "run", "steady", "--target", server.url)
    assert done.returncode == 3, done.stdout + done.stderr
    assert "note: `users/visitors.py` defines no Locust user: nothing was sent" in done.stderr


def seconds(workspace: Path) -> list[Second]:
    folders = runs(workspace)
    return LoadFiles(folders[-1]).read_seconds() if folders else []


def begun(workspace: Path) -> bool:
    """Whether the generator is being started; it takes longer than this to its first user."""
    folders = runs(workspace)
    if not folders or not LoadFiles(folders[-1]).log.exists():
        return False
    time.sleep(0.3)
    return True


def drains(workspace: Path) -> bool:
    told = seconds(workspace)
    return len(told) > 4 and told[-1].started == 0 and told[-1].in_flight > 0


@pytest.mark.parametrize(
    ("fields", "hold", "reached"),
    [
        ('duration="1m"', 0.0, begun),
        ('duration="1m", warm_up="30s"', 0.0, lambda workspace: len(seconds(workspace)) > 2),
        ('duration="1m", warm_up="1s"', 0.0, lambda workspace: len(seconds(workspace)) > 4),
        ('duration="4s", drain="20s"', 6.0, drains),
    ],
    ids=["before-the-first-user", "warm-up", "steady", "drain"],
)
def test_an_interrupted_run_leaves_a_partial_result_and_never_passes(
    tmp_path: Path, fields: str, hold: float, reached: Callable[[Path], bool]
) -> None:
    workspace = workspace_of(tmp_path, f"users=400, arrivals=Arrivals(rate=20), {PROMISES}, {fields}")
    with CountedServer(hold=hold) as server:
        command = started(workspace, "load", "run", "steady", "--target", server.url)
        try:
            wait_until(lambda: reached(workspace))
            command.send_signal(signal.SIGINT)
            out, err = command.communicate(timeout=60)
        finally:
            command.kill()
            command.wait(10)
        asked = server.books().asked
    assert command.returncode == 130, out + err
    assert "what was recorded until then lies in" in err
    result = LoadResult.from_json(LoadFiles(runs(workspace)[-1]).result.read_text())
    assert result.partial and "partial" in " ".join(result.notes)
    not_sent = sum(request.name == "(no free user)" for request in result.censored)
    assert result.started - not_sent == asked
    assert "PASS" not in out
