"""Every undo step and every effect, where nothing of what they name is there."""

from pathlib import Path

from sloproof.chaos.ledger import Entry, Ledger

EVERY_STEP = Path(__file__).with_name("every_step.jsonl")


def entries() -> list[Entry]:
    return Ledger(EVERY_STEP).open_entries()


def test_every_undo_in_a_lab_can_tell_that_the_lab_is_gone_and_those_outside_cannot() -> None:
    untold = {entry.undo.kind for entry in entries() if entry.undo.ended() is None}
    assert untold == {"process_replaced", "endpoint_called", "toolkit_rollbacks"}


def test_a_worker_that_is_ended_with_its_lab_is_told_of_beside_what_it_worked_on() -> None:
    told = [str(entry.undo.ended()) for entry in entries() if entry.undo.kind == "worker_then"]
    assert len(told) == 3
    assert all(evidence.endswith("; its worker has ended") for evidence in told)


def test_nothing_is_over_because_what_would_tell_is_silent() -> None:
    # A worker and a file that are not there have ended; a process that is gone has no CPUs to get back.
    over = [entry.undo.kind for entry in entries() if entry.undo.is_over()]
    assert over == ["worker_then", "worker_ended", "affinity_back", "file_gone"]


def test_an_instance_rejoins_only_where_the_balancer_lost_it() -> None:
    rejoining = {entry.undo.kind for entry in entries() if entry.undo.rejoins == "a1"}
    assert rejoining == {"instance_running", "worker_then", "process_continued", "flag_back"}
    assert {entry.undo.rejoins for entry in entries()} == {"", "a1"}


def test_a_part_that_does_not_answer_shows_no_effect() -> None:
    seen = {entry.effect.kind: entry.effect.observe() for entry in entries()}
    assert {kind for kind, observation in seen.items() if observation.live} == {"process_killed"}
    assert {kind for kind, observation in seen.items() if observation.settled} == {"process_killed", "not_looked_for"}
    assert all(observation.evidence for observation in seen.values())
