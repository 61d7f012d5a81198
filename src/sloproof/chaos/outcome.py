"""What a chaos run did, told by its journal alone."""

from collections.abc import Iterable, Sequence
from typing import Literal

from pydantic import BaseModel, ConfigDict

from sloproof.chaos.journal import Event, EventKind

Status = Literal["completed", "interrupted", "failed", "crashed"]
"""Everything ran; somebody ended it; a fault could not be injected or undone; the process vanished."""

_ENDINGS: tuple[tuple[EventKind, Status], ...] = (
    ("guard_stopped", "interrupted"),  # what the stopped run could not inject any more is no failure of its own
    ("injection_failed", "failed"),
    ("interrupted", "interrupted"),
)


class FaultOutcome(BaseModel):
    """What became of one fault; times are epoch seconds.

    Args:
        fault: what the journal calls it.
        description: one plain sentence; empty when it was never tried.
        injected_at: when it took hold; None when it never did.
        verified: whether its effect was seen.
        evidence: what was seen, or why not.
        undone_at: when it was put back; None when it was not.
        undo_verified: whether it was seen to be put back.
        undo_evidence: what was seen, or why not.
        rejoined_at: when a lost instance got traffic again; None when nobody saw it.
    """

    model_config = ConfigDict(frozen=True)

    fault: str
    description: str = ""
    injected_at: float | None = None
    verified: bool = False
    evidence: str = ""
    undone_at: float | None = None
    undo_verified: bool = False
    undo_evidence: str = ""
    rejoined_at: float | None = None


class ChaosOutcome(BaseModel):
    """What became of a run.

    Args:
        status: how it ended.
        reason: why, in plain words; empty when it completed.
        faults: each planned fault, in the order of the experiment.
        not_undone: descriptions of faults that are still in place.
    """

    model_config = ConfigDict(frozen=True)

    status: Status
    reason: str = ""
    faults: tuple[FaultOutcome, ...] = ()
    not_undone: tuple[str, ...] = ()

    @property
    def clean(self) -> bool:
        """Everything was injected, seen, put back and seen to be back."""
        return (
            self.status == "completed"
            and not self.not_undone
            and all(fault.injected_at is not None and fault.verified and fault.undo_verified for fault in self.faults)
        )


def outcome(
    events: Sequence[Event], planned: Iterable[str], *, not_undone: Iterable[str] = (), otherwise: str = ""
) -> ChaosOutcome:
    """Read a run's journal.

    Args:
        events: the journal, in the order written.
        planned: the experiment's faults, as the journal calls them.
        not_undone: descriptions of faults that the ledger still holds open.
        otherwise: the reason to give when the journal has none, such as the child's last words.

    Returns:
        What became of the run and of each fault.
    """
    left = tuple(not_undone)
    status, reason = _status(events, left, otherwise)
    faults = tuple(_fault(name, [event for event in events if event.fault == name]) for name in planned)
    return ChaosOutcome(status=status, reason=reason, faults=faults, not_undone=left)


def _status(events: Sequence[Event], not_undone: Sequence[str], otherwise: str) -> tuple[Status, str]:
    if not_undone:
        return "failed", f"not undone: {'; '.join(not_undone)}"
    for kind, status in _ENDINGS:
        if ending := _last(events, kind):
            return status, ending.detail
    finished = _last(events, "finished")
    if finished is None:
        return "crashed", otherwise or "the process that injects ended without a word"
    if finished.detail == "completed":
        return "completed", ""
    return ("interrupted" if finished.detail == "interrupted" else "failed"), otherwise or finished.detail


def _fault(name: str, events: Sequence[Event]) -> FaultOutcome:
    begun, injected, undone = (_last(events, kind) for kind in ("injecting", "injected", "undone"))
    seen = _last(events, "verified") or _last(events, "not_verified") or _last(events, "injection_failed")
    undo_seen, rejoined = undone or _last(events, "undo_failed"), _last(events, "rejoined")
    return FaultOutcome(
        fault=name,
        description=begun.detail if begun else "",
        injected_at=injected.at if injected else None,
        verified=seen is not None and seen.kind == "verified",
        evidence=seen.detail if seen else "",
        undone_at=undone.at if undone else None,
        undo_verified=undone is not None,
        undo_evidence=undo_seen.detail if undo_seen else "",
        rejoined_at=rejoined.at if rejoined else None,
    )


def _last(events: Sequence[Event], kind: EventKind) -> Event | None:
    return next((event for event in reversed(events) if event.kind == kind), None)
