"""What Locust itself passes over is counted, or said to be missing: a failure that vanishes would be a pass."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from sloproof.loadtests.distribution import Distribution
from sloproof.loadtests.evaluation import judge_promises
from sloproof.loadtests.promises import Failures
from sloproof.verdict.judge import Verdict
from tests.integration.locust_target import LocustTarget
from tests.integration.test_loadtests_any_locustfile import run, start

pytestmark = pytest.mark.integration
EASY = [Failures(below="50%")]
USERS = """
from locust import FastHttpUser, HttpUser, User, constant, task

class Visitor({base}):
    wait_time = constant(0.05)

    @task
    def visit(self):
        {visit}
"""
CHECKS = """
        with self.client.get("/{path}", catch_response=True) as answer:
            if not answer.json()["token"]:
                answer.failure("no token")
"""
REPORTS = """
        fire = self.environment.events.request.fire
        fire(request_type="grpc", name="call", response_time=5.0, response_length=3, exception=None, context={})
        odd = {"name": None, "response_time": -1, "response_length": "3", "exception": ValueError("x")}
        fire(**{"request_type": "grpc", "context": {}, **odd})
        answer = type("Answer", (), {"status_code": "UNAVAILABLE", "headers": [("a", "b")]})()
        fire(request_type="grpc", name=7, response_time=5.0, response_length=0, exception="no", response=answer)
"""


@pytest.fixture
def target() -> Iterator[LocustTarget]:
    server = LocustTarget()
    yield server
    server.end()


@pytest.mark.parametrize("base", ["FastHttpUser", "HttpUser"])
@pytest.mark.parametrize(("path", "errors"), [("broken", True), ("fine", False)])
def test_a_check_that_raises_counts_its_request_by_the_status(
    tmp_path: Path, target: LocustTarget, base: str, path: str, errors: bool
) -> None:
    result = run(tmp_path, USERS.format(base=base, visit=CHECKS.format(path=path)), target.url)
    asked = target.asked[f"GET /{path}"]
    assert result.completed == asked > 0
    assert result.errors == ({"5xx": asked} if errors else {})
    assert result.exceptions == {"KeyError: 'token'": asked}
    assert result.uncounted == 0


@pytest.mark.parametrize("base", ["FastHttpUser", "HttpUser"])
def test_a_connection_that_is_refused_counts_where_the_check_raises(tmp_path: Path, base: str) -> None:
    visit = CHECKS.format(path="fine").replace(".json()", ".headers")
    result = run(tmp_path, USERS.format(base=base, visit=visit), "http://127.0.0.1:1")
    assert result.errors == {"connection": result.completed} and result.completed > 0


@pytest.mark.parametrize(("base", "processes"), [("FastHttpUser", 1), ("HttpUser", 1), ("FastHttpUser", 2)])
def test_a_request_that_is_never_reported_lets_nothing_pass(
    tmp_path: Path, target: LocustTarget, base: str, processes: int
) -> None:
    never = 'self.client.get("/pages")\n        self.client.get("/broken", catch_response=True)'
    given = USERS.format(base=base, visit=never)
    distribution = Distribution.here(processes)
    with start(tmp_path, given, target.url, duration="12s", distribution=distribution) as load:
        result = load.wait(120)
    assert result.completed == target.asked["GET /pages"]
    assert result.uncounted == target.asked["GET /broken"]
    assert any("could not be counted" in note for note in result.notes)
    (judged,) = judge_promises(result, EASY)
    assert judged.verdict is Verdict.UNDECIDED and "could not be counted" in judged.reason


def test_requests_that_are_reported_oddly_are_counted(tmp_path: Path, target: LocustTarget) -> None:
    result = run(tmp_path, USERS.format(base="User", visit=REPORTS), target.url)
    calls = result.by_name["grpc call"].completed
    assert calls > 0
    for name in ("grpc None", "grpc 7"):
        assert result.by_name[name].errors == {"other": calls}
    assert result.uncounted == 0


def test_a_latency_that_is_none_lets_nothing_pass(tmp_path: Path, target: LocustTarget) -> None:
    odd = REPORTS.replace('"response_time": -1', '"response_time": float("nan")')
    result = run(tmp_path, USERS.format(base="User", visit=odd), target.url, duration="12s")
    assert result.uncounted == result.by_name["grpc call"].completed > 0
    (judged,) = judge_promises(result, EASY)
    assert judged.verdict is not Verdict.PASS
