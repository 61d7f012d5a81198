"""What faults leave in a lab without a ledger, of every kind that leaves something, is found and put back."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from sloproof.chaos.any_fault import AnyFault
from sloproof.chaos.doctor import examine, mend
from sloproof.chaos.injection import Place, inject
from sloproof.chaos.ledger import Ledger
from sloproof.chaos.preparation import prepare
from sloproof.chaos.target import read_target
from sloproof.chaos.undo import undo_all
from tests.integration.chaos_lab import WholeSystem, whole_system
from tests.integration.chaos_samples import EXAMPLES
from tests.integration.chaos_system import wait_for

pytestmark = pytest.mark.integration

TOLD = {
    "kill-instance": "`a1` of `tasks` is held back at its next start",
    "abort-requests": "the balancer of `tasks` spoils requests: `fault.http.abort.",
    "pause-instance": "of `tasks` is stopped: ",
    "stop-instance": "`a1` of `tasks` was stopped, and nobody starts it again",
    "fail-health-check": "`a1` of `tasks` is told to fail its health check",
    "lose-exporter": "`a1` of `tasks` is told to give no metrics",
    "restart-prometheus": "`prometheus` of `tasks` was stopped, and nobody starts it again",
    "press-cpu": "`a1` of `tasks` may use 1 of ",
    "fill-disk": "takes up the disk of `tasks`",
    "slow-dependency": "the link `a1-postgres` of `tasks` spoils what passes it: `delay_ms=200`",
    "limit-bandwidth": "the link `a1-postgres` of `tasks` spoils what passes it: `bytes_per_second=2000`",
    "reset-connections": "the link `a1-postgres` of `tasks` spoils what passes it: `cut=reset`, `percent=50`",
    "blackhole": "the link `a1-redis` of `tasks` spoils what passes it: `cut=blackhole`",
    "partition": "the link `a1-postgres` of `tasks` spoils what passes it: `cut=blackhole`",
    "lose-dependency": "`redis` of `tasks` was stopped, and nobody starts it again",
    "restart-dependency": "`postgres` of `tasks` is held back at its next start",
    "exhaust-pool": "`strain-connections` strains the database of `tasks`",
    "contend-locks": "`strain-locks` strains the database of `tasks`",
}
"""What the doctor says of each kind."""
NOTHING_LEFT = {
    "delay-requests": "its delay varies by a worker, which ends by its own clock",
    "restart-loop": "its worker ends by its own clock",
    "press-memory": "its worker ends by its own clock",
    "flush-cache": "an empty cache fills by itself",
    "pause-process": "in no lab",
    "kill-process": "in no lab",
    "call-endpoint": "in no lab",
}
"""Why the doctor says nothing of a kind."""


@pytest.fixture(scope="module")
def running(parts: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[WholeSystem]:
    with whole_system(tmp_path_factory.mktemp("system")) as started:
        yield started


@pytest.fixture
def state(running: WholeSystem, tmp_path: Path) -> Path:
    """The state folder of a workspace whose lab this is."""
    assert wait_for(running.is_whole, 60), "the test before left a fault"
    folder = tmp_path / ".sloproof"
    (folder / "lab").mkdir(parents=True)
    (folder / "lab" / "tasks").symlink_to(running.lab.folder)
    return folder


def found(state: Path) -> list[str]:
    return [orphan.what for orphan in examine(state).orphans]


def test_every_kind_of_fault_is_told_or_leaves_nothing() -> None:
    assert {fault.kind for fault in EXAMPLES} == TOLD.keys() | NOTHING_LEFT.keys()


def test_a_whole_lab_has_no_orphans(state: Path) -> None:
    assert found(state) == []


@pytest.mark.parametrize("fault", [each for each in EXAMPLES if each.kind in TOLD], ids=lambda fault: fault.kind)
def test_a_fault_that_no_ledger_names_is_found_and_put_back(running: WholeSystem, state: Path, fault: AnyFault) -> None:
    prepare(fault, read_target(running.lab_file), ()).apply()
    assert wait_for(lambda: any(TOLD[fault.kind] in what for what in found(state)), 10), found(state)
    assert mend(examine(state).orphans, print) == []
    assert wait_for(running.is_whole, 60), found(state)
    assert found(state) == []


@pytest.mark.parametrize("fault", [each for each in EXAMPLES if each.kind in TOLD], ids=lambda fault: fault.kind)
def test_a_fault_that_the_ledger_names_is_no_orphan_as_long_as_its_run_lives(
    running: WholeSystem, state: Path, fault: AnyFault
) -> None:
    ledger = Ledger(state / "ledger.jsonl")
    place = Place(lab_file=running.lab_file, run_folder=state / "one", ledger=ledger, started_at=time.time())
    inject(fault, "1-mine", place)
    told = found(state)
    undo_all(ledger.path, print)
    assert told == []
    assert running.await_whole(ledger.path, 60)
