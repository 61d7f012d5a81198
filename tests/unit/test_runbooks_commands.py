"""What the hand-written parts of the runbooks tell people to type must exist."""

import re
from pathlib import Path

import pytest

from sloproof.chaos.experiment import Experiment
from sloproof.loadtests.profile import LoadProfile
from sloproof.workspace import Workspace, load_workspace

REPOSITORY = Path(__file__).parents[2]
COMMAND = re.compile(r"`sloproof (load|chaos) run ([a-z0-9-]+)`")


@pytest.fixture(scope="module")
def workspace() -> Workspace:
    return load_workspace(REPOSITORY)


@pytest.mark.parametrize("page", sorted((REPOSITORY / "runbooks").glob("*.md")), ids=lambda page: page.stem)
def test_every_run_that_a_runbook_names_is_defined(page: Path, workspace: Workspace) -> None:
    for kind, name in COMMAND.findall(page.read_text(encoding="utf-8")):
        workspace.named(LoadProfile if kind == "load" else Experiment, name)


def test_some_runbook_names_a_run() -> None:
    assert any(COMMAND.search(page.read_text(encoding="utf-8")) for page in (REPOSITORY / "runbooks").glob("*.md"))
