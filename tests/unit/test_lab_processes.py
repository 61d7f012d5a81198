"""The small programs that a lab is held together with, each run for real."""

import http.client
import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from sloproof.errors import PartFailed
from sloproof.lab import delayed_start, keeper, parts, parts_apt, ports, postgres_cluster, processes
from sloproof.lab.delayed_start import read_delay, wait_out, write_delay
from sloproof.lab.keeper import Orders, Watched, reason_to_end
from sloproof.lab.state import LabState, forget_state, load_state, save_state
from sloproof.lab.webhook_receiver import NotificationFile, ReceiverServer
from sloproof.supervisor import Supervisor


class Time:
    """A clock that only moves when somebody sleeps."""

    def __init__(self) -> None:
        self.now = 100.0

    def clock(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def test_a_restarted_program_waits_as_long_as_its_file_says(tmp_path: Path) -> None:
    write_delay(tmp_path / "a1", 7.5)
    time_ = Time()
    wait_out(tmp_path / "a1", time_.clock, time_.sleep)
    assert time_.now == pytest.approx(107.5)


def test_a_delay_that_is_shortened_counts_for_who_already_waits(tmp_path: Path) -> None:
    write_delay(tmp_path / "a1", 60)
    time_ = Time()

    def undo_after_two_seconds(seconds: float) -> None:
        time_.sleep(seconds)
        if time_.now >= 102:
            write_delay(tmp_path / "a1", 0)

    wait_out(tmp_path / "a1", time_.clock, undo_after_two_seconds)
    assert time_.now == pytest.approx(102, abs=0.1)


@pytest.mark.parametrize(("text", "expected"), [(None, 1), ("", 1), ("x", 1), ("nan", 1), ("-3", 0), ("1e9", 3600)])
def test_a_delay_that_makes_no_sense_never_holds_a_program_back_for_ever(
    tmp_path: Path, text: str | None, expected: float
) -> None:
    if text is not None:
        (tmp_path / "a1").write_text(text)
    assert read_delay(tmp_path / "a1") == expected


def test_the_first_start_does_not_wait_and_the_next_one_keeps_its_process_id(tmp_path: Path) -> None:
    file = tmp_path / "a1"
    write_delay(file, 3)
    command = [sys.executable, "-IS", delayed_start.__file__, str(file), "--", "/bin/sh", "-c", "echo $$"]
    took = []
    for _ in range(2):
        begun = time.monotonic()
        child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert child.communicate(timeout=10)[0] == f"{child.pid}\n"
        took.append(time.monotonic() - begun)
    assert took[0] < 3 <= took[1]


def test_free_ports_are_different_and_free() -> None:
    found = ports.free_ports([str(number) for number in range(50)])
    assert len(set(found.values())) == 50
    for port in found.values():
        with socket.create_server(("127.0.0.1", port)):
            pass


def test_no_outgoing_connection_can_take_a_chosen_port() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener, socket.create_connection(listener.getsockname()) as away:
        outgoing = away.getsockname()[1]
    assert not ports.FIRST <= outgoing < ports.LAST
    assert all(ports.FIRST <= port < ports.LAST for port in ports.free_ports(["one", "other"]).values())


def test_a_port_is_not_given_twice_in_a_row_and_a_taken_one_not_at_all() -> None:
    first = ports.free_ports(["one"])["one"]
    with socket.create_server(("127.0.0.1", first + 1)):
        assert ports.free_ports(["one"])["one"] not in {first, first + 1}


def test_processes_that_start_together_look_in_different_places() -> None:
    ask = "from sloproof.lab.ports import free_ports; print(*free_ports([str(n) for n in range(12)]).values())"
    children = [subprocess.Popen([sys.executable, "-c", ask], stdout=subprocess.PIPE, text=True) for _ in range(3)]
    chosen = [child.communicate(timeout=30)[0].split() for child in children]
    assert len({port for each in chosen for port in each}) == 36


def test_too_few_free_ports_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ports, "LAST", ports.FIRST + 3)
    with pytest.raises(PartFailed, match="fewer than 4 of the ports"):
        ports.free_ports([str(number) for number in range(4)])


@pytest.fixture
def receiver(tmp_path: Path) -> Iterator[ReceiverServer]:
    server = ReceiverServer(0, NotificationFile(tmp_path / "notifications.jsonl"))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield server
    server.shutdown()
    thread.join(timeout=5)
    server.server_close()


def ask(server: ReceiverServer, method: str, path: str, body: str | None = None) -> tuple[int, object]:
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=5)
    connection.request(method, path, body)
    response = connection.getresponse()
    answer = json.loads(response.read())
    connection.close()
    return response.status, answer


def test_notifications_are_recorded_with_the_time_of_their_arrival(receiver: ReceiverServer, tmp_path: Path) -> None:
    before = time.time()
    assert ask(receiver, "POST", "/alerts", '{"status": "firing"}')[0] == 200
    (line,) = (tmp_path / "notifications.jsonl").read_text().splitlines()
    assert json.loads(line)["payload"] == {"status": "firing"}
    assert before <= json.loads(line)["received_at"] <= time.time()
    assert ask(receiver, "GET", "/notifications") == (200, [json.loads(line)])


@pytest.mark.parametrize(
    ("method", "path", "body", "expected"),
    [("POST", "/alerts", "no json", 400), ("POST", "/other", "{}", 404), ("GET", "/other", None, 404)],
)
def test_what_is_no_notification_is_refused(
    receiver: ReceiverServer, method: str, path: str, body: str | None, expected: int
) -> None:
    assert ask(receiver, method, path, body)[0] == expected


def test_notifications_that_cannot_be_kept_are_not_acknowledged(receiver: ReceiverServer, tmp_path: Path) -> None:
    (tmp_path / "notifications.jsonl").mkdir()
    assert ask(receiver, "POST", "/alerts", "{}")[0] == 500


def lab_state(folder: Path) -> LabState:
    return LabState(
        system="tasks",
        scale=1,
        started_at=1.5,
        deadline=None,
        folder=folder,
        balancer="http://127.0.0.1:1",
        envoy_admin="http://127.0.0.1:2",
        prometheus="http://127.0.0.1:3",
        alertmanager="http://127.0.0.1:4",
        webhook="http://127.0.0.1:5",
        instances={"a1": "http://127.0.0.1:6"},
        supervisor_socket=folder / "runtime" / "supervisor.sock",
        supervisor_pid=1,
        restart_delay_folder=folder / "restart-delay",
        scrape_interval=0.5,
        evaluation_interval=1.0,
        notifications=folder / "notifications.jsonl",
    )


def test_a_state_is_read_as_it_was_written(tmp_path: Path) -> None:
    assert load_state(tmp_path) is None
    save_state(lab_state(tmp_path))
    assert load_state(tmp_path) == lab_state(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["lab.json"]
    forget_state(tmp_path)
    forget_state(tmp_path)
    assert load_state(tmp_path) is None


def test_a_broken_state_is_an_error_that_names_the_file(tmp_path: Path) -> None:
    (tmp_path / "lab.json").write_text('{"system": "tasks"')
    with pytest.raises(PartFailed, match=r"lab\.json"):
        load_state(tmp_path)


@pytest.mark.filterwarnings("error::ResourceWarning", "error::pytest.PytestUnraisableExceptionWarning")
def test_a_supervisord_that_is_not_there_is_said_to_be_and_leaves_no_socket_open(tmp_path: Path) -> None:
    supervisor = Supervisor(tmp_path / "none.sock", timeout=1)
    assert not supervisor.answers()
    with pytest.raises(PartFailed, match="no supervisord answers"):
        supervisor.pid("a1")


HERE = keeper.watched(os.getpid())
GONE = Watched(pid=os.getpid(), birth=1.0)


@pytest.mark.parametrize(
    ("orders", "ready", "supervised", "expected"),
    [
        ((None, None, HERE), False, True, ""),
        ((100.0, None, HERE), True, True, "its lifetime is over"),
        ((101.0, HERE, GONE), True, True, ""),
        ((None, GONE, HERE), True, True, "its owner"),
        ((None, None, GONE), False, True, "while it started the lab"),
        ((None, None, GONE), True, True, ""),
        ((None, None, HERE), True, False, "supervisord is gone"),
    ],
)
def test_a_lab_ends_for_a_reason(
    orders: tuple[float | None, Watched | None, Watched], ready: bool, supervised: bool, expected: str
) -> None:
    deadline, owner, starter = orders
    asked = Orders(deadline=deadline, owner=owner, starter=starter, runtime=Path("/tmp/x"))
    reason = reason_to_end(asked, ready=ready, now=100.0, supervised=supervised)
    assert reason == expected if not expected else expected in reason


def test_a_later_process_with_the_same_id_is_another_one() -> None:
    assert not HERE.gone
    assert GONE.gone


def test_only_processes_with_the_labs_mark_are_ended(tmp_path: Path) -> None:
    stubborn = "trap '' TERM; while :; do sleep 0.1; done"
    ours = subprocess.Popen(["/bin/sh", "-c", stubborn], env={processes.MARK: str(tmp_path)})
    other = subprocess.Popen(["/bin/sleep", "30"], env={processes.MARK: str(tmp_path / "other")})
    mention = subprocess.Popen(["/bin/sleep", "30"], env={"NOTE": str(tmp_path)})
    try:
        time.sleep(0.2)
        assert ours.pid in processes.end_all(tmp_path, within=0.5)
        assert not processes.alive(ours.pid)
        assert (other.poll(), mention.poll()) == (None, None)
    finally:
        for process in (ours, other, mention):
            process.kill()
            process.wait(timeout=5)


def test_a_part_is_found_in_the_named_folder_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for place in ("named/usr/bin", "workspace"):
        (tmp_path / place).mkdir(parents=True)
        (tmp_path / place / "prometheus").write_text("#!/bin/sh\n")
        (tmp_path / place / "prometheus").chmod(0o755)
    (tmp_path / "named" / "etc").mkdir()
    (tmp_path / "named" / "etc" / "promtool").mkdir()
    monkeypatch.setenv(parts.PARTS_VARIABLE, str(tmp_path / "named"))
    monkeypatch.setenv("PATH", "/nowhere")
    assert parts.find("prometheus", tmp_path / "workspace") == tmp_path / "named" / "usr" / "bin" / "prometheus"
    monkeypatch.delenv(parts.PARTS_VARIABLE)
    assert parts.find("prometheus", tmp_path / "workspace") == tmp_path / "workspace" / "prometheus"
    with pytest.raises(PartFailed, match="`promtool` is not on this machine"):
        parts.find("promtool", tmp_path / "workspace")


def test_a_relocated_program_keeps_its_length_and_finds_its_templates_from_where_it_is_started() -> None:
    before = b"\x7fELF...bytes/usr/share/prometheus/alertmanager/no-ui138"
    after = parts_apt.relocated(before)
    assert len(after) == len(before)
    place = after.removeprefix(b"\x7fELF...bytes").removesuffix(b"/no-ui138").decode()
    assert os.path.normpath(place) == "share/prometheus/alertmanager"
    assert parts_apt.relocated(b"another program") == b"another program"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs PostgreSQL as another account")
def test_a_program_in_a_closed_folder_is_copied_to_where_the_account_can_reach_it(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    installed = closed / "wheel" / "install"
    for name in ("bin", "lib", "include"):
        (installed / name).mkdir(parents=True)
    binary = installed / "bin" / "postgres"
    binary.write_text("#!/bin/sh\n")
    binary.chmod(0o700)
    (closed / "wheel.libs").mkdir()
    (closed / "wheel.libs" / "libpq.so").write_text("")
    closed.chmod(0o700)
    runtime = tmp_path / "runtime"
    runtime.mkdir()
    found = postgres_cluster.reachable(binary, "nobody", runtime)
    assert found == runtime / "postgres-program" / "wheel" / "install" / "bin" / "postgres"
    assert found.stat().st_mode & 0o055 == 0o055
    assert (found.parent / "../../../wheel.libs/libpq.so").resolve(strict=True)
    assert not (found.parent.parent / "include").exists()
    assert postgres_cluster.reachable(binary, "", runtime) == binary


@pytest.mark.parametrize(("name", "password"), [("a;b", "x1"), ("tasks", "it's")])
def test_no_statement_can_be_smuggled_into_the_database(tmp_path: Path, name: str, password: str) -> None:
    cluster = postgres_cluster.PostgresCluster(binary=Path("/none/postgres"), folder=tmp_path / "data")
    with pytest.raises(ValueError, match="identifier"):
        postgres_cluster.initialise(cluster, name, password)


def test_importing_the_lab_is_cheap() -> None:
    heavy = "starlette", "psycopg", "supervisor", "psutil", "uvicorn", "opentelemetry"
    code = f"import sys, sloproof.lab, sloproof.lab.state; print([m for m in {heavy} if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
