"""Which alerts fired in a run, after what, and what ended them."""

from collections.abc import Iterator, Sequence

from sloproof.chaos.facts import AlertTimeline, RunFacts
from sloproof.chaos.outcome import FaultOutcome
from sloproof.chaos.stage import Stage
from sloproof.runbooks.evidence import SeenAlert


def seen_alerts(stages: Sequence[Stage], kind: str) -> tuple[SeenAlert, ...]:
    """Every alert that began to fire because of a run, in the order of time.

    A drill breaks its tiers one after the other, and several objectives at once: what it showed of each alert stands
    in its own record.

    Args:
        stages: the parts of the run; each names its experiment.
        kind: of the run.
    """
    if kind == "drill":
        return ()
    found = [one for stage in stages for one in _of_stage(stage, kind)]
    return tuple(sorted(found, key=lambda one: (one.at, one.alert)))


def _of_stage(stage: Stage, kind: str) -> Iterator[SeenAlert]:
    facts = stage.facts
    for line in facts.alerts.values():
        if line.firing_at is None or line.active_before:
            continue
        faults = _broken_when(facts, line.firing_at)
        if not faults and facts.chaos.faults:
            continue  # what fires before anything was broken is the rest of an earlier run
        yield SeenAlert(
            alert=line.alert,
            kind=kind,
            run=stage.name,
            at=line.firing_at,
            fault="; ".join(fault.description for fault in faults),
            fired_after=line.firing_at - (faults[0].injected_at or 0.0) if faults else None,
            cleared_after=_cleared_after(line, faults),
            restored_by="; ".join(
                dict.fromkeys(_restored_by(fault) for fault in faults if fault.undone_at is not None)
            ),
            scale=facts.timing.scale,
        )


def _broken_when(facts: RunFacts, firing_at: float) -> list[FaultOutcome]:
    """The faults in place when the alert fired, the oldest first; the newest before it where none was any more."""
    begun = [fault for fault in facts.chaos.faults if fault.injected_at is not None and fault.injected_at <= firing_at]
    begun.sort(key=lambda fault: fault.injected_at or 0.0)
    return [fault for fault in begun if fault.undone_at is None or fault.undone_at >= firing_at] or begun[-1:]


def _cleared_after(line: AlertTimeline, faults: Sequence[FaultOutcome]) -> float | None:
    """From the last fault's end; None where the alert cleared before it, or was not seen to clear."""
    ends = [fault.undone_at for fault in faults if fault.undone_at is not None]
    if len(ends) < len(faults) or not ends or line.cleared_at is None or line.cleared_at < max(ends):
        return None
    return line.cleared_at - max(ends)


def _restored_by(fault: FaultOutcome) -> str:
    return fault.undo_evidence if fault.undo_verified and fault.undo_evidence else "the fault was undone"
