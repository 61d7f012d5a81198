"""A workspace of one system that has no lab, for commands that load a server of the tests."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

USERS = """
from locust import FastHttpUser, task

class Visitor(FastHttpUser):
    @task
    def visit(self):
        self.client.get("/visit")
"""
SLOS = """
from sloproof import SLO, GaugeBelow, LatencyBelow, Service

api = Service(name="api", owner="team", job="api")
latency = SLO(service=api, name="latency", objective="95", sli=LatencyBelow("500ms", histogram="d"))
memory = SLO(service=api, name="memory", objective="95", sli=GaugeBelow("70", gauge="m"))
"""
STEADY = 'steady = LoadProfile(name="steady", system="api", locustfile="users/visitors.py", {fields})'
CLOSED = 'users=10, duration="1m"'
SLOPROOF = Path(sys.executable).with_name("sloproof")


def workspace_of(folder: Path, fields: str = CLOSED, users: str = USERS) -> Path:
    """A workspace with one objective that clients see, one that they do not, and the profile `steady`.

    Args:
        folder: where its folder is made.
        fields: of the profile, beside its name, system and locustfile.
        users: the locustfile.
    """
    root = folder / "workspace"
    loads = "from sloproof import Failures, LoadProfile, Quantile\nfrom sloproof.loadtests.arrivals import Arrivals\n\n"
    texts = {
        "pyproject.toml": "[tool.sloproof]\n",
        "slo/api.py": SLOS,
        "loadtests/api.py": f"{loads}{STEADY.format(fields=fields)}\n",
        "loadtests/users/visitors.py": users,
    }
    for name, text in texts.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


def sloproof(workspace: Path, *words: str, prepare: Callable[[], None] | None = None) -> Any:
    """A command to its end, a `subprocess.CompletedProcess[str]`.

    Args:
        workspace: where it runs.
        words: of the command.
        prepare: called in the new process before the command begins.
    """
    return subprocess.run(
        [SLOPROOF, *words],
        cwd=workspace,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
        preexec_fn=prepare,
    )


def started(workspace: Path, *words: str) -> "subprocess.Popen[str]":
    """A command that runs, in a session of its own."""
    return subprocess.Popen(
        [SLOPROOF, *words],
        cwd=workspace,
        env=environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def environment() -> dict[str, str]:
    return {**os.environ, "NO_COLOR": "1", "COLUMNS": "120", "PYTHONUNBUFFERED": "1"}


def runs(workspace: Path) -> list[Path]:
    """The folders of its runs, oldest first."""
    return sorted((workspace / ".sloproof" / "runs").glob("*"))


def wait_until(condition: Callable[[], Any], seconds: float = 40.0) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "waited too long"
        time.sleep(0.02)
