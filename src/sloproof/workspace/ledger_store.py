"""The budget ledger on disk: one file of JSON lines an objective, below `.sloproof/budget/`; lines are only added."""

import os
from collections.abc import Iterable
from pathlib import Path

from pydantic import ValidationError

from sloproof import names
from sloproof.alerts.budget_ledger import (
    Ask,
    ClosedPeriod,
    Count,
    close_periods,
    count_window,
    first_start,
    indicator_mark,
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
        """The periods of an objective, as they were added; a line that a crash cut short is left out."""
        try:
            lines = self._file(slo).read_bytes().splitlines()
        except FileNotFoundError:
            return []
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
            raise PartFailed(f"`{file}` cannot be written: {error.strerror}", hint="mend its permissions") from error

    def count(self, slo: SLO, timing: Timing, ask: Ask, now: float) -> Count | None:
        """Close what is over, and count the events of the objective's whole window up to now.

        Args:
            slo: an objective that is not split by labels.
            timing: its scrape interval; windows are taken as they are, so the scale must be 1.
            ask: evaluates expressions on the server that holds the raw series.
            now: seconds since the epoch.

        Returns:
            None where the raw series do not reach back to the start of the window, and for objectives that
            are split by labels or judged by slices: their long windows are no increase of a counter.
        """
        if slo.by or slo.by_slices:
            return None
        known = [period for period in self.periods(slo) if period.indicator == indicator_mark(slo)]
        earliest = now - slo.window.total_seconds()
        start = max((period.end for period in known), default=None)
        if start is None or start < earliest:
            known = []
            start = first_start(slo, timing.scrape, ask, earliest - _REACH, now)
        if start is None:
            return None
        new = list(close_periods(slo, timing.scrape, ask, start, now))
        self.add(slo, new)
        return count_window(slo, ask, [*known, *new], now)

    def _file(self, slo: SLO) -> Path:
        return self._folder / names.budget_ledger_file(slo.service.name, slo.name)


_REACH = 12 * 3600.0
"""Seconds before the window at which a new ledger starts, so that its first period straddles the window's start."""


def _readable(line: bytes) -> ClosedPeriod | None:
    try:
        return ClosedPeriod.model_validate_json(line)
    except ValidationError:
        return None


def _line_end(file: Path) -> str:
    """What must precede a new line: a line that a crash cut short has no end."""
    content = file.read_bytes()
    return "\n" if content and not content.endswith(b"\n") else ""
