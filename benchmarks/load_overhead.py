"""What the recorder costs: the same locustfile under plain Locust, under our recorder, and by arrival rate.

The target is a bare asyncio protocol that answers from one constant and counts what it was asked; it serves several
times what one generator can ask for, so that the generator's processor is what is measured. The variants take turns,
each a process of its own, and are looked at from outside: the target's count and the generator's processor time,
between two moments in the midst of the load. What is compared is requests per second of processor time, which is the
rate of a generator that has a core to itself, and which other work on the machine does not change; the rate by the
clock stands beside it. The last variant runs long and is asked for its memory.

Run: python benchmarks/load_overhead.py [--quick] [--rounds 60] [--seconds 0.5]
"""

import argparse
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
from rich.console import Console
from rich.table import Table

from sloproof.loadtests.arrivals import Arrivals
from sloproof.loadtests.locust_process import LoadProcess
from sloproof.loadtests.profile import LoadProfile

USERS = 40
BEYOND_REACH = 8_000
"""Arrivals per second, more than one process can send: the pool then always works."""
SETTLE = 0.2
"""Seconds at the start of a turn that are not measured."""
RECORDED_TARGET = 0.95
OPEN_TARGET = 0.80
MEMORY_TARGET = 1.0
"""MiB by which the generator may grow from the second fifth of a long run to its last."""
WARM_UP = 3.0
PATIENCE = 60.0
LOCUSTFILE = """
from locust import FastHttpUser, task

class Visitor(FastHttpUser):
    @task
    def visit(self):
        self.client.get("/visit")
"""
TARGET = r"""
import asyncio

asked = 0

class Answer(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        global asked
        if data.startswith(b"GET /books"):
            body = b"%d" % asked
        else:
            asked += 1
            body = b"ok"
        self.transport.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(body) + body)

async def main():
    server = await asyncio.get_running_loop().create_server(Answer, "127.0.0.1", 0, backlog=4096)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()

asyncio.run(main())
"""


@dataclass(frozen=True)
class Rate:
    """What a generator made: requests per second of its processor time, and per second of the clock."""

    per_core: float
    per_second: float


@contextmanager
def target() -> Iterator[str]:
    """The URL of a running target."""
    with subprocess.Popen([sys.executable, "-c", TARGET], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.kill()


def asked(url: str) -> int:
    """How many requests the target has been asked."""
    with urllib.request.urlopen(f"{url}/books", timeout=10) as answer:
        return int(answer.read())


@contextmanager
def plain(url: str, folder: Path) -> Iterator[int]:
    """Locust as anybody starts it; its process id."""
    command = [sys.executable, "-m", "locust", "--headless", "--only-summary", "-f", str(folder / "loadtests/file.py")]
    options = ["--host", url, "--users", str(USERS), "--spawn-rate", str(USERS)]
    with subprocess.Popen([*command, *options], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            yield process.pid
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(PATIENCE)


@contextmanager
def recorded(url: str, folder: Path, arrivals: Arrivals | None = None) -> Iterator[int]:
    """Locust with our recorder; its process id."""
    profile = LoadProfile(
        name="b", system="b", locustfile="file.py", users=USERS, arrivals=arrivals, duration="1h", drain="1s"
    )
    run = Path(tempfile.mkdtemp(dir=folder))
    with LoadProcess.start(profile, workspace=folder, target=url, run_folder=run, thresholds=[]) as load:
        yield load.pid


Start = Callable[[str, Path], AbstractContextManager[int]]
PLAIN, RECORDED, BY_ARRIVALS = "plain Locust", "with our recorder", "by arrival rate"
VARIANTS: dict[str, Start] = {
    PLAIN: plain,
    RECORDED: recorded,
    BY_ARRIVALS: lambda url, folder: recorded(url, folder, Arrivals(rate=BEYOND_REACH)),
}


class Turns:
    """One variant, which stands still but for its turns: generators that run at once would be measured by each other.

    Args:
        url: its own target.
        pid: its generator.
    """

    def __init__(self, url: str, pid: int) -> None:
        self._url = url
        self._generator = psutil.Process(pid)
        self._generator.suspend()

    def turn(self, seconds: float) -> Rate:
        """Run for a while and stand still again."""
        self._generator.resume()
        time.sleep(SETTLE)
        begun, cpu, count = time.perf_counter(), used(self._generator), asked(self._url)
        time.sleep(seconds)
        lasted, cpu = time.perf_counter() - begun, used(self._generator) - cpu
        count = asked(self._url) - count
        self._generator.suspend()
        return Rate(count / max(cpu, 0.01), count / lasted)

    def over(self) -> None:
        """Run on, so that it can be ended."""
        self._generator.resume()


def take_turns(folder: Path, rounds: int, seconds: float) -> dict[str, list[Rate]]:
    """Each variant in each round, one after the other."""
    found: dict[str, list[Rate]] = {variant: [] for variant in VARIANTS}
    with ExitStack() as stack:
        turns = {}
        for variant, start in VARIANTS.items():
            url = stack.enter_context(target())
            pid = stack.enter_context(start(url, folder))
            wait_for_load(url)
            turns[variant] = Turns(url, pid)
            stack.callback(turns[variant].over)
        for number in range(rounds):
            for variant in reversed(turns) if number % 2 else turns:
                found[variant].append(turns[variant].turn(seconds))
    return found


def wait_for_load(url: str) -> None:
    """Wait until requests come, and some seconds more."""
    until = time.monotonic() + PATIENCE
    while asked(url) < USERS:
        if time.monotonic() > until:
            raise SystemExit("no load came")
        time.sleep(0.1)
    time.sleep(WARM_UP)


def used(process: psutil.Process) -> float:
    """Processor seconds of a process so far."""
    times = process.cpu_times()
    return float(times.user + times.system)


def memory(folder: Path, seconds: float) -> tuple[float, float, int]:
    """MiB in the second fifth of a long recorded run and in its last, and the requests between."""
    with target() as url, recorded(url, folder) as pid:
        wait_for_load(url)
        generator, sizes, counts = psutil.Process(pid), [], []
        for _ in range(5 * 5):
            time.sleep(seconds / 25)
            sizes.append(generator.memory_info().rss / 2**20)
            counts.append(asked(url))
    return statistics.median(sizes[5:10]), statistics.median(sizes[20:]), counts[-1] - counts[7]


def show(rates: dict[str, list[Rate]]) -> dict[str, float]:
    """Print the table; the median ratio to plain Locust of the same round, by variant."""
    table = Table("variant", "requests per core second", "ratio of the same round", "by the clock")
    ratios = {}
    for variant, found in rates.items():
        against = [rate.per_core / base.per_core for rate, base in zip(found, rates[PLAIN], strict=True)]
        ratios[variant] = statistics.median(against)
        table.add_row(
            variant,
            f"{statistics.median(rate.per_core for rate in found):,.0f}",
            f"{ratios[variant]:.3f} ({min(against):.3f} to {max(against):.3f})",
            f"{statistics.median(rate.per_second for rate in found):,.0f}/s",
        )
    Console().print(table)
    return ratios


def main() -> None:
    """Measure, print, and fail where a target is missed."""
    reader = argparse.ArgumentParser(description=__doc__)
    reader.add_argument("--quick", action="store_true", help="shorter; the targets are then not judged")
    reader.add_argument("--rounds", type=int, default=60)
    reader.add_argument("--seconds", type=float, default=0.5)
    given = reader.parse_args()
    rounds, seconds, long = (4, 1.0, 10.0) if given.quick else (given.rounds, given.seconds, 120.0)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "loadtests").mkdir()
        (folder / "loadtests" / "file.py").write_text(LOCUSTFILE)
        found = take_turns(folder, rounds, seconds)
        early, late, requests = memory(folder, long)
    ratios = show(found)
    print(f"memory: {early:.1f} MiB early, {late:.1f} MiB {requests:,} requests later")
    targets = (
        (RECORDED, ratios[RECORDED], RECORDED_TARGET),
        (BY_ARRIVALS, ratios[BY_ARRIVALS], OPEN_TARGET),
    )
    missed = [
        f"{what}: {ratio:.3f} of plain Locust, {limit} is asked" for what, ratio, limit in targets if ratio < limit
    ]
    if late - early > MEMORY_TARGET:
        missed.append(f"memory grew by {late - early:.1f} MiB, at most {MEMORY_TARGET} is allowed")
    for line in missed:
        print(f"missed: {line}")
    raise SystemExit(bool(missed) and not given.quick)


if __name__ == "__main__":
    main()
