"""A real Prometheus on data that was made before: blocks through promtool, queries with what they read."""

import gc
import os
import socket
import statistics
import subprocess
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import httpx
from traffic import END, MINUTES, START, Traffic

from sloproof.lab.parts import PARTS_VARIABLE, find

os.environ.setdefault(PARTS_VARIABLE, str(Path(__file__).parents[1] / ".sloproof" / "parts"))

BLOCK = 18 * 60
"""Minutes in one file of samples: promtool reads a file again for each block that it makes of it."""


@dataclass(frozen=True)
class Cost:
    """What one evaluation of an expression read and took."""

    samples: int
    seconds: float


class Server:
    """Queries of a running Prometheus."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._http = httpx.Client(base_url=url, timeout=600, trust_env=False)

    def value(self, expression: str, at: float) -> float | None:
        """The value of an expression that yields one series or none."""
        result = self._get("/api/v1/query", query=expression, time=at)["result"]
        if len(result) > 1:
            raise ValueError(f"`{expression}` yields {len(result)} series")
        return float(result[0]["value"][1]) if result else None

    def points(self, expression: str, start: float, end: float, step: float) -> list[tuple[float, float]]:
        """The values of an expression that yields one series or none, at equal distances."""
        result = self._get("/api/v1/query_range", query=expression, start=start, end=end, step=step)["result"]
        return [(float(at), float(value)) for at, value in result[0]["values"]] if result else []

    def cost(self, expression: str, at: float, runs: int) -> Cost:
        """Samples read and the median time of warm evaluations, by Prometheus's own count."""
        stats = [self._get("/api/v1/query", query=expression, time=at, stats="all")["stats"] for _ in range(runs + 1)]
        times = [one["timings"]["evalTotalTime"] for one in stats[1:] or stats]
        return Cost(int(stats[0]["samples"]["totalQueryableSamples"]), statistics.median(times))

    def ready(self) -> bool:
        """Whether it answers queries."""
        try:
            return self._http.get("/-/ready").is_success
        except httpx.HTTPError:
            return False

    def _get(self, path: str, **parameters: Any) -> Any:
        answer = self._http.get(path, params=parameters).json()
        if answer["status"] != "success" or answer.get("warnings"):
            raise ValueError(f"`{parameters['query'][:200]}`: {answer.get('error') or answer['warnings']}")
        return answer["data"]


@contextmanager
def running(folder: Path) -> Iterator[Server]:
    """A Prometheus on the blocks in `folder/data`, stopped afterwards."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{listener.getsockname()[1]}"
    (folder / "prometheus.yaml").write_text("global: {}\n")
    command = [str(find("prometheus")), "--config.file=prometheus.yaml", "--storage.tsdb.path=data"]
    command += [f"--web.listen-address={address}", "--storage.tsdb.retention.time=100y"]
    command += ["--query.max-samples=2000000000", "--query.timeout=10m"]
    with (folder / "prometheus.log").open("ab") as log:
        process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log)
    server, deadline = Server(f"http://{address}"), time.monotonic() + 60
    try:
        while not server.ready():
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"Prometheus does not start: {(folder / 'prometheus.log').read_text()[-2000:]}")
            time.sleep(0.1)
        yield server
    finally:
        process.terminate()
        process.wait(timeout=60)


_traffic: list[Traffic] = []
"""What the forked writers read; a copy each of 400 MB would be slow."""


def write_blocks(traffic: Traffic, folder: Path) -> None:
    """The counters of a traffic as blocks in `folder/data`."""
    _traffic[:] = [traffic]
    gc.freeze()
    chunks = [(folder, first) for first in range(0, MINUTES, BLOCK)]
    with get_context("fork").Pool(os.cpu_count()) as pool:
        pool.starmap(_write_chunk, chunks, chunksize=1)


def _write_chunk(folder: Path, first: int) -> None:
    add_blocks(_traffic[0].chunk(first, min(first + BLOCK, MINUTES)), folder, f"chunk-{first}")


def add_blocks(text: Iterable[str], folder: Path, name: str) -> None:
    """OpenMetrics text as blocks in `folder/data`; a running server sees them after a restart."""
    file = folder / f"{name}.om"
    with file.open("w") as stream:
        stream.writelines(text)
    command = [str(find("promtool")), "tsdb", "create-blocks-from", "openmetrics", "--max-block-duration=18h"]
    made = subprocess.run([*command, "--quiet", file, folder / "data"], capture_output=True, text=True, check=False)
    file.unlink()
    if made.returncode:
        raise RuntimeError(f"promtool failed: {made.stdout[-500:]}{made.stderr[-1500:]}")


def recorded_text(server: Server, rules: Iterable[tuple[str, str]], interval: int) -> Iterator[str]:
    """The series that recording rules would have written over the whole time, as OpenMetrics text.

    Args:
        server: holds the raw series.
        rules: series to write, with its labels, and its expression.
        interval: seconds between two evaluations.
    """
    day = 86_400
    for series, expression in rules:
        yield f"# TYPE {series.split('{')[0]} gauge\n"
        for start in range(START, END, day):
            for at, value in server.points(expression, start, min(start + day, END) - interval, interval):
                yield f"{series} {value!r} {at:.0f}\n"
    yield "# EOF\n"
