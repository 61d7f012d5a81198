"""What gates decided of each release, as a grid: one row a gate and one a requirement, one column a release."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from sloproof.verdict.judge import Verdict, combine

UNKNOWN = "unknown"
"""The column of gates of which nobody said what they judged."""


@dataclass(frozen=True)
class PastDecision:
    """A gate that was decided.

    Args:
        gate: its name.
        system: the system that it guards.
        release: what was judged; may be empty.
        at: when it was decided, epoch seconds.
        number: of the run in the history.
        verdict: of the whole.
        headline: one sentence.
        parts: each requirement with its verdict, in the order of the gate; empty where only the whole is remembered.
    """

    gate: str
    system: str
    release: str
    at: float
    number: int
    verdict: Verdict
    headline: str = ""
    parts: tuple[tuple[str, Verdict], ...] = ()


@dataclass(frozen=True)
class HeatCell:
    """What was decided of a release last.

    Args:
        verdict: the newest decision's.
        decision: that decision.
        earlier: verdicts of earlier decisions of the same release, newest first.
    """

    verdict: Verdict
    decision: PastDecision
    earlier: tuple[Verdict, ...] = ()


@dataclass(frozen=True)
class HeatRow:
    """A gate, or one of its requirements.

    Args:
        label: the gate's name with its system, or the requirement.
        whole: whether this is the gate itself.
        cells: one a release; None where it was not decided.
    """

    label: str
    whole: bool
    cells: tuple[HeatCell | None, ...]


@dataclass(frozen=True)
class HeatMap:
    """Rows of gates over columns of releases.

    Args:
        releases: the one that was first judged last comes first.
        first_judged: when that was, epoch seconds, in the same order.
        rows: each gate, followed by its requirements.
        left_out: older releases that there was no room for.
    """

    releases: tuple[str, ...]
    first_judged: tuple[float, ...]
    rows: tuple[HeatRow, ...]
    left_out: int = 0


def heat_map(decisions: Iterable[PastDecision], most: int) -> HeatMap:
    """Lay decisions out by release.

    Args:
        decisions: in any order.
        most: at most so many releases, the newest; at least 1.
    """
    ordered = sorted(decisions, key=lambda one: (one.at, one.number))
    first: dict[str, float] = {}
    for one in ordered:
        first.setdefault(one.release or UNKNOWN, one.at)
    releases = tuple(reversed(first))[:most]
    gates = sorted({(one.system, one.gate) for one in ordered})
    rows = tuple(row for gate in gates for row in _rows([one for one in ordered if _gate(one) == gate], releases))
    return HeatMap(releases, tuple(first[one] for one in releases), rows, len(first) - len(releases))


def _gate(decision: PastDecision) -> tuple[str, str]:
    return decision.system, decision.gate


def _rows(decisions: Sequence[PastDecision], releases: Sequence[str]) -> Iterator[HeatRow]:
    judged = {release: [one for one in decisions if (one.release or UNKNOWN) == release] for release in releases}
    newest = decisions[-1]
    yield HeatRow(
        f"{newest.gate} of {newest.system}", True, tuple(_cell([(d, d.verdict) for d in judged[r]]) for r in releases)
    )
    for part in dict.fromkeys(name for one in reversed(decisions) for name, _ in one.parts):
        cells = (_cell([(d, found) for d in judged[r] if (found := _verdict(d, part)) is not None]) for r in releases)
        yield HeatRow(part, False, tuple(cells))


def _verdict(decision: PastDecision, part: str) -> Verdict | None:
    found = [verdict for name, verdict in decision.parts if name == part]
    return combine(found) if found else None


def _cell(found: Sequence[tuple[PastDecision, Verdict]]) -> HeatCell | None:
    if not found:
        return None
    decision, verdict = found[-1]
    return HeatCell(verdict, decision, tuple(earlier for _, earlier in reversed(found[:-1])))
