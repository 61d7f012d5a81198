"""Thirty-one days of one service's counters, with the exact events that they count.

A number of pods answer ten routes with four status codes. Traffic follows day and night and is lower at weekends. Pods
restart every three days or so, every second time under a new name; single scrapes are missing; for 25 minutes and for
3 hours nothing is scraped at all, and an incident lies inside the longer gap. Clients make their counters at the start
of a pod, at zero, as good clients do.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

START = 27272 * 64_800
"""Seconds since the epoch; on the grid of 18 h that Prometheus's blocks lie on."""
DAYS = 31
MINUTES = DAYS * 24 * 60
SCRAPE = 60
END = START + MINUTES * 60
ROUTES = 10
CODES = ("200", "404", "500", "503")
SERIES_A_POD = ROUTES * len(CODES)
METRIC = "http_requests_total"
JOB = "shop"

DAY = 24 * 60
GAPS = ((int(8.4 * DAY), 25), (int(13.2 * DAY), 180))
"""First minute and length of the times in which nothing is scraped, minutes."""
BASE_ERRORS = 0.0002


@dataclass(frozen=True)
class Incident:
    """A time of more errors: first minute, length in minutes, bad events of all events."""

    start: int
    length: int
    ratio: float


INCIDENTS = (
    Incident(int(2.3 * DAY), 20, 0.05),
    Incident(int(6.1 * DAY), 15, 0.20),
    Incident(int(9.6 * DAY), 60, 0.02),
    Incident(int(13.2 * DAY) + 60, 45, 0.05),  # inside the longer gap
    Incident(int(17.4 * DAY), 30, 0.05),
    Incident(int(21.5 * DAY), 240, 0.003),
    Incident(int(25.1 * DAY), 6, 1.0),
    Incident(int(29.7 * DAY), 90, 0.004),
)
SEEN_STARTING = tuple(one for one in INCIDENTS if one.ratio >= 0.02 and one.start != INCIDENTS[3].start)
"""Incidents that page fast, and whose start was scraped."""

Counts = NDArray[np.int64]


@dataclass(frozen=True)
class Life:
    """One run of one pod: its name and the minutes it lived, the last one excluded."""

    instance: str
    first: int
    end: int


class Traffic:
    """The events of every pod, minute by minute; the same for the same seed.

    Args:
        series: live raw series, a multiple of forty.
        seed: of the random numbers.
    """

    def __init__(self, series: int, seed: int = 1) -> None:
        self.pods = series // SERIES_A_POD
        self._chance = np.random.default_rng(seed)
        self.offsets = self._chance.integers(0, SCRAPE, self.pods)
        self.lives = [self._lives(pod) for pod in range(self.pods)]
        self.scraped = np.array([self._scraped(pod) for pod in range(self.pods)])
        self.events = np.stack([self._events(pod) for pod in range(self.pods)])  # pod, route * code, minute

    @cached_property
    def total(self) -> Counts:
        """All events of each minute."""
        return self.events.sum(axis=(0, 1), dtype=np.int64)

    @cached_property
    def bad(self) -> Counts:
        """Bad events of each minute."""
        bad = [index for index in range(SERIES_A_POD) if CODES[index % len(CODES)].startswith("5")]
        return self.events[:, bad].sum(axis=(0, 1), dtype=np.int64)

    def truth(self, end: int, minutes: int) -> float:
        """Bad events over all events in a window, exact.

        Args:
            end: minute, excluded.
            minutes: the window's length.
        """
        window = slice(max(0, end - minutes), end)
        return float(self.bad[window].sum() / self.total[window].sum())

    def chunk(self, first: int, end: int) -> Iterator[str]:
        """The samples of some minutes, as OpenMetrics text."""
        yield f"# TYPE {METRIC.removesuffix('_total')} counter\n"
        for pod in range(self.pods):
            for life in self.lives[pod]:
                if life.first < end and life.end > first:
                    yield from self._life_text(pod, life, max(first, life.first), min(end, life.end))
        yield "# EOF\n"

    def _life_text(self, pod: int, life: Life, first: int, end: int) -> Iterator[str]:
        minutes = np.flatnonzero(self.scraped[pod, first:end]) + first
        offset = int(self.offsets[pod])
        times = [f" {START + 60 * minute + offset}\n" for minute in minutes.tolist()]
        for index in range(SERIES_A_POD):
            events = self.events[pod, index, life.first : end].astype(np.int64)
            before = np.cumsum(events) - events
            values = before[minutes - life.first] + events[minutes - life.first] * offset // SCRAPE
            route, code = divmod(index, len(CODES))
            name = f'{METRIC}{{job="{JOB}",instance="{life.instance}",route="/r{route}",code="{CODES[code]}"}} '
            yield "".join([f"{name}{value}{time}" for value, time in zip(values.tolist(), times, strict=True)])

    def _lives(self, pod: int) -> list[Life]:
        ends = np.cumsum(self._chance.integers(2 * DAY, 4 * DAY, DAYS)).tolist()
        starts = [0, *(int(end) for end in ends if end < MINUTES)]
        return [
            Life(f"pod-{pod}-{index // 2}", first, end)
            for index, (first, end) in enumerate(zip(starts, [*starts[1:], MINUTES], strict=True))
        ]

    def _scraped(self, pod: int) -> NDArray[np.bool_]:
        scraped = np.ones(MINUTES, dtype=bool)
        for first, length in GAPS:
            scraped[first : first + length] = False
        for first in self._chance.integers(0, MINUTES, 6):
            scraped[first : first + 3] = False  # this target alone did not answer
        scraped[[life.first for life in self.lives[pod][1:]]] = False  # it was starting
        return scraped

    def _events(self, pod: int) -> NDArray[np.int32]:
        share = _requests_a_second() * 60 / (50 * ROUTES)
        total = self._chance.poisson(share, (ROUTES, MINUTES))
        total[:, [life.first for life in self.lives[pod][1:]]] = 0
        bad = self._chance.binomial(total, _bad_ratio())
        other = self._chance.binomial(bad, 0.3)
        missing = self._chance.binomial(total - bad, 0.03)
        by_code = np.stack([total - bad - missing, missing, bad - other, other], axis=1)
        return by_code.reshape(SERIES_A_POD, MINUTES).astype(np.int32)


def _requests_a_second() -> NDArray[np.float64]:
    """Of fifty pods, at each minute."""
    minute = np.arange(MINUTES)
    day = 262.5 - 237.5 * np.cos(2 * np.pi * (minute % DAY) / DAY)
    return np.asarray(np.where(minute // DAY % 7 >= 5, day * 0.6, day))


def _bad_ratio() -> NDArray[np.float64]:
    ratio = np.full(MINUTES, BASE_ERRORS)
    for incident in INCIDENTS:
        ratio[incident.start : incident.start + incident.length] = incident.ratio
    return ratio
