"""What a load by arrival rate tells, against what really happened: the books of a real server, and its known freeze."""

import math
import os
import signal
import time
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from sloproof.loadtests.arrivals import Arrivals
from sloproof.loadtests.locust_process import LoadProcess
from sloproof.loadtests.profile import LoadProfile
from sloproof.loadtests.result import LoadResult
from tests.integration.counted_server import Books, CountedServer
from tests.integration.small_workspace import USERS

pytestmark = [pytest.mark.integration, pytest.mark.alone]

READING = 0.15
"""Seconds that a client on a busy machine may take to read the answers that were held up."""
TRIES = 4
"""A machine that is busy with other things starves the generator; it says so, and the run is made again."""


def start(folder: Path, server: CountedServer, rate: int, **changes: Any) -> LoadProcess:
    users = folder / "loadtests" / "users"
    users.mkdir(parents=True)
    (users / "visitors.py").write_text(USERS)
    profile = LoadProfile(
        name="open", system="test", locustfile="users/visitors.py", arrivals=Arrivals(rate=rate), **changes
    )
    thresholds = (Decimal("0.3"), Decimal("1"))
    return LoadProcess.start(
        profile, workspace=folder, target=server.url, run_folder=folder / "run", thresholds=thresholds
    )


def when_loaded(load: LoadProcess, seconds: float) -> None:
    until = time.monotonic() + 40
    while not ((now := load.progress()) and now.elapsed > seconds):
        assert time.monotonic() < until, "waited too long"
        time.sleep(0.02)


def exact_latencies(books: Books, rate: int) -> list[float]:
    """Each request's time from when it was due until the server answered it, in order; both by the server's clock.

    Arrivals are even, so that they are due at known distances. None was read before it was due: the one that was read
    soonest after its time tells when the schedule began.
    """
    read = sorted(books.read_at)
    begun = min(at - (index + 0.5) / rate for index, at in enumerate(read))
    answered = sorted(books.answered_at)
    return sorted(at - begun - (index + 0.5) / rate for index, at in enumerate(answered))


def quantile(ordered: list[float], q: float) -> float:
    return ordered[math.ceil(q * len(ordered)) - 1]


def frozen_run(folder: Path) -> tuple[LoadResult, Books]:
    with CountedServer() as server, start(folder, server, 500, users=1000, duration="10s") as load:
        when_loaded(load, 4)
        server.freeze(1.4)
        result = load.wait(60)
        return result, server.books()


def test_a_freeze_of_1400_ms_at_500_a_second_gives_the_exact_p99(tmp_path: Path) -> None:
    runs = (frozen_run(tmp_path / str(number)) for number in range(TRIES))
    result, books = next((run for run in runs if not run[0].generator.saturated), (None, None))
    assert result is not None and books is not None, "the generator was starved in every run"
    exact = exact_latencies(books, 500)
    assert result.started == result.completed == books.asked == pytest.approx(5000, abs=1)
    assert quantile(exact, 0.99) > 1.1
    assert result.quantile(0.99) == pytest.approx(quantile(exact, 0.99), rel=0.05)
    assert not any(second.waiting for second in result.seconds)
    for limit in (0.3, 1.0):
        # A client reads seven hundred answers at once no sooner than one after the other.
        slower, slower_but_for_reading = (sum(one > edge for one in exact) for edge in (limit, limit - READING))
        assert 0.98 * slower <= result.slower_than(Decimal(str(limit)).normalize()) <= slower_but_for_reading


def test_a_stall_in_the_last_four_seconds_is_seen(tmp_path: Path) -> None:
    """What the server never answers is never reported as slow; it is counted all the same."""
    with CountedServer() as server:
        with start(tmp_path, server, 100, users=800, duration="12s", drain="1s", request_timeout="60s") as load:
            when_loaded(load, 8)
            os.kill(server.process.pid, signal.SIGSTOP)
            answered = load.progress()
            result = load.wait(60)
            os.kill(server.process.pid, signal.SIGCONT)
        books = server.books()
    assert answered is not None
    assert result.started == pytest.approx(1200, abs=1)
    assert result.started == result.completed + result.in_flight_at_end == books.asked
    assert result.completed == pytest.approx(answered.completed, abs=110)
    assert result.in_flight_at_end == pytest.approx(400, abs=110)
    assert result.slower_than(Decimal("1")) >= 0.95 * result.in_flight_at_end
    assert result.quantile(0.99) is None  # it lies among those that were never answered
    assert (result.quantile(0.5) or 1) < 0.5


def test_counts_equal_the_servers_own_to_the_request(tmp_path: Path) -> None:
    with CountedServer(failing=0.1) as server:
        with start(tmp_path, server, 400, users=400, duration="6s") as load:
            result = load.wait(60)
        books = server.books()
    assert (result.started, result.completed, result.failed) == (books.asked, books.asked, books.failed)
    assert result.errors == {"5xx": books.failed} and books.failed > 100
    assert result.completed == pytest.approx(2400, abs=1)
    assert result.by_name["GET /visit"].completed == books.asked
