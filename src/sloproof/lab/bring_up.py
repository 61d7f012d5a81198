"""Starts a lab: finds the parts, lays the folder out, starts supervisord, and waits until everything answers."""

import fcntl
import os
import pwd
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path, PurePosixPath

from sloproof.definition import format_duration
from sloproof.errors import PartFailed, Refused
from sloproof.lab import (
    delayed_start,
    health,
    keeper,
    monitoring,
    parts,
    ports,
    postgres_cluster,
)
from sloproof.lab.monitoring import Clockwork
from sloproof.lab.processes import MARK
from sloproof.lab.readiness import last_lines, wait_until_ready
from sloproof.lab.state import LabState, load_state, save_state
from sloproof.lab.supervisord_config import supervisord_config
from sloproof.lab.systems import find_system
from sloproof.lab.take_down import RUNTIME_PREFIX, end, runtime_root
from sloproof.lab.topology import Program, Site, System, Topology, script
from sloproof.supervisor import Supervisor

_FOLDERS = (
    "alertmanager",
    "config",
    "generated",
    "logs",
    "no-metrics",
    "prometheus",
    "restart-delay",
    "strain",
    "traces",
    "unhealthy",
)
_FILES = ("notifications.jsonl", "seed-password")
_SUPERVISORD_PATIENCE = 15.0


@dataclass(frozen=True, kw_only=True)
class Order:
    """What `up` was asked for; see `sloproof.lab.up` for each field."""

    system: str
    folder: Path
    generated: Callable[[str], Mapping[str, str]]
    clockwork: Clockwork
    lifetime: timedelta | None
    owner_pid: int | None
    traces: bool
    parts: Path | None


def up(order: Order, say: Callable[[str], None]) -> LabState:
    """Start the lab that was ordered; see `sloproof.lab.up`."""
    system = find_system(order.system)
    try:
        order.folder.mkdir(parents=True, exist_ok=True)
        with _alone(order.folder):
            _refuse_second(order.folder, say)
            return _start(order, system, say)
    except OSError as error:
        raise PartFailed(f"the lab's folder `{order.folder}` cannot be used: {error}") from error


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    with (folder / ".up.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise Refused(f"another `lab up` is at work in `{folder}`") from error
        yield


def _refuse_second(folder: Path, say: Callable[[str], None]) -> None:
    state = load_state(folder)
    if state is None:
        return
    if Supervisor(state.supervisor_socket, timeout=5.0).answers():
        age = format_duration(timedelta(seconds=round(time.time() - state.started_at)))
        raise Refused(
            f"a lab of `{state.system}` is already up, for {age}, on {state.balancer}",
            hint="use it, or end it with `sloproof lab down`",
        )
    say("a lab was killed here; cleaning up after it")
    end(state, say)


def _start(order: Order, system: System, say: Callable[[str], None]) -> LabState:
    found = _find_parts(system, order.parts, say)
    runtime = Path(tempfile.mkdtemp(prefix=RUNTIME_PREFIX, dir=runtime_root())).resolve()
    state = None
    try:
        site = _site(order, system, found, runtime)
        topology = system.build(site)
        state = _state(order, site, topology)
        _lay_out(order.folder)
        save_state(state)
        return _run(order, site, topology, state, say)
    except BaseException:
        if state is not None:
            end(state, say)
        shutil.rmtree(runtime, ignore_errors=True)
        raise


def _find_parts(system: System, folder: Path | None, say: Callable[[str], None]) -> dict[str, Path]:
    found = {name: parts.find(name, folder) for name in (*system.parts, *monitoring.PARTS)}
    for name in system.optional:
        try:
            found[name] = parts.find(name, folder)
        except PartFailed as error:
            say(f"{error.message}, so the lab runs without it; {error.hint}")
    return found


def _site(order: Order, system: System, found: dict[str, Path], runtime: Path) -> Site:
    user = ""
    if "postgres" in found:
        user = postgres_cluster.serving_account()
        # The account that PostgreSQL runs as must be able to pass through to its own folder inside.
        runtime.chmod(0o711)
        found = {**found, "postgres": postgres_cluster.reachable(found["postgres"], user, runtime)}
    return Site(
        folder=order.folder,
        runtime=runtime,
        ports=ports.free_ports((*system.ports, *monitoring.PORTS)),
        parts=found,
        python=sys.executable,
        database_user=user,
        traces=order.traces,
    )


def _state(order: Order, site: Site, topology: Topology) -> LabState:
    now = time.time()
    return LabState(
        system=order.system,
        scale=order.clockwork.scale,
        started_at=now,
        deadline=now + order.lifetime.total_seconds() if order.lifetime else None,
        folder=order.folder,
        balancer=site.url(topology.balancer),
        envoy_admin=site.url(topology.envoy_admin),
        prometheus=site.url("prometheus"),
        alertmanager=site.url("alertmanager"),
        webhook=site.url("webhook"),
        instances={name: site.url(name) for name in topology.instances},
        supervisor_socket=site.runtime / "supervisor.sock",
        supervisor_pid=0,
        restart_delay_folder=order.folder / "restart-delay",
        scrape_interval=order.clockwork.scrape_interval.total_seconds(),
        evaluation_interval=order.clockwork.evaluation_interval.total_seconds(),
        notifications=order.folder / "notifications.jsonl",
        links=site.url(topology.links) if topology.links else "",
        dependencies={p.name: p.url for p in topology.programs if p.name in topology.dependencies},
        strain_folder=site.strain,
    )


def _run(order: Order, site: Site, topology: Topology, state: LabState, say: Callable[[str], None]) -> LabState:
    programs = (*topology.programs, *monitoring.programs(site, order.clockwork))
    private = {name: secrets.token_hex(24) for name in topology.secrets}
    _write_files(order, site, topology, state)
    _write_private(state.seed_password_file, private.get("TASKS_SEED_PASSWORD", ""))
    health.write_programs(state.folder, programs)
    if topology.database:
        say("making a database")
        cluster = postgres_cluster.PostgresCluster(
            binary=site.parts["postgres"], folder=site.runtime / "postgres", user=site.database_user
        )
        postgres_cluster.initialise(cluster, topology.database, private["PGPASSWORD"])
    say(f"starting {sum(not program.on_demand for program in programs)} programs")
    _start_supervisord(state, [_delayed(program, site, state) for program in programs], private)
    state = state.model_copy(update={"supervisor_pid": Supervisor(state.supervisor_socket).own_pid()})
    save_state(state)
    wait_until_ready(state, programs, topology.scrapes, say)
    (state.folder / keeper.READY_FILE).touch()
    return state


def _lay_out(folder: Path) -> None:
    for name in _FOLDERS:
        shutil.rmtree(folder / name, ignore_errors=True)
        (folder / name).mkdir()
    for name in _FILES:
        (folder / name).unlink(missing_ok=True)


def _write_files(order: Order, site: Site, topology: Topology, state: LabState) -> None:
    orders = keeper.Orders(
        deadline=state.deadline,
        owner=keeper.watched(order.owner_pid) if order.owner_pid else None,
        starter=keeper.watched(os.getpid()),
        runtime=site.runtime,
    )
    (order.folder / keeper.ORDERS_FILE).write_text(orders.model_dump_json() + "\n")
    own = {**topology.files, "prometheus.yaml": monitoring.config(site, order.clockwork, topology.scrapes)}
    for name, text in own.items():
        (order.folder / "config" / name).write_text(text)
    for name, text in order.generated(f"{state.webhook}/alerts").items():
        _write_inside(order.folder / "generated", name, text)
    state.notifications.touch()


def _write_inside(folder: Path, name: str, text: str) -> None:
    relative = PurePosixPath(name)
    if relative.is_absolute() or ".." in relative.parts:
        raise PartFailed(f"`{name}` is no path inside the lab's folder")
    path = folder / relative
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def _write_private(path: Path, text: str) -> None:
    if text:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(text)


def _delayed(program: Program, site: Site, state: LabState) -> Program:
    if program.name == monitoring.KEEPER or program.on_demand:
        return program
    account = ("--user", program.user) if program.user else ()
    launcher = (*script(site.python, delayed_start), *account, str(state.restart_delay_folder / program.name), "--")
    return replace(program, command=(*launcher, *program.command))


def _start_supervisord(state: LabState, programs: Sequence[Program], private: Mapping[str, str]) -> None:
    config = state.folder / "config" / "supervisord.conf"
    config.write_text(
        supervisord_config(
            programs, socket=state.supervisor_socket, folder=state.folder, account=pwd.getpwuid(os.geteuid()).pw_name
        )
    )
    environment = {"PATH": os.environ.get("PATH", os.defpath), "LANG": "C.UTF-8", MARK: str(state.runtime), **private}
    started = subprocess.run(
        [sys.executable, "-m", "supervisor.supervisord", "-c", str(config)],
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=_SUPERVISORD_PATIENCE,
        start_new_session=True,
        check=False,
    )
    if started.returncode:
        raise PartFailed(f"supervisord did not start:\n{(started.stderr or started.stdout).strip()}")
    _wait_for_supervisord(state)


def _wait_for_supervisord(state: LabState) -> None:
    until = time.monotonic() + _SUPERVISORD_PATIENCE
    while not Supervisor(state.supervisor_socket).answers():
        if time.monotonic() > until:
            raise PartFailed(f"supervisord did not answer\n{last_lines(state.log('supervisord'))}")
        time.sleep(0.05)
