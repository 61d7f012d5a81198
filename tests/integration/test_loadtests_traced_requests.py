"""Requests that a reader wants to look into carry the traces that the target saw, whatever client sends them."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.test_loadtests_locust_process import USERS, Target, start

pytestmark = pytest.mark.integration

OWN = "00-0123456789abcdef0123456789abcdef-0123456789abcdef-01"


class Bookkeeper(Target):
    """Counts connections, and fails what it is asked to fail."""

    def __init__(self) -> None:
        super().__init__()
        self.connections = 0

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        await super()._connection(reader, writer)

    def traces(self) -> list[str]:
        return [headers["traceparent"].split("-")[1] for headers in self.headers]


@pytest.fixture
def target() -> Iterator[Bookkeeper]:
    server = Bookkeeper()
    server.start()
    yield server
    server.end()


@pytest.mark.parametrize("base", ["FastHttpUser", "HttpUser"])
def test_the_slowest_and_the_failed_carry_the_traces_that_the_target_saw(
    tmp_path: Path, target: Bookkeeper, base: str
) -> None:
    target.status = 500
    locustfile = USERS.format(base=base, visit='self.client.post("/visit", data="12345")')
    with start(tmp_path, target.url, locustfile, duration="2s") as load:
        result = load.wait(60)
    assert len(result.slowest) == 20 and len(result.failures) == 5
    assert {request.trace_id for request in result.slowest + result.failures} <= set(target.traces())
    assert all(request.status == 500 and request.kind == "5xx" for request in result.failures)
    assert result.failures[0].trace_id in target.traces()[:10]
    assert sum(second.sent for second in result.seconds) == 5 * result.completed
    assert sum(second.connections for second in result.seconds) == target.connections > 0


@pytest.mark.parametrize("base", ["FastHttpUser", "HttpUser"])
def test_a_trace_of_the_locustfiles_own_is_kept(tmp_path: Path, target: Bookkeeper, base: str) -> None:
    locustfile = USERS.format(base=base, visit=f'self.client.get("/visit", headers={{"traceparent": "{OWN}"}})')
    with start(tmp_path, target.url, locustfile, duration="1s") as load:
        result = load.wait(60)
    assert {request.trace_id for request in result.slowest} == set(target.traces()) == {OWN.split("-")[1]}
    assert sum(second.received for second in result.seconds) == 2 * result.completed


def test_what_was_never_answered_carries_its_trace_too(tmp_path: Path, target: Bookkeeper) -> None:
    target.stalled = True
    with start(tmp_path, target.url, duration="1s", drain="500ms", request_timeout="30s") as load:
        result = load.wait(60)
    assert {request.trace_id for request in result.censored} == set(target.traces())
