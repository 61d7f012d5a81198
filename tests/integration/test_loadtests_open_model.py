"""Load by arrival rate against a real process that can be frozen and keeps books of its own."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from sloproof.loadtests.arrivals import Arrivals, RateStage
from sloproof.loadtests.locust_process import LoadProcess
from sloproof.loadtests.profile import LoadProfile
from sloproof.loadtests.result import LoadResult
from sloproof.loadtests.user_stages import UserStage

pytestmark = [pytest.mark.integration, pytest.mark.alone]

USERS = """
from locust import FastHttpUser, between, task

class Visitor(FastHttpUser):
    wait_time = between(5, 9)

    @task
    def visit(self):
        self.client.get("/visit")
"""
SERVER = """
import asyncio, sys

SLOTS, HOLD = asyncio.Semaphore(int(sys.argv[1])), float(sys.argv[2])
asked = 0

async def connection(reader, writer):
    global asked
    try:
        while head := await reader.readuntil(b"\\r\\n\\r\\n"):
            books = b"/books" in head
            asked += not books
            if HOLD and not books:
                async with SLOTS:
                    await asyncio.sleep(HOLD)
            body = str(asked).encode()
            writer.write(b"HTTP/1.1 200 OK\\r\\ncontent-length: %d\\r\\n\\r\\n" % len(body) + body)
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()

async def main():
    server = await asyncio.start_server(connection, "127.0.0.1", 0, backlog=4096)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()

asyncio.run(main())
"""


class Server:
    """A target as a process of its own: so many requests at once, each held for so long."""

    def __init__(self, slots: int = 1, hold: float = 0.0) -> None:
        command = [sys.executable, "-c", SERVER, str(slots), str(hold)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        self.url = f"http://127.0.0.1:{int(self.process.stdout.readline())}"

    def freeze(self, seconds: float) -> None:
        os.kill(self.process.pid, signal.SIGSTOP)
        time.sleep(seconds)
        os.kill(self.process.pid, signal.SIGCONT)

    def end(self) -> None:
        self.process.kill()
        self.process.wait(10)


@pytest.fixture
def servers() -> Iterator[list[Server]]:
    started: list[Server] = []
    yield started
    for server in started:
        server.end()


def start(folder: Path, target: str, **changes: Any) -> LoadProcess:
    users = folder / "loadtests" / "users"
    users.mkdir(parents=True)
    (users / "visitors.py").write_text(USERS)
    fields = {"name": "open", "system": "test", "locustfile": "users/visitors.py", "duration": "8s", **changes}
    return LoadProcess.start(
        LoadProfile(**fields),
        workspace=folder,
        target=target,
        run_folder=folder / "run",
        thresholds=(Decimal("0.3"), Decimal("1")),
    )


def when_loaded(load: LoadProcess, seconds: float) -> None:
    until = time.monotonic() + 30
    while not ((now := load.progress()) and now.elapsed > seconds):
        assert time.monotonic() < until, "waited too long"
        time.sleep(0.05)


def test_tasks_arrive_by_the_clock_whatever_the_locustfile_waits(tmp_path: Path, servers: list[Server]) -> None:
    servers.append(Server())
    ramp = Arrivals(rate=20, stages=(RateStage(rate=60, over="4s"), RateStage(rate=10, over="0s")))
    with start(tmp_path, servers[0].url, users=20, arrivals=ramp) as load:
        result = load.wait(60)
    assert result.completed == result.started == pytest.approx(4 * 40 + 4 * 10, abs=2)
    assert result.in_flight_at_end == 0 and not result.partial
    assert result.asked_rate == pytest.approx(25)


def test_a_stall_of_the_target_is_seen_by_all_who_arrive_in_it(tmp_path: Path, servers: list[Server]) -> None:
    """1.4 s at 200 a second: 280 arrivals wait from 1.4 s down to nothing; a paced user would see one slow answer."""
    servers.append(Server())
    with start(tmp_path, servers[0].url, users=400, arrivals=Arrivals(rate=200)) as load:
        when_loaded(load, 3)
        servers[0].freeze(1.4)
        result = load.wait(60)
    assert result.started == pytest.approx(1600, abs=5)
    # A client on a busy machine reads the answers that were held up later, never sooner.
    assert 0.38 * 200 <= result.slower_than(Decimal("1")) <= 0.8 * 200
    assert 1.08 * 200 <= result.slower_than(Decimal("0.3")) <= 1.6 * 200
    exact = 1.4 - 0.01 * result.completed / 200
    assert 0.95 * exact <= (result.quantile(0.99) or 0) <= 1.3 * exact


def test_users_come_and_go_in_stages(tmp_path: Path, servers: list[Server]) -> None:
    servers.append(Server())
    stages = (UserStage(users=20, over="3s"), UserStage(users=20, over="3s"), UserStage(users=4, over="0s"))
    with start(tmp_path, servers[0].url, users=0, stages=stages, duration="9s") as load:
        result = load.wait(60)
    users = [second.users for second in result.seconds]
    assert max(users) == 20
    assert users[1] < 20
    assert 4 in users[-3:]
    assert not result.partial


def test_what_no_user_was_free_for_is_late_and_told(tmp_path: Path, servers: list[Server]) -> None:
    """Two users at half a second a request serve 4 a second of 20; the others wait, and that is no verdict."""
    servers.append(Server(slots=100, hold=0.5))
    with start(tmp_path, servers[0].url, users=2, duration="6s", drain="1s", arrivals=Arrivals(rate=20)) as load:
        result: LoadResult = load.wait(60)
    assert result.generator.saturated
    assert any("had no free user" in reason and "`users=2`" in reason for reason in result.generator.reasons)
    assert result.started == pytest.approx(120, abs=2)
    assert result.in_flight_at_end > 60
    assert result.slower_than(Decimal("1")) > 90
    assert {request.name for request in result.censored} >= {"(no free user)"}
