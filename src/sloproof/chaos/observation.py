"""What was seen of the effect of a fault."""

from dataclasses import dataclass


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
