"""What undoes faults of dependencies: again, and after the run that made them was killed."""

import os
import signal
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from sloproof.chaos.any_fault import AnyFault
from sloproof.chaos.dependency_faults import FlushCache, RestartDependency
from sloproof.chaos.injection import inject
from sloproof.chaos.ledger import Ledger
from sloproof.chaos.undo import undo_all
from sloproof.lab.state import LabState
from tests.integration.chaos_system import wait_for
from tests.integration.dependency_faults import EVERY_FAULT, PATIENCE, Broken, left_after, under_load, what_is_left

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def loaded(lab: LabState) -> Iterator[LabState]:
    with under_load(lab) as state:
        yield state


@pytest.fixture
def system(loaded: LabState) -> LabState:
    assert left_after(loaded) == [], "the test before left a fault"
    return loaded


@pytest.mark.parametrize("fault", EVERY_FAULT, ids=lambda fault: fault.describe())
def test_an_undo_is_safe_to_repeat(system: LabState, tmp_path: Path, fault: AnyFault) -> None:
    broken = Broken(tmp_path, system, fault)
    inject(fault, "1-one", broken.place())
    assert isinstance(fault, FlushCache) or what_is_left(system), "a flushed cache is whole, and cold"
    assert len(undo_all(broken.ledger, print)) == 1
    assert left_after(system) == []
    assert undo_all(broken.ledger, print) == []


@pytest.mark.parametrize("fault", EVERY_FAULT, ids=lambda fault: fault.describe())
def test_a_killed_run_leaves_nothing(system: LabState, tmp_path: Path, fault: AnyFault) -> None:
    length = "back_after" if isinstance(fault, RestartDependency) else "lasts"
    broken = Broken(tmp_path, system, fault.model_copy(update={length: timedelta(minutes=5)}))
    child = broken.start()  # its fault lasts for minutes: it may be late
    assert broken.await_event("injected")
    os.kill(child.pid, signal.SIGKILL)
    assert wait_for(lambda: not Ledger(broken.ledger).open_entries(), PATIENCE)
    assert left_after(system) == []
    assert child.wait(20).status == "crashed"
