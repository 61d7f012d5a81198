"""Real parts and a real lab for the integration tests."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

import sloproof.lab
from sloproof.lab import parts_apt
from sloproof.lab.parts import PARTS_VARIABLE
from sloproof.lab.state import LabState
from tests.integration import lab_calls

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def parts() -> Iterator[Path]:
    """The folder of parts, filled when something is missing on this machine, and known to the lab."""
    folder = REPOSITORY / ".sloproof" / "parts"
    parts_apt.install(folder, print)
    before = os.environ.get(PARTS_VARIABLE)
    os.environ.setdefault(PARTS_VARIABLE, str(folder))
    yield folder
    if before is None:
        del os.environ[PARTS_VARIABLE]


@pytest.fixture(scope="module")
def lab(parts: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabState]:
    """The `tasks` system, up for one module of tests."""
    folder = tmp_path_factory.mktemp("lab") / "lab"
    state = sloproof.lab.up(
        "tasks",
        folder=folder,
        generated=lab_calls.generated,
        owner_pid=os.getpid(),
        traces=True,
        say=print,
        **lab_calls.PACE,
    )
    try:
        yield state
    finally:
        sloproof.lab.down(folder)
