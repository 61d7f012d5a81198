"""A load that did not do what its locustfile says proves nothing, however quickly it was answered."""

from pathlib import Path

import pytest

from tests.integration.counted_server import CountedServer
from tests.integration.small_workspace import USERS, sloproof, workspace_of

pytestmark = pytest.mark.integration
EASY = (
    'users=20, arrivals=Arrivals(rate=50), duration="12s", drain="1s", '
    'expect=(Failures(below="10%"), Quantile("p95", below="2s"))'
)
VISIT = 'self.client.get("/visit")'


@pytest.mark.parametrize(
    ("instead", "answer", "told"),
    [
        (f'{VISIT}.json()["token"]', 200, "the locustfile raised"),
        (f'{VISIT}\n        self.client.get("http://api.invalid/visit")', 200, "is not a listed target"),
        (VISIT, 404, "answers were 4xx or 429"),
    ],
)
def test_a_load_that_does_not_do_its_work_is_undecided_and_says_why(
    tmp_path: Path, instead: str, answer: int, told: str
) -> None:
    with CountedServer(answer=answer) as server:
        workspace = workspace_of(tmp_path, EASY, USERS.replace(VISIT, instead))
        done = sloproof(workspace, "load", "run", "steady", "--target", server.url)
        assert server.books().asked > 100
    assert done.returncode == 3, done.stdout + done.stderr
    assert told in " ".join((done.stdout + done.stderr).split())
