"""A load of a given address is compared with an earlier one of that address, and of no other."""

from pathlib import Path

import pytest

from tests.integration.counted_server import CountedServer
from tests.integration.small_workspace import sloproof, workspace_of

pytestmark = pytest.mark.integration
FIELDS = 'users=5, rate=20, duration="5s", expect=(Failures(below="50%"),)'


def test_another_port_of_this_machine_is_no_measure_and_the_same_port_is(tmp_path: Path) -> None:
    workspace = workspace_of(tmp_path, FIELDS)
    with CountedServer() as first, CountedServer() as second:
        assert "recorded as run 1" in sloproof(workspace, "load", "run", "steady", "--target", first.url).stderr
        elsewhere = sloproof(workspace, "load", "run", "steady", "--target", second.url, "--against", "1")
        again = sloproof(workspace, "load", "run", "steady", "--target", first.url, "--against", "1")
    assert elsewhere.returncode == 3, elsewhere.stdout + elsewhere.stderr
    assert "run 1 is no measure" in " ".join(elsewhere.stdout.split())
    assert f"its target was `{first.url}`, now `{second.url}`" in " ".join(elsewhere.stdout.split())
    assert "no measure" not in again.stdout and "Compared with run 1" in again.stdout, again.stdout + again.stderr
