"""What an instance's database connections are worth after more work than it could do, and after a stall."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import psutil
import pytest

from sloproof.lab.state import LabState
from sloproof.lab.tasks.database import Database, DatabaseUnavailable
from sloproof.supervisor import Supervisor
from tests.integration.lab_calls import wait_for

pytestmark = [pytest.mark.integration, pytest.mark.alone]
OVERLOAD = 5.0
POOL_SIZE = 8


@pytest.fixture(autouse=True)
def reached_as_the_instances_do(lab: LabState, monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment that an instance finds its database with."""
    instance = psutil.Process(Supervisor(lab.supervisor_socket).pid("a1")).environ()
    for name, value in instance.items():
        if name.startswith("PG"):
            monkeypatch.setenv(name, value)


@asynccontextmanager
async def opened() -> AsyncIterator[Database]:
    database = Database(POOL_SIZE)
    await database.open()
    try:
        assert await first_answer(database, within=5.0) < 5.0
        yield database
    finally:
        await database.close()


async def asked(database: Database) -> str:
    """How one request ends."""
    try:
        await database.row("select 1 as one", {})
    except DatabaseUnavailable:
        return "503"
    return "200"


async def first_answer(database: Database, within: float) -> float:
    """Seconds until requests are answered again."""
    begun = time.monotonic()
    while time.monotonic() - begun < within:
        if await asked(database) == "200":
            return time.monotonic() - begun
        await asyncio.sleep(0.05)
    raise AssertionError(f"still no answer after {within} s")


async def connections_in_use(database: Database) -> int:
    """How many connections serve when every one of them is needed at once."""
    backends = await asyncio.gather(
        *(database.row("select pg_backend_pid() as backend, pg_sleep(0.3)", {}) for _ in range(POOL_SIZE)),
        return_exceptions=True,
    )
    return len({row["backend"] for row in backends if isinstance(row, dict)})


async def whole(database: Database, within: float) -> None:
    """Wait until no connection is lost; the pool may still be opening some."""
    until = time.monotonic() + within
    while (found := await connections_in_use(database)) < POOL_SIZE:
        assert time.monotonic() < until, f"only {found} of {POOL_SIZE} connections are left"


async def overload(database: Database) -> list[str]:
    """40 requests each 0.1 s while the event loop is kept busy for 120 ms of each 125 ms."""
    requests: list[asyncio.Task[str]] = []
    until = time.monotonic() + OVERLOAD
    due = time.monotonic()
    while time.monotonic() < until:
        while due <= time.monotonic():
            requests += [asyncio.create_task(asked(database)) for _ in range(40)]
            due += 0.1
        time.sleep(0.120)
        await asyncio.sleep(0.005)
    done, late = await asyncio.wait(requests, timeout=4)
    assert not late, f"{len(late)} of {len(requests)} requests never ended"
    return [request.result() for request in done]


def test_an_instance_recovers_from_an_overload_at_once() -> None:
    async def run() -> float:
        async with opened() as database:
            assert "503" in await overload(database), "this was no overload"
            recovery = await first_answer(database, within=3.0)
            await whole(database, within=6.0)
            return recovery

    assert asyncio.run(run()) < 1.0


def test_too_many_requests_are_turned_away_at_once() -> None:
    async def run() -> list[tuple[str, float]]:
        async with opened() as database:

            async def slow() -> tuple[str, float]:
                begun = time.monotonic()
                try:
                    await database.row("select pg_sleep(0.3)", {})
                except DatabaseUnavailable:
                    return "503", time.monotonic() - begun
                return "200", time.monotonic() - begun

            return await asyncio.gather(*(slow() for _ in range(300)))

    answers = asyncio.run(run())
    at_once = [seconds for status, seconds in answers if status == "503" and seconds < 1.0]  # not after a time-out
    assert len(at_once) >= 200
    assert len([status for status, _ in answers if status == "200"]) >= POOL_SIZE
    assert max(seconds for _, seconds in answers) < 5.0


def test_a_database_that_stands_still_is_a_503_in_time_and_costs_no_connection(lab: LabState) -> None:
    async def run() -> None:
        async with opened() as database:
            with standing_still(lab):
                begun = time.monotonic()
                answers = await asyncio.gather(*(asked(database) for _ in range(3 * POOL_SIZE)))
                assert set(answers) == {"503"}
                assert not await database.answers(within=0.2)
                assert time.monotonic() - begun < 3.0
            assert await first_answer(database, within=3.0) < 3.0
            await whole(database, within=6.0)

    asyncio.run(run())


@contextmanager
def standing_still(lab: LabState) -> Iterator[None]:
    """Stop PostgreSQL with everything it started, and let it go on at the end."""
    server = psutil.Process(Supervisor(lab.supervisor_socket).pid("postgres"))
    stopped = [server, *server.children(recursive=True)]
    for process in stopped:
        os.kill(process.pid, signal.SIGSTOP)
    try:
        wait_for(lambda: server.status() == psutil.STATUS_STOPPED, within=2)
        yield
    finally:
        for process in stopped:
            os.kill(process.pid, signal.SIGCONT)
