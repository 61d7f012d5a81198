"""What a daemon does with runs that are due, late, overlapping, postponed or too long."""

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from sloproof.chaos.daemon import Daemon
from sloproof.chaos.schedule import Drill, Errand, Schedule
from sloproof.slo import SLO, ErrorRatio, Service

AVAILABILITY = SLO(
    service=Service(name="tasks", owner="team", job="api"),
    name="availability",
    objective="99.9",
    sli=ErrorRatio(errors='requests_total{code="500"}', total="requests_total"),
)
MIDNIGHT = datetime(2026, 11, 23, tzinfo=UTC)


def schedule(name: str = "hourly", cron: str = "0 * * * *", **changes: Any) -> Schedule:
    return Schedule(**{"name": name, "cron": cron, "run": Drill(AVAILABILITY), **changes})


@dataclass
class Process:
    """A run that ends when the test says so."""

    code: int | None = None
    asked_to_end: bool = False

    def poll(self) -> int | None:
        return self.code

    def end(self) -> None:
        self.asked_to_end = True
        self.code = 143


@dataclass
class World:
    """A clock that the test moves, and what the daemon did."""

    state: Path
    clock: datetime = MIDNIGHT - timedelta(minutes=1)
    why_not: str = ""
    started: list[tuple[str, Process]] = field(default_factory=list)
    said: list[str] = field(default_factory=list)

    def daemon(self, *schedules: Schedule) -> Daemon:
        return Daemon(
            schedules,
            self.state,
            start=self._start,
            held_back=lambda schedule: self.why_not,
            say=self.said.append,
            now=lambda: self.clock,
            sleep=lambda seconds: None,
        )

    def _start(self, one: Schedule, errand: Errand) -> Process:
        process = Process()
        self.started.append((one.name, process))
        return process

    def look(self, daemon: Daemon, minutes: float) -> None:
        self.clock += timedelta(minutes=minutes)
        daemon.look()

    @property
    def kinds(self) -> list[str]:
        journal = self.state / "schedule.jsonl"
        return [json.loads(line)["kind"] for line in journal.read_text().splitlines()] if journal.exists() else []


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_a_run_begins_when_it_is_due_and_not_before(world: World) -> None:
    daemon = world.daemon(schedule())
    daemon.look()
    world.look(daemon, 0.5)
    assert world.started == []
    world.look(daemon, 0.5)
    assert [name for name, _ in world.started] == ["hourly"]
    world.started[0][1].code = 0
    world.look(daemon, 1)
    assert world.kinds == ["started", "finished"]


def test_a_run_does_not_begin_while_the_one_before_goes_on(world: World) -> None:
    daemon = world.daemon(schedule(deadline="3h"))
    daemon.look()
    world.look(daemon, 1)
    world.look(daemon, 60)
    assert len(world.started) == 1
    assert world.kinds == ["started", "overlapping"]


def test_two_runs_on_one_system_follow_each_other(world: World) -> None:
    daemon = world.daemon(schedule("one"), schedule("two"))
    daemon.look()
    world.look(daemon, 1)
    assert [name for name, _ in world.started] == ["one"]
    world.started[0][1].code = 0
    world.look(daemon, 1)
    assert [name for name, _ in world.started] == ["one", "two"]


def test_a_run_that_waits_too_long_for_the_system_is_missed(world: World) -> None:
    daemon = world.daemon(schedule("one"), schedule("two", late="10m"))
    daemon.look()
    world.look(daemon, 1)
    world.look(daemon, 11)
    assert world.kinds == ["started", "missed"]
    assert "another run had the system" in world.said[-1]


def test_a_spent_budget_postpones_a_run_until_it_is_paid_for(world: World) -> None:
    daemon = world.daemon(schedule(late="30m"))
    world.why_not = "the budget of `tasks/availability` is spent"
    daemon.look()
    world.look(daemon, 1)
    world.look(daemon, 5)
    assert (world.kinds, world.started) == (["postponed"], [])
    world.why_not = ""
    world.look(daemon, 1)
    assert world.kinds == ["postponed", "started"]


def test_a_budget_that_stays_spent_makes_a_run_missed(world: World) -> None:
    daemon = world.daemon(schedule(late="10m"))
    world.why_not = "the budget of `tasks/availability` is spent"
    daemon.look()
    world.look(daemon, 1)
    world.look(daemon, 11)
    assert world.kinds == ["postponed", "missed"]
    assert "budget of `tasks/availability` is spent" in world.said[-1]


def test_a_run_past_its_deadline_is_asked_to_end_once(world: World) -> None:
    daemon = world.daemon(schedule(deadline="30m"))
    daemon.look()
    world.look(daemon, 1)
    world.look(daemon, 31)
    assert world.started[0][1].asked_to_end
    world.look(daemon, 1)
    assert world.kinds == ["started", "ended", "finished"]


def test_a_clock_that_jumps_reports_what_it_jumped_over(world: World) -> None:
    daemon = world.daemon(schedule())
    daemon.look()
    world.look(daemon, 1 + 3 * 60)
    assert world.kinds == ["missed", "missed", "missed", "started"]


def test_what_was_due_while_no_daemon_ran_is_reported_and_not_made_up_for(world: World) -> None:
    world.daemon(schedule()).run(until=lambda: True)
    world.clock += timedelta(hours=5)
    world.daemon(schedule()).run(until=lambda: True)
    assert (world.kinds, world.started) == (["missed"], [])
    assert any("no daemon ran; 5 times since 2026-11-23 00:00" in line for line in world.said)


def test_what_waited_when_a_daemon_was_killed_is_reported_by_the_next_one(world: World) -> None:
    world.why_not = "the budget of `tasks/availability` is spent"
    killed = world.daemon(schedule())
    killed.look()
    world.look(killed, 2)
    world.clock += timedelta(minutes=30)
    world.daemon(schedule()).run(until=lambda: True)
    assert (world.kinds, world.started) == (["postponed", "missed"], [])


@pytest.mark.parametrize("begun", [True, False])
def test_what_began_or_was_missed_is_not_reported_again(world: World, begun: bool) -> None:
    world.why_not = "" if begun else "the budget of `tasks/availability` is spent"
    killed = world.daemon(schedule())
    killed.look()
    world.look(killed, 2)
    world.look(killed, 15)
    before = list(world.kinds)
    world.daemon(schedule()).run(until=lambda: True)
    assert world.kinds == before == (["started"] if begun else ["postponed", "missed"])


def test_a_daemon_that_stops_ends_what_runs_and_waits_for_it(world: World) -> None:
    daemon = world.daemon(schedule())
    looks = iter([False, False, True])

    def until() -> bool:
        world.clock += timedelta(minutes=1)
        return next(looks)

    daemon.run(until)
    assert world.started[0][1].asked_to_end
    assert world.kinds == ["started", "ended", "finished"]
