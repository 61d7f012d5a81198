"""A run is judged by its journal alone."""

from sloproof.chaos.journal import Event, EventKind
from sloproof.chaos.outcome import outcome

FAULT = "1-kill-instance"


def events(*kinds: EventKind, finished: str | None = "completed") -> list[Event]:
    told = [
        Event(at=float(at), kind=kind, fault="" if kind in ("started", "interrupted") else FAULT, detail=f"{kind}.")
        for at, kind in enumerate(kinds)
    ]
    return told + ([Event(at=99.0, kind="finished", detail=finished)] if finished else [])


def test_a_run_that_did_all_of_it_is_clean() -> None:
    told = events("started", "injecting", "injected", "verified", "undone", "rejoined")
    made = outcome(told, [FAULT])
    assert made.status == "completed"
    assert made.clean
    fault = made.faults[0]
    assert (fault.injected_at, fault.undone_at, fault.rejoined_at) == (2.0, 4.0, 5.0)
    assert (fault.description, fault.evidence, fault.undo_evidence) == ("injecting.", "verified.", "undone.")


def test_a_fault_without_effect_is_not_clean() -> None:
    made = outcome(events("started", "injecting", "injected", "not_verified", "undone"), [FAULT])
    assert made.status == "completed"
    assert not made.clean
    assert not made.faults[0].verified
    assert made.faults[0].evidence == "not_verified."


def test_an_effect_that_was_seen_late_counts() -> None:
    made = outcome(events("injecting", "injected", "not_verified", "verified", "undone"), [FAULT])
    assert made.faults[0].verified


def test_a_planned_fault_that_never_came_is_told() -> None:
    made = outcome(events("started"), [FAULT])
    assert made.faults[0].injected_at is None
    assert not made.clean, "the Chaos Toolkit says completed, but nothing was injected"


def test_a_failed_injection_fails_the_run_whatever_the_toolkit_says() -> None:
    made = outcome(events("started", "injecting", "injection_failed", "interrupted"), [FAULT])
    assert (made.status, made.reason) == ("failed", "injection_failed.")


def test_a_journal_without_an_end_is_a_crash() -> None:
    made = outcome(events("started", "injecting", "injected", finished=None), [FAULT], otherwise="ended by SIGKILL")
    assert (made.status, made.reason) == ("crashed", "ended by SIGKILL")
    assert made.faults[0].undone_at is None


def test_an_interrupted_run_says_by_what() -> None:
    made = outcome(events("started", "interrupted", finished="interrupted"), [FAULT])
    assert (made.status, made.reason) == ("interrupted", "interrupted.")


def test_what_is_left_in_place_fails_the_run() -> None:
    made = outcome(events("started", "injected"), [FAULT], not_undone=["kill `a1`"])
    assert (made.status, made.not_undone) == ("failed", ("kill `a1`",))
