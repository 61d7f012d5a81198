"""Locust as a real child process against a small target that keeps books of its own."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import textwrap
import threading
import time
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import psutil
import pytest

from sloproof.errors import DefinitionError, Refused, UsageError
from sloproof.lab.ports import free_ports
from sloproof.loadtests.locust_process import LoadProcess
from sloproof.loadtests.profile import LoadProfile

pytestmark = pytest.mark.integration

THRESHOLDS = (Decimal("0.3"), Decimal("0.5"))
USERS = """
import os
from locust import FastHttpUser, HttpUser, constant_pacing, task

class Visitor({base}):
    wait_time = constant_pacing(float(os.environ.get("SLOPROOF_PACE", "0.1")))

    @task
    def visit(self):
        {visit}
"""


class Target:
    """An HTTP server that answers after a while, or never, and counts what it was asked."""

    def __init__(self) -> None:
        self.status = 200
        self.delay = 0.0
        self.stalled = False
        self.paths: list[str] = []
        self.headers: list[dict[str, str]] = []
        self.port = 0
        self._ready = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=(self._serve(),), daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        self._thread.start()
        assert self._ready.wait(10)

    def end(self) -> None:
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join(10)

    async def _serve(self) -> None:
        self._over = asyncio.Event()
        server = await asyncio.start_server(self._connection, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        await self._over.wait()
        server.close()
        for connection in (open_ones := asyncio.all_tasks() - {asyncio.current_task()}):
            connection.cancel()
        await asyncio.gather(*open_ones, return_exceptions=True)

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                await self._answer(head.decode(), reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    async def _answer(self, head: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        lines = head.split("\r\n")
        headers = {k.lower(): v for k, _, v in (line.partition(": ") for line in lines[1:] if line)}
        await reader.readexactly(int(headers.get("content-length", "0")))
        self.paths.append(lines[0].split(" ")[1])
        self.headers.append(headers)
        while self.stalled:
            await asyncio.sleep(0.05)
        await asyncio.sleep(self.delay)
        instance = f"a{len(self.paths) % 2 + 1}"
        writer.write(f"HTTP/1.1 {self.status} X\r\nx-served-by: {instance}\r\ncontent-length: 2\r\n\r\nok".encode())
        await writer.drain()


@pytest.fixture
def target() -> Iterator[Target]:
    server = Target()
    server.start()
    yield server
    server.end()


def profile(**changes: Any) -> LoadProfile:
    values = {
        "name": "short",
        "system": "test",
        "locustfile": "users/visitors.py",
        "users": 8,
        "rate": 80,
        "duration": "2s",
        "drain": "2s",
        "request_timeout": "5s",
    }
    return LoadProfile(**{**values, **changes})


def start(folder: Path, target: str, locustfile: str | None = None, **changes: Any) -> LoadProcess:
    users = folder / "loadtests" / "users"
    users.mkdir(parents=True, exist_ok=True)
    (users / "visitors.py").write_text(
        USERS.format(base="FastHttpUser", visit='self.client.get("/visit")') if locustfile is None else locustfile
    )
    return LoadProcess.start(
        profile(**changes), workspace=folder, target=target, run_folder=folder / "run", thresholds=THRESHOLDS
    )


def wait_until(condition: Any, seconds: float = 20.0) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "waited too long"
        time.sleep(0.05)


def free_port() -> int:
    return free_ports(["one"])["one"]


@pytest.mark.parametrize("base", ["FastHttpUser", "HttpUser"])
def test_the_counts_equal_the_targets_own(tmp_path: Path, target: Target, base: str) -> None:
    locustfile = USERS.format(base=base, visit='self.client.get("/visit?q=1", name="/visit")')
    with start(tmp_path, target.url, locustfile) as load:
        result = load.wait(60)
    assert result.completed == result.started == len(target.paths) > 100
    assert result.in_flight_at_end == 0
    assert result.failed == 0 and not result.errors and not result.partial
    assert result.by_name["GET /visit"].completed == result.completed
    assert sum(result.served_by.values()) == result.completed
    assert Counter(result.served_by).keys() == {"a1", "a2"}
    assert sum(result.latency.values()) == result.completed
    assert all(len(headers["traceparent"]) == 55 for headers in target.headers)
    assert len({headers["traceparent"] for headers in target.headers}) == len(target.headers)


@pytest.mark.alone
def test_the_load_keeps_the_rate_that_was_asked_for(tmp_path: Path, target: Target) -> None:
    with start(tmp_path, target.url, duration="5s") as load:
        result = load.wait(60)
    assert result.generator.asked_rate == 80
    assert result.generator.achieved_rate == pytest.approx(80, rel=0.1)
    assert result.drained_from - result.started_at == pytest.approx(5, abs=0.5)


@pytest.mark.alone
def test_304_ms_is_slower_than_300_ms(tmp_path: Path, target: Target) -> None:
    target.delay = 0.304
    with start(tmp_path, target.url, rate=10) as load:
        result = load.wait(60)
    assert result.completed > 10
    assert result.slower_than(Decimal("0.3")) == result.completed
    assert result.slower_than(Decimal("0.5")) == 0
    assert result.quantile(0.5) == pytest.approx(0.306, rel=0.03)


@pytest.mark.alone
def test_a_stall_in_the_last_seconds_is_seen(tmp_path: Path, target: Target) -> None:
    with start(tmp_path, target.url, duration="4s", drain="1s", request_timeout="30s") as load:
        wait_until(lambda: (now := load.progress()) and now.elapsed > 1.5)
        target.stalled = True
        result = load.wait(60)
    assert result.in_flight_at_end == len(result.censored) == 8
    assert result.slower_than(Decimal("0.5")) == 8
    assert result.judged_against(Decimal("0.5")) == result.completed + 8
    assert all(request.name == "GET /visit" and request.age > 1 for request in result.censored)
    assert result.started == len(target.paths) == result.completed + 8


@pytest.mark.alone
def test_a_slow_target_is_not_mistaken_for_a_slow_generator(tmp_path: Path, target: Target) -> None:
    target.delay = 0.4
    with start(tmp_path, target.url, duration="5s") as load:
        result = load.wait(60)
    assert result.generator.achieved_rate and result.generator.achieved_rate < 30
    assert not any("achieved" in reason for reason in result.generator.reasons)


@pytest.mark.alone
def test_a_users_time_out_is_a_time_out(tmp_path: Path, target: Target) -> None:
    target.delay = 30
    for base in ("FastHttpUser", "HttpUser"):
        folder = tmp_path / base
        folder.mkdir()
        locustfile = USERS.format(base=base, visit='self.client.get("/visit")')
        with start(folder, target.url, locustfile, request_timeout="500ms", duration="2s") as load:
            result = load.wait(60)
        assert result.errors == {"timeout": result.completed} and result.completed > 8
        assert result.failed == result.completed


@pytest.mark.alone
def test_answers_are_told_from_failures(tmp_path: Path, target: Target) -> None:
    for status, kind, fails in ((500, "5xx", True), (404, "4xx", False), (429, "429", False)):
        target.status = status
        folder = tmp_path / kind
        folder.mkdir()
        with start(folder, target.url, duration="1s") as load:
            result = load.wait(60)
        assert result.errors == {kind: result.completed} and result.completed
        assert result.failed == (result.completed if fails else 0)


def test_a_target_that_refuses_connections_gives_a_result_that_says_so(tmp_path: Path) -> None:
    with start(tmp_path, f"http://127.0.0.1:{free_port()}", duration="1500ms") as load:
        result = load.wait(60)
    assert result.errors == {"connection": result.completed} and result.completed
    assert result.failed == result.completed
    assert not result.partial


def test_stop_saves_a_partial_result(tmp_path: Path, target: Target) -> None:
    with start(tmp_path, target.url, duration="10m") as load:
        wait_until(lambda: (now := load.progress()) and now.elapsed > 1)
        assert load.running
        result = load.stop()
        again = load.stop()
    assert result.partial and result.completed == len(target.paths) and again == result
    assert "partial" in result.notes[0]
    assert not load.running and load.poll() == 0


def test_a_stop_before_the_first_user_gives_an_empty_partial_result(tmp_path: Path, target: Target) -> None:
    with start(tmp_path, target.url) as load:
        assert load.progress() is None
        result = load.stop()
    assert result.partial and result.seconds == [] and target.paths == []


def test_a_generator_can_be_stopped_where_a_shell_has_it_ignore_interruptions(tmp_path: Path, target: Target) -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with start(tmp_path, target.url, duration="10m") as load:
            wait_until(lambda: (now := load.progress()) and now.elapsed > 1)
            result = load.stop()
    finally:
        signal.signal(signal.SIGINT, before)
    assert result.partial and result.completed == len(target.paths)
    assert load.poll() == 0


def test_an_interrupted_generator_saves_a_partial_result(tmp_path: Path, target: Target) -> None:
    with start(tmp_path, target.url, duration="10m") as load:
        wait_until(lambda: (now := load.progress()) and now.elapsed > 1)
        os.kill(load.pid, signal.SIGINT)
        result = load.wait(20)
    assert result.partial and result.completed == len(target.paths)


def test_a_killed_generator_leaves_what_it_recorded(tmp_path: Path, target: Target) -> None:
    with start(tmp_path, target.url, duration="10m") as load:
        wait_until(lambda: (now := load.progress()) and now.elapsed > 2)
        os.kill(load.pid, signal.SIGKILL)
        result = load.wait(20)
    assert result.partial and 0 < result.completed <= len(target.paths)
    assert "signal 9" in result.notes[0]


def test_a_full_disk_ends_the_load_and_keeps_what_was_written(tmp_path: Path, target: Target) -> None:
    full = "import resource\nresource.setrlimit(resource.RLIMIT_FSIZE, (1500, 1500))\n"
    locustfile = full + USERS.format(base="FastHttpUser", visit='self.client.get("/visit")')
    with start(tmp_path, target.url, locustfile, duration="10m") as load:
        result = load.wait(40)
    assert load.poll() == 1
    assert result.partial and 0 < result.completed < len(target.paths)
    assert not list((tmp_path / "run" / "load").glob(".result*"))


def test_a_generator_that_ignores_everything_is_killed(tmp_path: Path, target: Target) -> None:
    locustfile = USERS.format(base="FastHttpUser", visit="self.client.get('/visit')\n        while True: pass")
    with start(tmp_path, target.url, locustfile, duration="10m", drain="500ms") as load:
        wait_until(lambda: len(target.paths) > 0)
        begun = time.monotonic()
        result = load.stop()
        assert result.partial and "signal 9" in result.notes[0]
        assert time.monotonic() - begun < 20


def test_nothing_listens_and_the_child_has_a_session_of_its_own(tmp_path: Path, target: Target) -> None:
    with start(tmp_path, target.url, duration="10m") as load:
        wait_until(lambda: (now := load.progress()) and now.elapsed > 1)
        child = psutil.Process(load.pid)
        listening = [each for each in child.net_connections() if each.status == psutil.CONN_LISTEN]
        assert listening == []
        assert os.getsid(load.pid) != os.getsid(0)
        load.stop()


def test_the_generator_dies_with_the_process_that_started_it(tmp_path: Path, target: Target) -> None:
    users = tmp_path / "loadtests" / "users"
    users.mkdir(parents=True)
    (users / "visitors.py").write_text(USERS.format(base="FastHttpUser", visit='self.client.get("/visit")'))
    owner = textwrap.dedent(f"""
        import time
        from pathlib import Path
        from sloproof.loadtests.locust_process import LoadProcess
        from sloproof.loadtests.profile import LoadProfile
        folder = Path({str(tmp_path)!r})
        profile = LoadProfile(name="short", system="test", locustfile="users/visitors.py", users=4, duration="10m")
        load = LoadProcess.start(
            profile, workspace=folder, target="{target.url}", run_folder=folder / "run", thresholds=[]
        )
        print(load.pid, flush=True)
        time.sleep(60)
    """)
    with subprocess.Popen([sys.executable, "-c", owner], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        child = psutil.Process(int(parent.stdout.readline()))
        wait_until(lambda: len(target.paths) > 10)
        parent.kill()
    wait_until(lambda: not child.is_running() or child.status() == psutil.STATUS_ZOMBIE, 15)
    assert json.loads((tmp_path / "run" / "load" / "result.json").read_text())["partial"]


def test_a_locustfile_that_does_not_load_is_named_with_its_error(tmp_path: Path, target: Target) -> None:
    load = start(tmp_path, target.url, "import no_such_module")
    with pytest.raises(DefinitionError, match="no_such_module") as failure:
        load.wait(60)
    (problem,) = failure.value.problems
    assert (problem.path, problem.line) == ("loadtests/users/visitors.py", 1)
    assert target.paths == []


def test_a_locustfile_that_raises_before_it_sends_anything_is_named(tmp_path: Path, target: Target) -> None:
    locustfile = USERS.format(base="FastHttpUser", visit="1 / 0")
    load = start(tmp_path, target.url, locustfile, duration="1s")
    with pytest.raises(DefinitionError, match="ZeroDivisionError"):
        load.wait(60)


def test_an_empty_locustfile_gives_a_result_that_says_so(tmp_path: Path, target: Target) -> None:
    with start(tmp_path, target.url, "") as load:
        result = load.wait(60)
    assert result.completed == 0 and result.seconds == [] and result.partial
    assert any("no Locust user" in note for note in result.notes)


def test_a_target_outside_the_list_is_refused_before_anything_starts(tmp_path: Path) -> None:
    with pytest.raises(Refused, match=r"192\.0\.2\.1"):
        start(tmp_path, "http://192.0.2.1:80")
    assert not (tmp_path / "run").exists()


def test_a_locustfile_cannot_leave_the_allowed_targets(tmp_path: Path, target: Target) -> None:
    for base in ("FastHttpUser", "HttpUser"):
        folder = tmp_path / base
        folder.mkdir()
        visit = 'self.client.get("http://192.0.2.1/"); self.client.get("/never")'
        locustfile = USERS.format(base=base, visit="self.client.get('/visit'); " + visit)
        with start(folder, target.url, locustfile, duration="1s") as load:
            result = load.wait(60)
        assert result.exceptions and all("192.0.2.1" in text for text in result.exceptions)
        assert result.by_name.keys() == {"GET /visit"}


def test_a_redirect_cannot_leave_the_allowed_targets(tmp_path: Path) -> None:
    asked: list[bytes] = []

    def redirect(server: socket.socket) -> None:
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            with connection:
                asked.append(connection.recv(4096))
                connection.sendall(
                    b"HTTP/1.1 302 Found\r\nlocation: http://192.0.2.1/\r\n"
                    b"content-length: 0\r\nconnection: close\r\n\r\n"
                )

    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=redirect, args=(server,), daemon=True).start()
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
        with start(tmp_path, url, duration="1s", request_timeout="1s") as load:
            result = load.wait(60)
        server.shutdown(socket.SHUT_RDWR)
    assert asked and result.completed == 0
    assert all("192.0.2.1" in text for text in result.exceptions)


def test_a_run_folder_is_used_once(tmp_path: Path, target: Target) -> None:
    with start(tmp_path, target.url, duration="1s") as load:
        load.wait(60)
    with pytest.raises(Refused, match="already holds"):
        start(tmp_path, target.url)


def test_a_missing_locustfile_is_a_usage_error(tmp_path: Path, target: Target) -> None:
    with pytest.raises(UsageError, match="nowhere"):
        LoadProcess.start(
            profile(locustfile="users/nowhere.py"),
            workspace=tmp_path,
            target=target.url,
            run_folder=tmp_path / "run",
            thresholds=THRESHOLDS,
        )


def test_locusts_own_environment_does_not_change_the_run(
    tmp_path: Path, target: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOCUST_MODE_MASTER", "1")
    monkeypatch.setenv("HTTP_PROXY", "http://192.0.2.1:3128")
    locustfile = USERS.format(base="HttpUser", visit='self.client.get("/visit")')
    with start(tmp_path, target.url, locustfile, duration="1s") as load:
        result = load.wait(60)
    assert result.completed == len(target.paths) > 0 and result.failed == 0


def test_the_people_of_the_tasks_system_spread_out_log_in_once_and_clean_up(tmp_path: Path) -> None:
    workspace = Path(__file__).parents[2]
    server = TasksTarget()
    server.start()
    people = profile(locustfile="users/tasks.py", users=20, rate=40, duration="6s")
    with LoadProcess.start(
        people, workspace=workspace, target=server.url, run_folder=tmp_path, thresholds=THRESHOLDS
    ) as load:
        result = load.wait(60)
    server.end()
    assert result.errors == {} and result.exceptions == {}
    assert result.completed == len(server.arrivals)
    assert result.by_name["POST /login"].completed == 20
    assert result.by_name.keys() == {
        "POST /login", "GET /tarefas", "POST /tarefas", "GET /tarefas/{id}", "PUT /tarefas/{id}", "DELETE /tarefas/{id}"
    }  # fmt: skip
    assert max(len(tasks) for tasks in server.tasks.values()) <= 10
    assert len(server.tasks) == 20
    # In step, all would arrive within the same few of the hundred slots of a pace.
    pace = 20 / 40
    slots = Counter(int(arrival % pace / pace * 100) for arrival in server.arrivals if arrival > server.arrivals[0] + 2)
    assert len(slots) > 10
    assert result.generator.achieved_rate == pytest.approx(40, rel=0.1)


class TasksTarget(Target):
    """Answers as the tasks API does, from memory."""

    def __init__(self) -> None:
        super().__init__()
        self.tasks: dict[str, list[str]] = {}
        self.arrivals: list[float] = []

    async def _answer(self, head: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.arrivals.append(time.monotonic())
        lines = head.split("\r\n")
        method, path, _ = lines[0].split(" ")
        headers = {k.lower(): v for k, _, v in (line.partition(": ") for line in lines[1:] if line)}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        status, content = self._serve_tasks(method, path, headers.get("authorization", ""), json.loads(body or b"null"))
        text = json.dumps(content).encode() if content is not None else b""
        writer.write(f"HTTP/1.1 {status} X\r\ncontent-length: {len(text)}\r\n\r\n".encode() + text)
        await writer.drain()

    def _serve_tasks(self, method: str, path: str, token: str, body: Any) -> tuple[int, Any]:
        if path == "/login":
            self.tasks.setdefault(body["email"], [])
            return (200, {"token": body["email"]}) if body["senha"] == "lab-password" else (401, {})
        mine = self.tasks[token.removeprefix("Bearer ")]
        number = path.removeprefix("/tarefas").removeprefix("/")
        if number and number not in mine:
            return 404, {}
        if method == "POST":
            mine.append(f"{token[-20:-13]}-{len(self.arrivals)}")
            return 201, {"id": mine[-1]}
        if method == "DELETE":
            mine.remove(number)
            return 204, None
        return 200, {"id": number} if number else [{"id": each} for each in mine[:20]]
