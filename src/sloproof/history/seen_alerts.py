"""Which alerts fired in a run, after what, and what ended them."""

from collections.abc import Iterator, Sequence

from sloproof.chaos.facts import AlertTimeline, RunFacts
from sloproof.chaos.outcome import FaultOutcome
from sloproof.chaos.stage import Stage
from sloproof.runbooks.evidence import SeenAlert


def seen_alerts(stages: Sequence[Stage], kind: str) -> tuple[SeenAlert, ...]:
    """Every alert that began to fire because of a run, in the order of time.

    Args:
        stages: the parts of the run; each names its experiment.
        kind: of the run.
    """
    found = [one for stage in stages for one in _of_stage(stage, kind)]
    return tuple(sorted(found, key=lambda one: (one.at, one.alert)))


def _of_stage(stage: Stage, kind: str) -> Iterator[SeenAlert]:
    facts = stage.facts
    for line in facts.alerts.values():
        if line.firing_at is None or line.active_before:
            continue
        fault = _fault_before(facts, line.firing_at)
        if fault is None and facts.chaos.faults:
            continue  # what fires before anything was broken is the rest of an earlier run
        yield SeenAlert(
            alert=line.alert,
            kind=kind,
            run=stage.name,
            at=line.firing_at,
            fault=fault.description if fault else "",
            fired_after=line.firing_at - fault.injected_at if fault and fault.injected_at is not None else None,
            cleared_after=_cleared_after(line, fault),
            restored_by=_restored_by(fault),
            scale=facts.timing.scale,
        )


def _fault_before(facts: RunFacts, firing_at: float) -> FaultOutcome | None:
    """The newest fault that had taken hold when the alert fired."""
    held = [fault for fault in facts.chaos.faults if fault.injected_at is not None and fault.injected_at <= firing_at]
    return max(held, key=lambda fault: fault.injected_at or 0.0, default=None)


def _cleared_after(line: AlertTimeline, fault: FaultOutcome | None) -> float | None:
    """From the fault's end; None where the alert cleared before it, or was not seen to clear."""
    if fault is None or fault.undone_at is None or line.cleared_at is None or line.cleared_at < fault.undone_at:
        return None
    return line.cleared_at - fault.undone_at


def _restored_by(fault: FaultOutcome | None) -> str:
    if fault is None or fault.undone_at is None:
        return ""
    return fault.undo_evidence if fault.undo_verified and fault.undo_evidence else "the fault was undone"
