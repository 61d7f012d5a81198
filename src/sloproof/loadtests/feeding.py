"""Data for the users of a locustfile: rows of a CSV file, or made ones, each dealt out to one user at a time.

For locustfiles, also under plain `locust -f`: this module imports nothing heavy, and no Locust.

Where several worker processes send one load, each deals out rows of its own: worker SLOPROOF_WORKER (from 1) of
SLOPROOF_WORKERS takes each row whose turn it is. `sloproof load run` sets both; a process without them has all rows.
"""

import csv
import os
import random
import sys
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any, Generic, Literal, TypeVar

Order = Literal["once", "round-robin", "random"]
Row = TypeVar("Row")


class Dealer(Generic[Row]):
    """Deals out rows: whoever asks gets the next. All users of a process share it.

    Args:
        numbers: of the rows of this process, in the order in which they are dealt; asked for when the first is.
        row: the row of a number.
    """

    def __init__(self, numbers: Callable[[int, int], Iterator[int]], row: Callable[[int], Row]) -> None:
        self._numbers = numbers
        self._row = row
        self._left: Iterator[int] | None = None

    def take(self) -> Row:
        """The next row.

        Raises:
            StopUser: every row was dealt; under Locust this ends the user that asked.
            LookupError: the same, where no Locust runs.
        """
        if self._left is None:
            # A worker is told its number after its locustfile is imported, and before its first user starts.
            self._left = self._numbers(*worker_share())
        for number in self._left:
            return self._row(number)
        raise _all_dealt()


class Rows(Dealer[dict[str, str]]):
    """The rows of a CSV file, whose first line names the columns.

    Args:
        file: its path; best beside the locustfile, `Path(__file__).with_name("people.csv")`.
        order: `once` deals each row to one user and then no more; `round-robin` begins again; `random` draws.
        seed: of the draws; the same seed draws the same rows.

    Raises:
        OSError: the file cannot be read.
        ValueError: it holds no row, or one with more or fewer columns than the first line, told with its line.
    """

    def __init__(self, file: str | Path, order: Order = "round-robin", seed: int = 0) -> None:
        rows = _read(Path(file))

        def numbers(worker: int, workers: int) -> Iterator[int]:
            own = range(worker - 1, len(rows), workers)
            if order == "random":
                dice = random.Random(f"{seed}/{worker}")
                return (dice.randrange(len(rows)) for _ in count())
            if not own and order == "round-robin":
                raise ValueError(f"`{file}` holds {len(rows)} rows for {workers} workers: worker {worker} has none")
            return iter(own) if order == "once" else (number for _ in count() for number in own)

        super().__init__(numbers, lambda number: rows[number])


class Generated(Dealer[Row]):
    """Rows that a function makes, without end; no two workers get the same number.

    Args:
        make: makes the row of a number, counted from 0, with dice of its own.
        seed: of the dice; the same seed and number give the same row.
    """

    def __init__(self, make: Callable[[int, random.Random], Row], seed: int = 0) -> None:
        super().__init__(
            lambda worker, workers: count(worker - 1, workers),
            lambda number: make(number, random.Random(f"{seed}/{number}")),
        )


def worker_share() -> tuple[int, int]:
    """Which worker this process is, from 1, and of how many.

    Raises:
        ValueError: the environment says what cannot be.
    """
    told = os.environ.get("SLOPROOF_WORKER", "1"), os.environ.get("SLOPROOF_WORKERS", "1")
    if not all(text.isdecimal() for text in told) or not 1 <= int(told[0]) <= int(told[1]):
        raise ValueError(f"SLOPROOF_WORKER `{told[0]}` of SLOPROOF_WORKERS `{told[1]}` cannot be")
    return int(told[0]), int(told[1])


def _read(file: Path) -> list[dict[str, str]]:
    with file.open(encoding="utf-8-sig", newline="") as text:
        lines = csv.reader(text)
        columns = next(lines, [])
        rows = []
        for fields in lines:
            if len(fields) != len(columns):
                raise ValueError(
                    f"`{file}` line {lines.line_num}: {len(fields)} columns, where the first line has {len(columns)}"
                )
            rows.append(dict(zip(columns, fields, strict=True)))
    if not rows:
        raise ValueError(f"`{file}` holds no row below its first line, which names the columns")
    return rows


def _all_dealt() -> Exception:
    # Locust is not imported for its exception: importing it patches the sockets of the whole process.
    locust: Any = sys.modules.get("locust.exception")
    kind: type[Exception] = LookupError if locust is None else locust.StopUser
    return kind("every row was dealt")
