"""How long a command line takes to start: `sloproof --help` against `locust --version` and `chaos --version`.

The three take turns, so that a busy moment of the machine falls on all of them; the median of each is shown, with its
ratio to ours. Nothing else should be running.

Run: python benchmarks/startup.py [--runs 7]
"""

import argparse
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

COMMANDS = (("sloproof", "--help"), ("locust", "--version"), ("chaos", "--version"))
PATIENCE = 60.0
"""Seconds that one start may take."""


def seconds(command: Sequence[str]) -> float:
    """Wall-clock seconds from the start of a program of this environment to its end."""
    program = Path(sys.executable).with_name(command[0])
    started = time.perf_counter()
    subprocess.run(
        [program, *command[1:]],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        timeout=PATIENCE,
        check=True,
    )
    return time.perf_counter() - started


def measure(runs: int) -> dict[tuple[str, ...], list[float]]:
    """Seconds of each run by command; one more of each comes first, to warm the disk's cache, and is not counted."""
    taken: dict[tuple[str, ...], list[float]] = {command: [] for command in COMMANDS}
    for turn in range(runs + 1):
        for command in COMMANDS:
            needed = seconds(command)
            if turn:
                taken[command].append(needed)
    return taken


def show(taken: dict[tuple[str, ...], list[float]]) -> None:
    """The table: median, range, and how many times as long as ours."""
    ours = statistics.median(taken[COMMANDS[0]])
    table = Table("command", "median", "least to most", "times ours")
    for command, times in taken.items():
        median = statistics.median(times)
        table.add_row(
            " ".join(command),
            f"{median:.3f} s",
            f"{min(times):.3f} to {max(times):.3f} s",
            f"{median / ours:.1f}",
        )
    Console().print(table)


def main() -> None:
    """Measure and print."""
    reader = argparse.ArgumentParser(description=__doc__)
    reader.add_argument("--runs", type=int, default=7)
    show(measure(max(1, reader.parse_args().runs)))


if __name__ == "__main__":
    main()
