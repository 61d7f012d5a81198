"""Links on loopback, between a client of the test's and an echo server of the test's."""

import contextlib
import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from sloproof.lab import links
from sloproof.lab.ports import free_ports
from sloproof.lab.topology import script
from tests.integration.lab_calls import Answer, call, wait_for

pytestmark = pytest.mark.integration

NAMES = ("control", "a1-echo", "a2-echo")


@dataclass(frozen=True)
class Links:
    ports: dict[str, int]

    @property
    def control(self) -> str:
        return f"http://127.0.0.1:{self.ports['control']}"

    def set(self, name: str, query: str) -> Answer:
        return call(self.control, "POST", f"/links/{name}?{query}")

    def counts(self, name: str) -> dict[str, int]:
        counts: dict[str, int] = self.document()["links"][name]["counts"]
        return counts

    def document(self) -> dict[str, Any]:
        document: dict[str, Any] = call(self.control, "GET", "/links").json()
        return document

    def connect(self, name: str, timeout: float = 10) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.ports[name]), timeout=timeout)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Links]:
    with socket.create_server(("127.0.0.1", 0)) as echo:
        threading.Thread(target=accept, args=(echo,), daemon=True).start()
        ports = free_ports(NAMES)
        listens = {name: {"listen": ports[name], "upstream": echo.getsockname()[1]} for name in NAMES[1:]}
        file = tmp_path_factory.mktemp("links") / "links.json"
        file.write_text(json.dumps({"control": ports["control"], "links": listens}))
        process = subprocess.Popen([*script(sys.executable, links), str(file)])
        made = Links(ports)
        try:
            wait_for(lambda: answers(made), 20)
            yield made
        finally:
            process.terminate()
            process.wait(timeout=10)


@pytest.fixture
def net(running: Links) -> Iterator[Links]:
    yield running
    for name in NAMES[1:]:
        running.set(name, "delay_ms=0&bytes_per_second=0&cut=&percent=100")


def answers(made: Links) -> bool:
    try:
        return call(made.control, "GET", "/healthz").status == 200
    except OSError:
        return False


def accept(echo: socket.socket) -> None:
    while True:
        try:
            connection, _ = echo.accept()
        except OSError:
            return
        threading.Thread(target=repeat, args=(connection,), daemon=True).start()


def repeat(connection: socket.socket) -> None:
    with connection, contextlib.suppress(ConnectionResetError):
        while data := connection.recv(65536):
            connection.sendall(data)


def read(connection: socket.socket, size: int) -> bytes:
    read = b""
    while len(read) < size:
        piece = connection.recv(65536)
        if not piece:
            break
        read += piece
    return read


def send(connection: socket.socket, text: bytes) -> None:
    with contextlib.suppress(OSError):  # whoever reads sees that it was cut
        connection.sendall(text)


def ask(connection: socket.socket, text: bytes = b"ping") -> float:
    """Seconds until the echo of a text is back."""
    begun = time.monotonic()
    sent = threading.Thread(target=send, args=(connection, text), daemon=True)
    sent.start()
    assert read(connection, len(text)) == text
    return time.monotonic() - begun


def test_a_link_passes_everything_on_unchanged(net: Links) -> None:
    with net.connect("a1-echo") as connection:
        ask(connection, bytes(range(256)) * 8000)
    assert net.counts("a1-echo")["delayed"] == 0


def test_a_delay_makes_answers_late_and_not_slower_one_after_the_other(net: Links) -> None:
    with net.connect("a1-echo") as connection:
        net.set("a1-echo", "delay_ms=1000")
        assert ask(connection) >= 1.0
        # Sixteen pieces of an answer each come 1 s late, together and not one after the other.
        assert 1.0 <= ask(connection, b"x" * 1_000_000) < 10.0
        net.set("a1-echo", "delay_ms=0")
        assert ask(connection) < 1.0


def test_a_limit_of_bandwidth_counts_bytes_per_second(net: Links) -> None:
    with net.connect("a1-echo") as connection:
        net.set("a1-echo", "bytes_per_second=10000")
        assert ask(connection, b"x" * 10_000) >= 1.0


def test_a_blackhole_accepts_answers_nothing_and_loses_nothing_once_it_is_lifted(net: Links) -> None:
    with net.connect("a1-echo") as before:
        ask(before)
        net.set("a1-echo", "cut=blackhole")
        with net.connect("a1-echo", timeout=0.5) as during, net.connect("a2-echo") as other:
            before.settimeout(0.5)
            for connection in (before, during):
                connection.sendall(b"ping")
                with pytest.raises(TimeoutError):
                    connection.recv(4)
            assert ask(other) < 5, "the other instance still reaches the dependency"
            assert net.counts("a1-echo")["held"] >= 2
            net.set("a1-echo", "cut=")
            for connection in (before, during):
                connection.settimeout(10)
                assert read(connection, 4) == b"ping"


def test_a_reset_ends_open_and_new_connections(net: Links) -> None:
    with net.connect("a1-echo") as before:
        ask(before)
        net.set("a1-echo", "cut=reset")
        with pytest.raises(ConnectionResetError):
            before.recv(4)
    with pytest.raises(ConnectionResetError), net.connect("a1-echo") as during:
        during.recv(4)
    net.set("a1-echo", "cut=")
    with net.connect("a1-echo") as after:
        ask(after)


def test_a_share_of_the_connections_can_be_reset(net: Links) -> None:
    net.set("a1-echo", "cut=reset&percent=50")
    survived = 0
    for _ in range(60):
        try:
            with net.connect("a1-echo") as connection:
                ask(connection)
        except (OSError, AssertionError):
            continue
        survived += 1
    assert 10 < survived < 50


@pytest.mark.parametrize("query", ["cut=flood", "percent=0", "delay_ms=-1", "delay_ms=x", "bytes_per_second=-1", "a=1"])
def test_a_setting_that_cannot_be_is_refused_and_changes_nothing(net: Links, query: str) -> None:
    before = net.document()["links"]["a1-echo"]["settings"]
    assert net.set("a1-echo", query).status == 400
    assert net.document()["links"]["a1-echo"]["settings"] == before


def test_an_unknown_link_is_told(net: Links) -> None:
    assert net.set("a9-echo", "cut=").status == 404


def test_a_dependency_that_is_not_there_resets_the_client(tmp_path: Path) -> None:
    ports = free_ports(("control", "listen", "gone"))
    file = tmp_path / "links.json"
    listens = {"a1-gone": {"listen": ports["listen"], "upstream": ports["gone"]}}
    file.write_text(json.dumps({"control": ports["control"], "links": listens}))
    process = subprocess.Popen([*script(sys.executable, links), str(file)])
    try:
        made = Links({"control": ports["control"], "a1-gone": ports["listen"]})
        wait_for(lambda: answers(made), 20)
        with pytest.raises(ConnectionResetError), made.connect("a1-gone") as connection:
            connection.recv(4)
        assert made.counts("a1-gone")["unreached"] == 1
    finally:
        process.terminate()
        process.wait(timeout=10)
