"""A mergeable latency histogram of logarithmic buckets: any quantile within 1 % of the true sample.

The histogram is a plain mapping of bucket number to count, so that it travels as JSON and merges by addition.

Source: Masson, Rim, Lee, DDSketch, VLDB 2019, section 2.1.
"""

import math
from collections.abc import Iterable, Mapping

RELATIVE_ERROR = 0.01
"""The most by which a quantile is off, relative to the sample it stands for, ratio of 1."""

_GROWTH = (1 + RELATIVE_ERROR) / (1 - RELATIVE_ERROR)
_LOG_GROWTH = math.log(_GROWTH)
# Nothing over a network is faster than a microsecond; below it, samples share one bucket.
_SHORTEST = 1e-6

Buckets = dict[int, int]
"""Bucket number -> samples in it."""


def bucket(seconds: float) -> int:
    """The bucket that a latency falls into.

    Args:
        seconds: latency; below one microsecond it counts as one microsecond.

    Returns:
        The number i of the bucket over (g^(i-1), g^i] seconds, g = 1.01/0.99.
    """
    return math.ceil(math.log(max(seconds, _SHORTEST)) / _LOG_GROWTH)


def latency(number: int) -> float:
    """The latency in seconds that stands for a bucket, within `RELATIVE_ERROR` of each sample in it."""
    return 2.0 * float(_GROWTH**number) / (_GROWTH + 1)


def longest(number: int) -> float:
    """The longest latency in seconds that falls into a bucket: its upper edge, exact."""
    return float(_GROWTH**number)


def merged(histograms: Iterable[Mapping[int, int]]) -> Buckets:
    """One histogram of all samples of several."""
    total: Buckets = {}
    for histogram in histograms:
        for number, count in histogram.items():
            total[number] = total.get(number, 0) + count
    return total


def quantile(buckets: Mapping[int, int], q: float, never_answered: int = 0) -> float | None:
    """The smallest latency that at least a share `q` of the samples does not exceed.

    Args:
        buckets: the histogram.
        q: ratio of 1, such as 0.95.
        never_answered: further samples, slower than all of these by nobody knows how much.

    Returns:
        Seconds, within `RELATIVE_ERROR` of a true sample; None without samples, and where it lies among those that
        were never answered.

    Raises:
        ValueError: `q` is not within 0 and 1.
    """
    if not 0 <= q <= 1:
        raise ValueError(f"`{q}` is not a quantile; give a ratio from 0 to 1")
    count = sum(buckets.values()) + never_answered
    rank = max(1, math.ceil(q * count))
    for number in sorted(buckets):
        rank -= buckets[number]
        if rank <= 0:
            return latency(number)
    return None


def mean(buckets: Mapping[int, int]) -> float | None:
    """The mean latency in seconds, within `RELATIVE_ERROR`; None without samples."""
    count = sum(buckets.values())
    return sum(latency(number) * size for number, size in buckets.items()) / count if count else None
