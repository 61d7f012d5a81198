"""Whether the parts of a lab do their work, asked of the parts themselves."""

import json
import socket
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sloproof.errors import PartFailed
from sloproof.lab import http_probe
from sloproof.lab.state import LabState, LabStatus, PartStatus, load_state
from sloproof.lab.topology import Program
from sloproof.supervisor import ProgramState, Supervisor

PROGRAMS_FILE = Path("config", "programs.json")


def write_programs(folder: Path, programs: Sequence[Program]) -> None:
    """Note what `status` asks: name, address and health of each program that always runs."""
    entries = [{"name": p.name, "url": p.url, "health": p.health, "port": p.port} for p in programs if not p.on_demand]
    (folder / PROGRAMS_FILE).write_text(json.dumps(entries, indent=2) + "\n")


def status(folder: Path) -> LabStatus | None:
    """The lab of a folder as it is now; see `sloproof.lab.status`."""
    state = load_state(folder.absolute())
    if state is None:
        return None
    entries = _programs(state.folder)
    try:
        known = {program.name: program for program in Supervisor(state.supervisor_socket, timeout=5.0).programs()}
    except PartFailed:
        return LabStatus(state=state, stale=True, parts=tuple(_gone(entry) for entry in entries))
    return LabStatus(state=state, stale=False, parts=tuple(_part(entry, known.get(entry["name"])) for entry in entries))


def answers(health: str, port: int) -> bool | None:
    """Whether a program answers; None when it cannot be asked."""
    if health:
        return http_probe.healthy(health)
    return _listens(port) if port else None


def balancer_sees(state: LabState) -> set[str]:
    """Names of the instances that the balancer sends requests to at this moment."""
    clusters = http_probe.read_json(f"{state.envoy_admin}/clusters?format=json") or {}
    return {
        host["hostname"]
        for cluster in clusters.get("cluster_statuses", ())
        for host in cluster.get("host_statuses", ())
        if host.get("hostname") in state.instances and _in_use(host["health_status"])
    }


def scraped(state: LabState) -> set[tuple[str, str]]:
    """Job and instance of each target that Prometheus has scraped with success at its last try."""
    answer = http_probe.read_json(f"{state.prometheus}/api/v1/targets?state=active") or {"data": {"activeTargets": []}}
    return {
        (target["labels"]["job"], target["labels"]["instance"])
        for target in answer["data"]["activeTargets"]
        if target["health"] == "up"
    }


def _in_use(status: dict[str, Any]) -> bool:
    # Envoy writes a flag only where it is set.
    return status.get("eds_health_status", "HEALTHY") == "HEALTHY" and not any(
        value for flag, value in status.items() if flag != "eds_health_status"
    )


def _listens(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1.0):
            return True
    except OSError:
        return False


def _programs(folder: Path) -> list[dict[str, Any]]:
    try:
        entries: list[dict[str, Any]] = json.loads((folder / PROGRAMS_FILE).read_text())
    except (OSError, ValueError):
        return []
    return entries


def _gone(entry: dict[str, Any]) -> PartStatus:
    return PartStatus(name=entry["name"], pid=None, state="GONE", uptime=0.0, url=entry["url"], healthy=False)


def _part(entry: dict[str, Any], program: ProgramState | None) -> PartStatus:
    if program is None:
        return _gone(entry)
    running = program.state == "RUNNING"
    answer = answers(entry["health"], entry["port"]) if running else False
    return PartStatus(
        name=entry["name"],
        pid=program.pid,
        state=program.state,
        uptime=max(0.0, time.time() - program.started_at) if running else 0.0,
        url=entry["url"],
        healthy=running if answer is None else answer,
    )
