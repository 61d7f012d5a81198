"""Looking whether a fault really has the effect that it should have."""

import time
from abc import abstractmethod
from dataclasses import dataclass

from sloproof.chaos.ledger_value import LedgerValue

_STEP = 0.2


@dataclass(frozen=True)
class Observation:
    """What was seen of an effect.

    Args:
        live: the fault takes hold.
        settled: there is nothing more to wait for.
        evidence: what was seen, in plain words.
    """

    live: bool
    settled: bool
    evidence: str


class Showing(LedgerValue):
    """How the effect of one fault is seen, as a ledger keeps it."""

    @abstractmethod
    def observe(self) -> Observation:
        """What is there now; a part that does not answer is no effect."""


def observe_until(effect: Showing, end: float) -> Observation:
    """Look at an effect until all of it is seen or time is up; at least once.

    Args:
        effect: what to look for.
        end: epoch seconds.

    Returns:
        The last thing seen.
    """
    while True:
        seen = effect.observe()
        if seen.settled or time.time() >= end:
            return seen
        time.sleep(_STEP)
