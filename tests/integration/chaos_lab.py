"""A whole real system to break: a lab of `tasks`, and beside it a process and an endpoint that are in no lab."""

import json
import os
import subprocess
import sys
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import psutil

import sloproof.lab
from sloproof.chaos.any_fault import AnyFault
from sloproof.chaos.control_endpoint import Call, Sign
from sloproof.chaos.dependency_protocol import accepts
from sloproof.chaos.envoy_admin import EnvoyAdmin
from sloproof.chaos.http_exchange import healthy
from sloproof.chaos.ledger import Ledger
from sloproof.chaos.link_control import LinkControl
from sloproof.chaos.outside_faults import CallEndpoint, KillProcess, PauseProcess
from sloproof.chaos.undo_step import WorkerThen
from sloproof.chaos.worker_process import WorkerEnded
from sloproof.errors import PartFailed
from sloproof.lab.state import STATE_FILE, LabState
from sloproof.supervisor import Supervisor
from tests.integration import lab_calls
from tests.integration.chaos_system import wait_for

IDLE = {"delay_ms": "0", "bytes_per_second": "0", "cut": "", "percent": "100"}
PAGES = ("/healthz", "/readyz", "/metrics")
STRAINS = ("strain-connections", "strain-locks")
LIFETIME = timedelta(hours=1)
KEEPER = """
import signal, subprocess, sys
child = None
def end(*_):
    child.kill()
    sys.exit(0)
signal.signal(signal.SIGTERM, end)
while True:
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(3600)", sys.argv[1][::-1]])
    child.wait()
"""
"""Starts a process again whenever it ends; its own command line holds the mark backwards."""


class Consumer(BaseHTTPRequestHandler):
    """`PUT /consumer` with a JSON body turns the consumer off and on; `GET /consumer` tells."""

    def do_GET(self) -> None:
        self.answer(200 if getattr(self.server, "on", True) else 503)

    def do_PUT(self) -> None:
        text = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.server.on = text["on"]  # type: ignore[attr-defined]
        self.answer(204)

    def answer(self, status: int) -> None:
        self.send_response(status)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *parts: object) -> None:
        pass


@dataclass(frozen=True)
class WholeSystem:
    """Everything that any fault may take hold of.

    Args:
        lab: the lab.
        mark: words of the command line of the process that is in no lab.
        consumer: the endpoint that is in no lab.
    """

    lab: LabState
    mark: str
    consumer: str

    @property
    def lab_file(self) -> Path:
        return self.lab.folder / STATE_FILE

    def own(self, fault: AnyFault) -> AnyFault:
        """An example that takes hold of what this system has."""
        if isinstance(fault, (PauseProcess, KillProcess)):
            return fault.model_copy(update={"pattern": self.mark})
        if isinstance(fault, CallEndpoint):
            moved: dict[str, Call | Sign] = {
                name: getattr(fault, name).model_copy(update={"url": self.consumer})
                for name in ("inject", "undo", "sign")
            }
            return fault.model_copy(update=moved)
        return fault

    def is_whole(self) -> bool:
        """Nothing of any fault is left, asked of every part."""
        try:
            return self._lab_is_whole() and self._outside_is_whole()
        except (OSError, PartFailed, psutil.NoSuchProcess):
            return False

    def await_whole(self, ledger: Path, timeout: float) -> bool:
        """Nothing is open, everything is back, and no worker of a fault goes on."""
        return wait_for(lambda: not Ledger(ledger).open_entries() and not workers(ledger) and self.is_whole(), timeout)

    def _lab_is_whole(self) -> bool:
        lab, links, supervisor = self.lab, LinkControl(self.lab.links), Supervisor(self.lab.supervisor_socket)
        flags = (lab.restart_delay_folder, lab.unhealthy_folder, lab.no_metrics_folder)
        cpus = set(psutil.Process(lab.supervisor_pid).cpu_affinity())
        pids = [supervisor.pid(name) for name in lab.instances]
        return (
            not EnvoyAdmin(lab.envoy_admin).overridden("fault.")
            and not any(list(folder.glob("[!.]*")) for folder in flags)
            and not list(lab.folder.glob("fill-*"))
            and links.holds(dict.fromkeys(links.names(), IDLE))
            and not any(supervisor.pid(name) for name in STRAINS)
            and all(accepts(url) for url in lab.dependencies.values())
            and all(pid is not None and set(psutil.Process(pid).cpu_affinity()) == cpus for pid in pids)
            and all(healthy(f"{url}{page}", timeout=2) for url in lab.instances.values() for page in PAGES)
            and healthy(f"{lab.prometheus}/-/ready", timeout=2)
        )

    def _outside_is_whole(self) -> bool:
        marked = [one for one in psutil.process_iter(["cmdline"]) if self.mark in (one.info["cmdline"] or ())]
        return len(marked) == 1 and marked[0].status() != psutil.STATUS_STOPPED and healthy(self.consumer, timeout=2)


def workers(ledger: Path) -> list[Path]:
    """Files of workers that a ledger names and that are still there."""
    undos = [entry.undo for entry in Ledger(ledger).read().entries]
    ended = [undo.worker if isinstance(undo, WorkerThen) else undo for undo in undos]
    return [undo.file for undo in ended if isinstance(undo, WorkerEnded) and undo.file.exists()]


@contextmanager
def whole_system(folder: Path) -> Iterator[WholeSystem]:
    """A system that is up, whole and idle until the block is left."""
    pace = {**lab_calls.PACE, "lifetime": LIFETIME}
    lab = sloproof.lab.up(
        "tasks", folder=folder / "lab", generated=lab_calls.generated, owner_pid=os.getpid(), say=print, **pace
    )
    mark = uuid.uuid4().hex
    keeper = subprocess.Popen([sys.executable, "-c", KEEPER, mark[::-1]])
    server = ThreadingHTTPServer(("127.0.0.1", 0), Consumer)
    serving = threading.Thread(target=server.serve_forever, daemon=True)
    serving.start()
    system = WholeSystem(lab, mark, f"http://127.0.0.1:{server.server_port}/consumer")
    try:
        assert wait_for(system.is_whole, 60), "the system does not come up whole"
        yield system
    finally:
        keeper.terminate()
        keeper.wait(timeout=10)
        server.shutdown()
        server.server_close()
        serving.join(timeout=10)
        sloproof.lab.down(folder / "lab")
