"""Faults of dependencies and of the way to them, on a live lab under load, through the real Chaos Toolkit."""

import contextlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from sloproof.chaos.any_fault import AnyFault
from sloproof.chaos.dependency_faults import FlushCache, LoseDependency
from sloproof.chaos.faults import Fault
from sloproof.chaos.injection import inject
from sloproof.chaos.ledger import Ledger
from sloproof.chaos.network_faults import Partition, SlowDependency
from sloproof.chaos.undo import undo_all
from sloproof.errors import PartFailed
from sloproof.lab.state import LabState
from tests.integration.dependency_faults import (
    EVERY_FAULT,
    WHEN,
    Broken,
    left_after,
    under_load,
    what_is_left,
)
from tests.integration.lab_calls import call, log_in

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
def test_a_fault_is_injected_seen_undone_and_seen_to_be_undone(
    system: LabState, tmp_path: Path, fault: AnyFault
) -> None:
    made = Broken(tmp_path, system, fault).run()
    assert made.clean, made.model_dump_json(indent=1)
    assert left_after(system) == []


def test_plain_chaos_run_needs_nothing_but_the_lab_file(system: LabState, tmp_path: Path) -> None:
    broken = Broken(tmp_path, system, SlowDependency("postgres", delay="200ms", at="500ms", lasts="12s"))
    command = ["chaos", "--no-version-check", "run", "--rollback-strategy=always", str(broken.experiment)]
    environment = {**os.environ, "SLOPROOF_LAB": str(broken.lab_file), "SLOPROOF_LEDGER": str(broken.ledger)}
    program = str(Path(sys.executable).with_name("chaos"))
    done = subprocess.run(
        [program, *command[1:]], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=90, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    ran = json.loads((tmp_path / "journal.json").read_text())
    assert [activity["status"] for activity in ran["run"]] == ["succeeded"] * 4
    assert what_is_left(system) == []


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        (SlowDependency("mongo", delay="1s", **WHEN), "has no dependency `mongo`"),
        (Partition("a9", dependency="postgres", **WHEN), "has no instance `a9`"),
        (LoseDependency("mongo", **WHEN), "has no dependency `mongo`"),
        (FlushCache("postgres", at="0s"), "`postgres` is no cache"),
    ],
    ids=lambda part: part.describe() if isinstance(part, Fault) else "",
)
def test_what_a_fault_needs_is_checked_before_anything_is_touched(
    system: LabState, tmp_path: Path, fault: AnyFault, message: str
) -> None:
    broken = Broken(tmp_path, system, fault)
    with pytest.raises(PartFailed, match=message):
        inject(fault, "1-one", broken.place())
    assert not Ledger(broken.ledger).read().entries
    assert what_is_left(system) == []


def test_a_database_that_is_down_is_not_lost_once_more(system: LabState, tmp_path: Path) -> None:
    broken = Broken(tmp_path, system)
    fault = LoseDependency("postgres", at="0s", lasts="1m")
    inject(fault, "1-lose", broken.place())
    with pytest.raises(PartFailed, match="is not well before the fault"):
        inject(fault, "2-lose", broken.place())
    assert len(undo_all(broken.ledger, print)) == 1
    assert left_after(system) == []


def test_the_service_is_back_after_an_outage_longer_than_its_pool_retries(system: LabState, tmp_path: Path) -> None:
    def hurry() -> None:
        while not end.wait(0.05):
            with contextlib.suppress(OSError, ValueError):
                call(system.balancer, "GET", "/usuarios", token=token)

    token, end = log_in(system, 5), threading.Event()
    threads = [threading.Thread(target=hurry, daemon=True) for _ in range(60)]
    for thread in threads:
        thread.start()
    try:
        assert Broken(tmp_path, system, LoseDependency("postgres", at="500ms", lasts="12s")).run().clean
        assert left_after(system, 30) == [], "its queue was full of requests that had given up"
    finally:
        end.set()
        for thread in threads:
            thread.join(timeout=20)
