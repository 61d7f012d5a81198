"""Requests whose truth is known: a queue in its steady state, and errors that come in bursts."""

import math
import random
from dataclasses import dataclass

from sloproof.verdict.statistics import Slice

ARRIVALS = 40.0
"""Requests per second."""

Second = list[float]
"""The latencies of one second, seconds."""


@dataclass(frozen=True)
class Queue:
    """A single server with random arrivals and random service times (M/M/1): slow requests come in waves.

    Args:
        utilisation: how busy the server is, ratio of 1.
    """

    utilisation: float

    def latencies(self, requests: int, chance: random.Random) -> list[Second]:
        """The latencies of one run, grouped by the second of arrival."""
        served = ARRIVALS / self.utilisation
        latency, now = chance.expovariate(served - ARRIVALS), 0.0
        seconds: list[Second] = [[]]
        for _ in range(requests):
            gap = chance.expovariate(ARRIVALS)
            now += gap
            latency = max(latency - gap, 0.0) + chance.expovariate(served)
            while len(seconds) <= now:
                seconds.append([])
            seconds[-1].append(latency)
        return seconds

    def exceeded_by(self, share: float) -> float:
        """The latency that exactly this share of requests exceeds: the time in an M/M/1 is exponential."""
        return -math.log(share) / (ARRIVALS / self.utilisation - ARRIVALS)


@dataclass(frozen=True)
class Bursts:
    """A service that is well most of the time, and now and then ill for a while.

    Args:
        well: its mean length, seconds.
        ill: its mean length, seconds.
        errors_well: share of requests that fail meanwhile, ratio of 1.
        errors_ill: the same while it is ill.
    """

    well: float = 18.0
    ill: float = 2.0
    errors_well: float = 0.005
    errors_ill: float = 0.4

    @property
    def ratio(self) -> float:
        """The true share of failing requests, ratio of 1."""
        return (self.well * self.errors_well + self.ill * self.errors_ill) / (self.well + self.ill)

    def slices(self, requests: int, chance: random.Random) -> tuple[Slice, ...]:
        """Failing and all requests, second by second; it changes only between two seconds."""
        is_ill = chance.random() < self.ill / (self.well + self.ill)
        found: list[Slice] = []
        while sum(size for _, size in found) < requests:
            share = self.errors_ill if is_ill else self.errors_well
            size = round(ARRIVALS)
            found.append((sum(chance.random() < share for _ in range(size)), size))
            if chance.random() < 1 / (self.ill if is_ill else self.well):
                is_ill = not is_ill
        return tuple(found)


def slower(seconds: list[Second], longest: float) -> tuple[Slice, ...]:
    """Requests over a latency, and all requests, second by second."""
    return tuple((sum(latency > longest for latency in second), len(second)) for second in seconds)
