"""Stalls that a load of users hides: whoever waits for an answer sends nothing, so few requests are slow."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from sloproof.loadtests.outcome import NO_ANSWER
from sloproof.loadtests.result import LoadResult
from sloproof.loadtests.second import Second
from sloproof.verdict.wording import counted, percent

_SHORTEST = 2
"""Seconds; one in which nobody was answered is an accident."""


@dataclass(frozen=True)
class Stall:
    """What stalls of the target would have cost users who come by the clock.

    Args:
        share: of the time of the load, in which a request that came would have been slow; ratio of 1.
        longest: seconds in a row without an answer.
        waiting: requests that waited then, at the most.
    """

    share: float
    longest: int
    waiting: int

    def sentence(self) -> str:
        """Why a pass would be hollow, and what to do."""
        return (
            f"nobody was answered for {self.longest} s while {counted(self.waiting, 'request')} waited, and users who "
            f"wait ask for nothing: by the clock {percent(self.share)} would have been slow; load by the clock "
            "(`arrivals=`) to count them"
        )


def stall(load: LoadResult, threshold: Decimal) -> Stall | None:
    """The stalls of a load whose users wait for their answers.

    Args:
        load: the run, without its warm-up.
        threshold: seconds above which a request is slow; a stall counts as long as there is more of it left than that.

    Returns:
        None where there was none, and for a load by the clock, which counts each request from when it was due.
    """
    seconds = [second for second in load.seconds if second.at + 1 <= load.drained_from]
    if any(second.asked is not None for second in seconds):
        return None
    found = [stretch for stretch in _silent(seconds) if len(stretch) >= _SHORTEST]
    slow = sum(max(0.0, len(stretch) - float(threshold)) for stretch in found)
    if not slow:
        return None
    longest = max(found, key=len)
    return Stall(slow / len(seconds), len(longest), max(second.in_flight for second in longest))


def _silent(seconds: Sequence[Second]) -> Iterator[list[Second]]:
    """Seconds in a row in which requests waited and none was answered."""
    stretch: list[Second] = []
    for second in seconds:
        answered = second.completed - sum(second.errors.get(kind, 0) for kind in NO_ANSWER)
        if second.in_flight and not answered:
            stretch.append(second)
        elif stretch:
            yield stretch
            stretch = []
    if stretch:
        yield stretch
