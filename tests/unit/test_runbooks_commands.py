"""What the hand-written parts of the runbooks tell people to type must exist, and must be written at all."""

import re
from pathlib import Path

import pytest

from sloproof.chaos.experiment import Experiment
from sloproof.checks import runbook_stale
from sloproof.loadtests.profile import LoadProfile
from sloproof.promql import check_expression
from sloproof.runbooks import unwritten_sections, written_lines
from sloproof.workspace import Workspace, load_workspace
from sloproof.workspace.checking import subject_of

REPOSITORY = Path(__file__).parents[2]
PAGES = sorted((REPOSITORY / "runbooks").glob("*.md"))
QUERY = re.compile(r"`([^`]*\{[^`]*(?:job|service)=[^`]*\}[^`]*)`")
COMMAND = re.compile(r"`sloproof (load|chaos) run ([a-z0-9-]+)`")


@pytest.fixture(scope="module")
def workspace() -> Workspace:
    return load_workspace(REPOSITORY)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_run_that_a_runbook_names_is_defined(page: Path, workspace: Workspace) -> None:
    for kind, name in COMMAND.findall(page.read_text(encoding="utf-8")):
        workspace.named(LoadProfile if kind == "load" else Experiment, name)


def test_some_runbook_names_a_run() -> None:
    assert any(COMMAND.search(page.read_text(encoding="utf-8")) for page in PAGES)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_page_of_the_five_systems_is_written(page: Path) -> None:
    assert unwritten_sections(page.read_text(encoding="utf-8")) == ()


def test_no_page_speaks_of_what_is_gone(workspace: Workspace) -> None:
    assert [str(problem) for problem in runbook_stale.check(subject_of(workspace))] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_query_that_somebody_wrote_can_be_pasted(page: Path) -> None:
    for _, line in written_lines(page.read_text(encoding="utf-8")):
        for query in QUERY.findall(line):
            if not query.startswith("curl"):
                check_expression(query)


def test_somebody_wrote_queries() -> None:
    texts = [line for page in PAGES for _, line in written_lines(page.read_text(encoding="utf-8"))]
    assert sum(len(QUERY.findall(line)) for line in texts) > 30
