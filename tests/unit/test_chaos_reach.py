"""What a run may not reach, told before anything is sent."""

import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from sloproof.chaos.control_endpoint import Call, Sign
from sloproof.chaos.faults import AbortRequests
from sloproof.chaos.outside_faults import CallEndpoint, KillProcess, PauseProcess
from sloproof.chaos.reach import objections, out_of_reach
from sloproof.errors import PartFailed, Refused

OTHER = "http://192.0.2.1:9901"


def endpoint(inject: str = "", undo: str = "", sign: str = "") -> CallEndpoint:
    here = "http://127.0.0.1:8080"
    return CallEndpoint(
        name="stop the consumer",
        inject=Call(url=f"{inject or here}/stop"),
        undo=Call(url=f"{undo or here}/go"),
        sign=Sign(url=f"{sign or here}/state", status=503),
        at="1s",
        lasts="5s",
    )


@pytest.fixture
def sleepers() -> Iterator[str]:
    """What two processes of this test have in common in their command lines."""
    mark = uuid.uuid4().hex
    with ExitStack() as ended:
        for _ in range(2):
            one = subprocess.Popen([sys.executable, "-c", "input()", mark], stdin=subprocess.PIPE)
            ended.callback(one.wait)
            ended.callback(one.kill)
        yield mark


@pytest.mark.parametrize("which", ["inject", "undo", "sign"])
def test_each_address_of_an_endpoint_must_be_listed(which: str) -> None:
    (objection,) = objections(endpoint(**{which: OTHER}))
    assert objection.what == "`192.0.2.1:9901` is not a listed target"
    assert objections(endpoint(**{which: OTHER}), ["192.0.2.1:9901"]) == ()


def test_one_address_that_is_named_three_times_is_told_once() -> None:
    assert len(objections(endpoint(inject=OTHER, undo=OTHER, sign=OTHER))) == 1


def test_another_envoy_must_be_listed_and_the_labs_own_need_not() -> None:
    elsewhere = AbortRequests(503, percent=10, envoy=OTHER, at="1s", lasts="5s")
    own = AbortRequests(503, percent=10, at="1s", lasts="5s")
    (refused,) = out_of_reach([own, elsewhere])
    assert isinstance(refused, Refused)
    assert refused.message == (
        "cannot answer 10 % of requests at `http://192.0.2.1:9901` with 503 for 5s: "
        "`192.0.2.1:9901` is not a listed target; nothing was sent"
    )


def test_a_metadata_service_is_no_target_although_it_is_listed() -> None:
    (objection,) = objections(endpoint(sign="http://169.254.169.254"), ["169.254.169.254"])
    assert "is never a target" in objection.what


def test_an_address_that_nobody_can_read_is_told() -> None:
    (objection,) = objections(AbortRequests(503, percent=10, envoy="http://a b", at="1s", lasts="5s"))
    assert "`http://a b` is not a target" in objection.what


def test_a_process_fault_that_means_several_is_refused_and_one_that_means_none_fails(sleepers: str) -> None:
    (refused,) = out_of_reach([PauseProcess(pattern=sleepers, at="1s", lasts="5s")])
    assert isinstance(refused, Refused)
    assert refused.message.startswith(f"cannot pause the process like `{sleepers}`")
    assert "2 processes" in refused.message and "nothing was sent" in refused.message
    (failed,) = out_of_reach([KillProcess(pattern=uuid.uuid4().hex, at="1s", back_after="5s")])
    assert isinstance(failed, PartFailed)


def test_a_process_fault_of_this_very_process_is_refused(tmp_path: Path) -> None:
    pidfile = tmp_path / "own.pid"
    pidfile.write_text(str(os.getpid()))
    (refused,) = out_of_reach([PauseProcess(pidfile=pidfile, at="1s", lasts="5s")])
    assert isinstance(refused, Refused)


def test_without_ps_no_process_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    (failed,) = out_of_reach([KillProcess(pattern="x", at="1s", back_after="5s")])
    assert isinstance(failed, PartFailed)
    assert "`ps` does not tell" in failed.message
