"""Limits and the guard of the error budget, through the command line, on one real lab."""

import contextlib
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psutil
import pytest

from sloproof.chaos.envoy_admin import EnvoyAdmin
from sloproof.chaos.journal import read_events
from sloproof.chaos.run_lock import hold
from sloproof.prometheus import Prometheus
from sloproof.supervisor import Supervisor
from tests.integration.chaos_system import KEYS
from tests.integration.cli_runs import Workspace, eventually

pytestmark = pytest.mark.integration
OUTAGE = """
from sloproof import AbortRequests

outage = slow_backend.model_copy(
    update={"name": "outage", "faults": (AbortRequests(503, percent=100, at="2s", lasts="60s"),)}
)
"""


@pytest.fixture(scope="module")
def up(parts: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    workspace = Workspace(tmp_path_factory.mktemp("cli") / "slos", slow="60s", tail="60s")
    with (workspace.root / "chaos" / "tasks.py").open("a") as file:
        file.write(OUTAGE)
    try:
        done = workspace.run("lab", "up", "--for", "9m")
        assert done.returncode == 0, done.stderr
        yield workspace
    finally:
        assert workspace.run("lab", "down").returncode == 0
        assert workspace.marked() == []


@contextmanager
def limited(up: Workspace, *lines: str) -> Iterator[None]:
    """The workspace with limits of its own."""
    file = up.root / "pyproject.toml"
    before = file.read_text()
    file.write_text("\n".join((before, "[tool.sloproof.safety]", *lines, "")))
    try:
        yield
    finally:
        file.write_text(before)


def admin(up: Workspace) -> EnvoyAdmin:
    assert up.state is not None
    return EnvoyAdmin(up.state.envoy_admin)


def broken(up: Workspace) -> bool:
    return any(admin(up).overrides(KEYS).values())


def test_a_dry_run_prints_the_plan_and_the_predicted_spend_and_sends_nothing(up: Workspace) -> None:
    before = up.runs()
    done = up.run("chaos", "run", "slow-backend", "--dry-run")
    assert done.returncode == 0, done.stderr
    assert "1-delay-requests: delay 30 % of requests by 800ms for 1m" in done.stdout
    assert "by the watchdog at 1m17s at the latest" in done.stdout
    assert "up to 30 % of the requests, from 7s to 1m7s" in done.stdout
    assert "tasks/latency: 1.67 % of its error budget" in done.stdout
    assert "assumed:" in done.stdout
    assert up.runs() == before


def test_limits_refuse_a_run_before_anything_is_sent(up: Workspace) -> None:
    before, now = up.runs(), datetime.now(UTC)
    hours = f"{now + timedelta(hours=2):%H:%M}-{now + timedelta(hours=3):%H:%M}"
    for lines, said in (
        (('longest-fault = "10s"',), "lasts longer than 10s"),
        (("most-percent = 20",), "spoils more than 20 % of the requests"),
        (('most-spend = "0.5"',), "it will probably spend 1.67 % of the budget of `tasks/latency`"),
        ((f'hours = "{hours}"', 'time-zone = "UTC"'), f"begin and end within {hours}"),
    ):
        with limited(up, *lines):
            done = up.run("chaos", "run", "slow-backend", "--yes")
            assert done.returncode == 5, done.stderr
            assert said in done.stderr
            assert up.run("chaos", "run", "slow-backend", "--dry-run").returncode == 5
    assert up.runs() == before


def test_a_second_run_on_one_system_is_refused_before_it_loads_anything(up: Workspace) -> None:
    history = up.run("history").stdout
    with hold(up.root / ".sloproof", "tasks"):
        done = up.run("chaos", "run", "slow-backend", "--yes")
    assert done.returncode == 5, done.stderr
    assert "a chaos run on `tasks` is already going on" in done.stderr
    assert not list((up.root / ".sloproof" / "runs").glob("*slow-backend/load"))
    assert up.run("history").stdout == history


def test_limits_that_do_not_load_are_named_with_their_place(up: Workspace) -> None:
    with limited(up, 'hours = "9 to 5"', 'time-zone = "UTC"'):
        done = up.run("chaos", "run", "slow-backend")
    assert done.returncode == 2
    assert "`9 to 5` is no stretch of hours" in done.stderr


def test_a_run_that_burns_too_fast_is_stopped_and_everything_is_put_back(up: Workspace) -> None:
    for _ in range(3):  # a busy machine can burn too fast before anything is injected
        before = up.runs()
        with limited(up, "most-burn = 3"):
            done = up.run("chaos", "run", "slow-backend")
        assert done.returncode == 4, done.stderr
        assert "`tasks/latency` burns" in done.stderr
        assert not broken(up)
        assert up.ledger.open_entries() == []
        (folder,) = [one for one in up.runs() if one not in before]
        kinds = [event.kind for event in read_events(folder)]
        if "injected" in kinds:
            assert kinds.index("injected") < kinds.index("guard_stopped") < kinds.index("undone")
            return
    pytest.fail("the guard never waited for the fault")


def test_what_the_budget_cannot_pay_for_is_refused(up: Workspace) -> None:
    assert eventually(lambda: "% is left" in up.run("chaos", "run", "slow-backend", "--dry-run").stdout, 90)
    before = up.runs()
    with limited(up, "lab-budget = true"):
        done = up.run("chaos", "run", "slow-backend")
    assert done.returncode == 5, done.stderr
    assert "it will probably spend 1.67 % of the budget of `tasks/latency`, and 0 % is left" in done.stderr
    assert "--over-budget" in done.stderr
    assert up.runs() == before


def test_a_run_that_spends_more_than_was_predicted_is_stopped(up: Workspace) -> None:
    with limited(up, 'most-spend = "50"'):
        refused = up.run("chaos", "run", "outage")
        assert refused.returncode == 5
        assert "it will probably spend 278 % of the budget of `tasks/availability`" in refused.stderr
        done = up.run("chaos", "run", "outage", "--over-budget")
    assert done.returncode == 4, done.stderr
    assert "`tasks/availability` has spent" in done.stderr
    assert "the run may spend 50.00 %" in done.stderr
    assert not broken(up)


def test_a_guard_that_is_killed_ends_the_run(up: Workspace) -> None:
    with up.started("chaos", "run", "slow-backend") as command:
        command.wait_until(lambda: broken(up))
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error):
                words = process.cmdline()
                if "sloproof.chaos.spend_guard" in words and any(str(up.root) in word for word in words):
                    os.kill(process.pid, signal.SIGKILL)
        assert command.ended() == 4, command.said
        assert "the guard of the error budget ended by itself" in command.said
    assert not broken(up)


def test_a_guard_that_cannot_read_prometheus_ends_the_run(up: Workspace) -> None:
    assert up.state is not None
    supervisor, url = Supervisor(up.state.supervisor_socket), up.state.prometheus
    with up.started("chaos", "run", "slow-backend") as command:
        command.wait_until(lambda: broken(up))
        try:
            supervisor.stop("prometheus")
            assert command.ended() == 4, command.said
            assert "what is spent cannot be told" in command.said
            assert not broken(up)
            assert up.ledger.open_entries() == []
        finally:
            supervisor.start("prometheus")
    assert eventually(lambda: Prometheus(url).ready(), 20)
