"""A small real system to break: Envoy, two instances under supervisord, and a steady trickle of requests."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sloproof.chaos.envoy_admin import EnvoyAdmin
from sloproof.chaos.http_exchange import healthy
from sloproof.chaos.ledger import Ledger
from sloproof.lab.ports import free_ports
from sloproof.supervisor import Supervisor

KEYS = (
    "fault.http.delay.fixed_delay_percent",
    "fault.http.delay.fixed_duration_ms",
    "fault.http.abort.abort_percent",
    "fault.http.abort.http_status",
)
INSTANCE = """
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        self.send_response(200)
        self.send_header("content-length", "2")
        self.end_headers()
        self.wfile.write(b"ok")
    def log_message(self, *parts):
        pass

ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""


@dataclass(frozen=True)
class SmallSystem:
    folder: Path
    socket: Path
    admin: str
    balancer: str
    instances: dict[str, str]
    envoy: subprocess.Popen[bytes]

    @property
    def delays(self) -> Path:
        return self.folder / "delays"

    def lab_file(self, workspace: Path, **changes: Any) -> Path:
        state = {
            "system": "tasks",
            "envoy_admin": self.admin,
            "instances": self.instances,
            "supervisor_socket": str(self.socket),
            "restart_delay_folder": str(self.delays),
            "prometheus": "http://127.0.0.1:9",
        }
        file = workspace / ".sloproof" / "lab" / "tasks" / "lab.json"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(state | changes))
        return file

    def is_whole(self) -> bool:
        keys = EnvoyAdmin(self.admin).overrides(KEYS)
        return (
            not any(keys.values())
            and not list(self.delays.glob("[!.]*"))
            and all(healthy(f"{url}/healthz", timeout=1) for url in self.instances.values())
        )

    def await_whole(self, ledger: Path, timeout: float) -> bool:
        return wait_for(lambda: not Ledger(ledger).open_entries() and self.is_whole(), timeout)


def wait_for(condition: Callable[[], bool], timeout: float) -> bool:
    end = time.monotonic() + timeout
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.1)
    return condition()


@contextmanager
def small_system(*, requests: bool = True) -> Iterator[SmallSystem]:
    folder = Path(tempfile.mkdtemp(prefix="sloproof-"))
    admin, listener, first, second = free_ports(("admin", "listener", "first", "second")).values()
    instances = {"a1": f"http://127.0.0.1:{first}", "a2": f"http://127.0.0.1:{second}"}
    (folder / "delays").mkdir()
    (folder / "instance.py").write_text(INSTANCE)
    (folder / "envoy.json").write_text(json.dumps(bootstrap(admin, listener, [first, second])))
    (folder / "supervisord.conf").write_text(supervisord_config(folder, {"a1": first, "a2": second}))
    started: list[subprocess.Popen[bytes]] = []
    try:
        with (folder / "output.log").open("wb") as log:
            for command in (
                [sys.executable, "-m", "supervisor.supervisord", "-n", "-c", str(folder / "supervisord.conf")],
                [envoy_binary(), "-c", str(folder / "envoy.json"), "--concurrency", "1", "--use-dynamic-base-id"],
            ):
                started.append(subprocess.Popen(command, stdout=log, stderr=log, cwd=folder, start_new_session=True))
        system = SmallSystem(
            folder,
            folder / "s.sock",
            f"http://127.0.0.1:{admin}",
            f"http://127.0.0.1:{listener}",
            instances,
            started[1],
        )
        assert wait_for(lambda: ready(system), 30), (folder / "output.log").read_text()[-2000:]
        with trickle(system.balancer) if requests else contextlib.nullcontext():
            yield system
    finally:
        for process in reversed(started):
            process.send_signal(signal.SIGCONT)  # a test that failed may have left it stopped
            process.terminate()
        for process in started:
            process.wait(timeout=30)
        shutil.rmtree(folder)


def ready(system: SmallSystem) -> bool:
    with contextlib.suppress(Exception):
        if not Supervisor(system.socket).answers():
            return False
        out = [
            EnvoyAdmin(system.admin).taken_out("127.0.0.1", int(url.rpartition(":")[2]))
            for url in system.instances.values()
        ]
        return not any(out) and healthy(f"{system.balancer}/healthz") and system.is_whole()
    return False


@contextmanager
def trickle(url: str) -> Iterator[None]:
    """About fifty requests a second until the block is left."""
    end = threading.Event()

    def ask() -> None:
        while not end.wait(0.08):
            with contextlib.suppress(OSError):
                urllib.request.urlopen(url, timeout=3).read()

    threads = [threading.Thread(target=ask, daemon=True) for _ in range(4)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        end.set()
        for thread in threads:
            thread.join(timeout=10)


def envoy_binary() -> str:
    beside = Path(sys.executable).parent / "envoy"
    return str(beside) if beside.exists() else (shutil.which("envoy") or "envoy")


def supervisord_config(folder: Path, ports: dict[str, int]) -> str:
    launch = f"{sys.executable} -m sloproof.lab.delayed_start"
    programs = "".join(
        f"""
[program:{name}]
command={launch} {folder}/delays/{name} -- {sys.executable} -S {folder}/instance.py {port}
autorestart=true
startsecs=0
startretries=1000000
redirect_stderr=true
stdout_logfile={folder}/{name}.log
"""
        for name, port in ports.items()
    )
    return f"""[unix_http_server]
file={folder}/s.sock
[supervisord]
logfile={folder}/supervisord.log
pidfile={folder}/supervisord.pid
childlogdir={folder}
{"user=root" if os.getuid() == 0 else ""}
[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface
{programs}"""


def bootstrap(admin: int, listener: int, upstreams: list[int]) -> dict[str, Any]:
    def address(port: int) -> dict[str, Any]:
        return {"address": {"socket_address": {"address": "127.0.0.1", "port_value": port}}}

    def typed(name: str, kind: str, **fields: Any) -> dict[str, Any]:
        return {"name": name, "typed_config": {"@type": f"type.googleapis.com/{kind}", **fields}}

    filters = "envoy.extensions.filters.http"
    fault = typed(
        "envoy.filters.http.fault",
        f"{filters}.fault.v3.HTTPFault",
        delay={"fixed_delay": "0.001s", "percentage": {"numerator": 0}},
        abort={"http_status": 503, "percentage": {"numerator": 0}},
    )
    route = {
        "match": {"prefix": "/"},
        "route": {"cluster": "api", "retry_policy": {"retry_on": "connect-failure,reset"}},
    }
    connections = typed(
        "envoy.filters.network.http_connection_manager",
        "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        stat_prefix="tasks",
        route_config={"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": [route]}]},
        http_filters=[fault, typed("envoy.filters.http.router", f"{filters}.router.v3.Router")],
    )
    check = {"timeout": "0.5s", "interval": "0.5s", "unhealthy_threshold": 2, "healthy_threshold": 1}
    cluster = {
        "name": "api",
        "type": "STATIC",
        "connect_timeout": "1s",
        "health_checks": [check | {"no_traffic_interval": "0.5s", "http_health_check": {"path": "/healthz"}}],
        "load_assignment": {
            "cluster_name": "api",
            "endpoints": [{"lb_endpoints": [{"endpoint": address(port)} for port in upstreams]}],
        },
    }
    layers = [{"name": "static", "static_layer": {}}, {"name": "admin", "admin_layer": {}}]
    return {
        "admin": address(admin),
        "layered_runtime": {"layers": layers},
        "static_resources": {
            "listeners": [{**address(listener), "filter_chains": [{"filters": [connections]}]}],
            "clusters": [cluster],
        },
    }
