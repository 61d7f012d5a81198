"""The budget ledger on disk: one file of JSON lines an objective, below `.sloproof/budget/`; lines are only added."""

import os
from collections.abc import Iterable
from pathlib import Path

from pydantic import ValidationError

from sloproof import names
from sloproof.alerts.budget_ledger import (
    Ask,
    ClosedPeriod,
    Counts,
    close_periods,
    count_window,
    first_start,
    has_ledger,
    indicator_mark,
    mended,
    unbroken,
    window_start,
)
from sloproof.alerts.timing import Timing
from sloproof.errors import PartFailed
from sloproof.slo import SLO


class LedgerStore:
    """The closed periods of every objective.

    Args:
        folder: where the files lie; made when the first period is added.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def periods(self, slo: SLO) -> list[ClosedPeriod]:
        """The periods of an objective, as they were added; a line that a crash cut short or spoilt is left out.

        Raises:
            PartFailed: the file is there and cannot be read.
        """
        try:
            lines = self._file(slo).read_bytes().splitlines()
        except FileNotFoundError:
            return []
        except OSError as error:
            raise _closed_to_us(self._file(slo), "read", error) from error
        return [period for line in lines if (period := _readable(line)) is not None]

    def add(self, slo: SLO, periods: Iterable[ClosedPeriod]) -> None:
        """Add periods, on the disk when this returns.

        Raises:
            PartFailed: they could not be written.
        """
        text = "".join(period.model_dump_json() + "\n" for period in periods)
        if not text:
            return
        file = self._file(slo)
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            with file.open("a+b") as stream:
                stream.write((_line_end(file) + text).encode())
                stream.flush()
                os.fsync(stream.fileno())
        except OSError as error:
            raise _closed_to_us(file, "written", error) from error

    def count(self, slo: SLO, timing: Timing, ask: Ask, now: float) -> Counts | None:
        """Close what is over, and count the events of the objective's whole window up to now.

        Args:
            slo: an objective.
            timing: its scrape interval; windows are taken as they are, so the scale must be 1.
            ask: evaluates expressions on the server that holds the raw series.
            now: seconds since the epoch.

        Returns:
            The events of each group. None where the raw series do not reach back to the start of the window, and for
            objectives whose events no counter counts: their long windows are no increase of anything.

        Raises:
            PartFailed: a file cannot be read or written.
        """
        if not has_ledger(slo):
            return None
        mark, begin = indicator_mark(slo), window_start(slo, now)
        known = [period for period in self.periods(slo) if period.indicator == mark]
        new = mended(slo, timing.scrape, ask, known)
        run = [period for period in unbroken(slo, [*known, *new], now) if period.end > begin]
        start: float | None = run[-1].end if run else None
        if not run or run[0].start > begin:  # a new ledger, or one that lost its start, or whose window has grown
            earlier = first_start(slo, timing.scrape, ask, begin, now)
            if earlier is not None and (start is None or earlier <= begin):
                run, start = [], earlier
        if start is not None:
            new += close_periods(slo, timing.scrape, ask, start, now)
        self.add(slo, new)
        return count_window(slo, ask, [*run, *new], now)

    def _file(self, slo: SLO) -> Path:
        return self._folder / names.budget_ledger_file(slo.service.name, slo.name)


def _closed_to_us(file: Path, wanted: str, error: OSError) -> PartFailed:
    return PartFailed(f"the budget ledger `{file}` cannot be {wanted}: {error.strerror}", hint="mend its permissions")


def _readable(line: bytes) -> ClosedPeriod | None:
    try:
        return ClosedPeriod.model_validate_json(line)
    except ValidationError:
        return None


def _line_end(file: Path) -> str:
    """What must precede a new line: a line that a crash cut short has no end."""
    content = file.read_bytes()
    return "\n" if content and not content.endswith(b"\n") else ""
