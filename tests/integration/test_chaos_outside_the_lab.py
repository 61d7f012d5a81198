"""Systems that are no lab: real processes, a control endpoint and an Envoy somewhere, through the Chaos Toolkit."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from sloproof.chaos.any_fault import AnyFault
from sloproof.chaos.control_endpoint import Call, Sign
from sloproof.chaos.experiment import Balanced, Experiment
from sloproof.chaos.faults import AbortRequests
from sloproof.chaos.foreign_process import Wanted, find
from sloproof.chaos.injection import check_ready
from sloproof.chaos.journal import read_events
from sloproof.chaos.ledger import Ledger
from sloproof.chaos.outside_faults import CallEndpoint, KillProcess, PauseProcess
from sloproof.chaos.process_signal import is_stopped
from sloproof.chaos.toolkit_json import experiment_json
from sloproof.chaos.toolkit_process import ChaosProcess
from sloproof.errors import PartFailed, Refused
from sloproof.loadtests.profile import LoadProfile
from tests.integration.chaos_system import small_system, wait_for

pytestmark = pytest.mark.integration

LOAD = LoadProfile(name="steady", system="shop", locustfile="users/shop.py", users=1, duration="30s")
SLEEP = [sys.executable, "-c", "import time; time.sleep(300)"]
SUPERVISOR = """
import signal, subprocess, sys
child = None
def end(*_):
    child.kill()
    sys.exit(0)
signal.signal(signal.SIGTERM, end)
while True:
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(300)", sys.argv[1][::-1]])
    child.wait()
"""


class Run:
    """One experiment on a system of which only its name is known."""

    def __init__(self, folder: Path, *faults: AnyFault) -> None:
        experiment = Experiment(name="one", system="shop", load=LOAD, faults=faults, expect=[Balanced()])
        self.experiment = folder / "one.json"
        self.experiment.write_text(experiment_json(experiment))
        self.state = folder / "shop.json"
        self.state.write_text(json.dumps({"system": "shop"}))
        self.ledger, self.folder = folder / "ledger.jsonl", folder / "run"

    def start(self) -> ChaosProcess:
        return ChaosProcess.start(self.experiment, lab_file=self.state, run_folder=self.folder, ledger=self.ledger)

    def await_event(self, kind: str) -> bool:
        return wait_for(lambda: any(event.kind == kind for event in read_events(self.folder)), 30)


@contextmanager
def process(*words: str, **settings: Any) -> Iterator[subprocess.Popen[bytes]]:
    started = subprocess.Popen([*SLEEP, *words], **settings)
    try:
        yield started
    finally:
        started.kill()
        started.wait(timeout=10)


@pytest.mark.parametrize("by", ["pattern", "pidfile"])
def test_a_process_is_paused_and_let_go(tmp_path: Path, by: str) -> None:
    mark = uuid.uuid4().hex
    with process(mark) as victim:
        (tmp_path / "pid").write_text(f"{victim.pid}\n")
        named = {"pattern": mark} if by == "pattern" else {"pidfile": tmp_path / "pid"}
        made = Run(tmp_path, PauseProcess(**named, at="0s", lasts="12s")).start().wait(60)
        assert made.clean, made.model_dump_json(indent=1)
        assert f"process {victim.pid} is stopped" in made.faults[0].evidence
        assert not is_stopped(victim.pid)


def test_a_killed_tool_lets_a_paused_process_go(tmp_path: Path) -> None:
    mark = uuid.uuid4().hex
    with process(mark) as victim:
        run = Run(tmp_path, PauseProcess(pattern=mark, at="0s", lasts="60s"))
        child = run.start()
        assert run.await_event("verified")
        assert is_stopped(victim.pid)
        os.kill(child.pid, signal.SIGKILL)
        assert wait_for(lambda: not is_stopped(victim.pid) and not Ledger(run.ledger).open_entries(), 20)
        child.stop()


def test_a_killed_process_has_to_be_replaced_by_its_supervisor(tmp_path: Path) -> None:
    mark = uuid.uuid4().hex
    keeper = subprocess.Popen([sys.executable, "-c", SUPERVISOR, mark[::-1]])
    try:
        assert wait_for(lambda: found(mark) is not None, 10)
        before = found(mark)
        made = Run(tmp_path, KillProcess(pattern=mark, at="0s", back_after="12s")).start().wait(60)
        assert made.clean, made.model_dump_json(indent=1)
        assert found(mark) not in (None, before)
    finally:
        keeper.terminate()
        keeper.wait(timeout=10)


def test_a_killed_process_that_nobody_starts_again_is_an_undo_that_failed(
    tmp_path: Path,
) -> None:
    mark = uuid.uuid4().hex
    with process(mark):
        made = Run(tmp_path, KillProcess(pattern=mark, at="0s", back_after="12s")).start().wait(120)
        assert made.status == "failed"
        assert "nobody has started another process" in made.faults[0].undo_evidence


def found(mark: str) -> int | None:
    with contextlib.suppress(PartFailed):
        return find(Wanted(pattern=mark)).pid
    return None


def test_a_pattern_that_means_several_processes_is_refused() -> None:
    mark = uuid.uuid4().hex
    with process(mark), process(mark), pytest.raises(Refused, match="2 processes") as refusal:
        find(Wanted(pattern=mark))
    assert "longer pattern" in refusal.value.hint


def test_the_tool_never_means_itself_or_what_it_runs_under(tmp_path: Path) -> None:
    with pytest.raises(PartFailed, match="no process"):
        find(Wanted(pattern=r"test_chaos_outside_the_lab\.py"))
    for pid in (os.getpid(), os.getppid(), 1):
        (tmp_path / "pid").write_text(str(pid))
        with pytest.raises(Refused, match="own"):
            find(Wanted(pidfile=tmp_path / "pid"))
    with process("-m", "sloproof.chaos.watchdog", "x") as other:
        (tmp_path / "pid").write_text(str(other.pid))
        with pytest.raises(Refused, match="own"):
            find(Wanted(pidfile=tmp_path / "pid"))


@pytest.mark.skipif(os.getuid() != 0, reason="only root can start a process of another user")
def test_a_process_of_another_user_is_refused() -> None:
    mark = f"300.{uuid.uuid4().int}"
    other = subprocess.Popen(["/bin/sleep", mark], user="nobody", cwd="/")
    try:
        with pytest.raises(Refused, match="another user"):
            find(Wanted(pattern=mark))
    finally:
        other.kill()
        other.wait(timeout=10)


def test_a_stale_pidfile_means_nobody(tmp_path: Path) -> None:
    with process() as ended:
        (tmp_path / "pid").write_text(str(ended.pid))
    with pytest.raises(PartFailed, match="no process"):
        find(Wanted(pidfile=tmp_path / "pid"))
    with pytest.raises(PartFailed, match=r"holds no process number: No such file or directory$"):
        find(Wanted(pidfile=tmp_path / "none"))


@pytest.mark.parametrize(("text", "why"), [("\n", "it is empty"), ("-5", "`-5`"), ("web: 12", "`web:`"), ("0", "`0`")])
def test_a_pidfile_without_a_number_says_what_it_holds(tmp_path: Path, text: str, why: str) -> None:
    (tmp_path / "pid").write_text(text)
    with pytest.raises(PartFailed, match=rf"holds no process number: {why}$"):
        find(Wanted(pidfile=tmp_path / "pid"))


class Shop(BaseHTTPRequestHandler):
    """`PUT /consumer` with a JSON body turns the consumer off and on; `GET /consumer` tells."""

    def do_GET(self) -> None:
        self.answer(200 if getattr(self.server, "on", True) else 503)

    def do_PUT(self) -> None:
        assert self.headers["content-type"] == "application/json"
        text = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.server.on = text["on"]  # type: ignore[attr-defined]
        self.answer(204)

    def answer(self, status: int) -> None:
        self.send_response(status)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *parts: object) -> None:
        pass


@pytest.fixture
def shop() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Shop)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/consumer"
    server.shutdown()
    server.server_close()
    thread.join(timeout=10)


def consumer_off(url: str, lasts: str) -> CallEndpoint:
    return CallEndpoint(
        name="turn the consumer off",
        inject=Call(method="PUT", url=url, body='{"on": false}'),
        undo=Call(method="PUT", url=url, body='{"on": true}'),
        sign=Sign(url=url, status=503),
        at="0s",
        lasts=lasts,
    )


def test_an_endpoint_begins_and_ends_its_fault(shop: str, tmp_path: Path) -> None:
    made = Run(tmp_path, consumer_off(shop, "12s")).start().wait(60)
    assert made.clean, made.model_dump_json(indent=1)
    assert "answers 503" in made.faults[0].evidence
    assert "answers 200" in made.faults[0].undo_evidence


def test_a_killed_tool_leaves_no_endpoint_turned_off(shop: str, tmp_path: Path) -> None:
    run, fault = Run(tmp_path, consumer_off(shop, "60s")), consumer_off(shop, "60s")
    child = run.start()
    assert run.await_event("verified")
    os.kill(child.pid, signal.SIGKILL)
    assert wait_for(lambda: not fault.sign.shown(())[0] and not Ledger(run.ledger).open_entries(), 20)
    child.stop()


def test_an_endpoint_that_is_not_listed_is_refused_before_anything_is_sent(tmp_path: Path) -> None:
    run = Run(tmp_path, consumer_off("http://shop.invalid/consumer", "1s"))
    with pytest.raises(Refused, match="is not a listed target; nothing was sent to it; nothing was started"):
        check_ready([consumer_off("http://shop.invalid/consumer", "1s")], run.state)


def test_an_envoy_anywhere_needs_no_lab(tmp_path: Path) -> None:
    with small_system() as system:
        fault = AbortRequests(503, percent="50", envoy=system.admin, at="0s", lasts="12s")
        made = Run(tmp_path, fault).start().wait(60)
        assert made.clean, made.model_dump_json(indent=1)
        assert system.is_whole()


def test_a_missing_admin_port_is_told_before_anything_starts(tmp_path: Path) -> None:
    run = Run(tmp_path, AbortRequests(503, percent="50", at="0s", lasts="12s"))
    with pytest.raises(PartFailed, match="has no `envoy_admin`; nothing was started"):
        check_ready([AbortRequests(503, percent="50", at="0s", lasts="12s")], run.state)
    silent = AbortRequests(503, percent="50", envoy="http://127.0.0.1:9", at="0s", lasts="12s")
    with pytest.raises(PartFailed, match="refused the connection; nothing was started"):
        check_ready([silent], run.state)


def test_plain_chaos_run_breaks_a_system_that_is_no_lab(tmp_path: Path) -> None:
    mark = uuid.uuid4().hex
    with process(mark):
        run = Run(tmp_path, PauseProcess(pattern=mark, at="0s", lasts="12s"))
        environment = {**os.environ, "SLOPROOF_LAB": str(run.state), "SLOPROOF_LEDGER": str(run.ledger)}
        command = [sys.executable, "-m", "chaostoolkit", "--no-version-check", "run", str(run.experiment)]
        done = subprocess.run(
            command, cwd=tmp_path, env=environment, timeout=60, check=False, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout + done.stderr
        (folder,) = tmp_path.glob("sloproof-run-*")
        kinds = [event.kind for event in read_events(folder)]
        assert kinds == ["started", "injecting", "injected", "verified", "undone", "finished"]
