"""Runs the schedules of a workspace in one process: one run at a time on a system, and nothing is silently left out.

Each run is a process of its own, in a session of its own. What is missed, overlaps or is postponed is told and
written down; what was due while nobody was there is told at the next start.
"""

import json
import os
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import takewhile
from pathlib import Path
from typing import Literal, Protocol

from sloproof.chaos.schedule import Errand, Schedule
from sloproof.errors import PartFailed

POLL = 0.5
"""Seconds between two looks at the clock and at what runs."""
ASK_AGAIN = 30.0
"""Seconds between two questions whether what was postponed may begin."""
LONGEST_LOOK_BACK = timedelta(days=31)
"""Occurrences that were missed longer ago are not counted one by one."""
MEMORY = "schedule.json"
JOURNAL = "schedule.jsonl"

Kind = Literal["started", "finished", "missed", "overlapping", "postponed", "ended"]


class Running(Protocol):
    """A run that was started."""

    def poll(self) -> int | None:
        """Its exit code; None while it runs."""

    def end(self) -> None:
        """Ask it to end, and to put everything back first; returns at once."""


Start = Callable[[Schedule, Errand], Running]
HeldBack = Callable[[Schedule], str]
"""Why a schedule's errand may not begin now, such as the hour or a spent budget; empty when it may."""


@dataclass
class _Due:
    """An occurrence that waits for its turn."""

    schedule: Schedule
    at: datetime
    postponed: str = ""
    asked: float = float("-inf")


@dataclass
class _Run:
    """An occurrence that runs."""

    schedule: Schedule
    process: Running
    deadline: datetime
    ended: bool = False


@dataclass
class Daemon:
    """The schedules of a workspace, and what becomes of each.

    Args:
        schedules: what runs when.
        state: the workspace's own folder; the memory and the journal lie in it.
        start: starts a run.
        held_back: why an errand may not begin now.
        say: told a sentence for each event.
        now: the clock.
        sleep: waits so many seconds.
    """

    schedules: Sequence[Schedule]
    state: Path
    start: Start
    held_back: HeldBack
    say: Callable[[str], None]
    now: Callable[[], datetime] = field(default=lambda: datetime.now(UTC))
    sleep: Callable[[float], None] = time.sleep

    def __post_init__(self) -> None:
        self._waiting: list[_Due] = []
        self._running: list[_Run] = []
        self._next: dict[str, datetime] = {}

    def run(self, until: Callable[[], bool] = lambda: False) -> None:
        """Work until told to stop; whatever ends it, runs are ended first and waited for.

        Args:
            until: asked before each look.
        """
        try:
            self._remember_missed()
            for one in self.schedules:
                self.say(f"`{one.name}` is next due at {self._next[one.name]:%Y-%m-%d %H:%M %Z}")
            while not until():
                self.look()
                self.sleep(POLL)
        finally:
            self._end_all()

    def look(self) -> None:
        """Look once: what is due, what may begin, what is over."""
        now = self.now()
        for run in list(self._running):
            self._follow(run, now)
        for one in self.schedules:
            if self._due_at(one) <= now:
                self._take(one, now)
        for due in list(self._waiting):
            self._try(due, now)

    def _due_at(self, schedule: Schedule) -> datetime:
        if schedule.name not in self._next:
            self._next[schedule.name] = next(schedule.after(self.now()))
        return self._next[schedule.name]

    def _take(self, schedule: Schedule, now: datetime) -> None:
        """Every time that has come since the last look; a clock that jumps makes more than one."""
        times = list(takewhile(lambda at: at <= now, schedule.after(self._next[schedule.name])))
        due = [self._next[schedule.name], *times]
        self._next[schedule.name] = next(schedule.after(due[-1]))
        for at in due[:-1]:
            self._tell("missed", schedule, at, "the machine slept or its clock jumped")
        if any(run.schedule.name == schedule.name for run in self._running):
            self._tell("overlapping", schedule, due[-1], "the run before is still going; not started")
        else:
            self._waiting.append(_Due(schedule, due[-1]))
        self._keep()

    def _try(self, due: _Due, now: datetime) -> None:
        if now - due.at > due.schedule.late:
            self._waiting.remove(due)
            self._keep()
            reason = due.postponed or "another run had the system, or nobody looked in time"
            self._tell("missed", due.schedule, due.at, reason)
            return
        if any(run.schedule.system == due.schedule.system for run in self._running):
            return
        if now.timestamp() - due.asked < ASK_AGAIN:
            return
        due.asked = now.timestamp()
        why_not = self.held_back(due.schedule)
        if why_not:
            if not due.postponed:
                self._tell("postponed", due.schedule, due.at, why_not)
            due.postponed = why_not
            return
        self._waiting.remove(due)
        self._begin(due, now)
        self._keep()

    def _begin(self, due: _Due, now: datetime) -> None:
        try:
            process = self.start(due.schedule, due.schedule.errand)
        except (OSError, PartFailed) as error:
            self._tell("missed", due.schedule, due.at, f"it could not be started: {error}")
            return
        self._running.append(_Run(due.schedule, process, now + due.schedule.deadline))
        self._tell("started", due.schedule, due.at, f"`sloproof {' '.join(due.schedule.errand.run)}`")

    def _follow(self, run: _Run, now: datetime) -> None:
        code = run.process.poll()
        if code is not None:
            self._running.remove(run)
            self._tell("finished", run.schedule, now, f"exit code {code}", code=code)
        elif now >= run.deadline and not run.ended:
            run.ended = True
            self._tell("ended", run.schedule, now, "its deadline has passed")
            run.process.end()

    def _end_all(self) -> None:
        for run in self._running:
            self._tell("ended", run.schedule, self.now(), "the daemon stops")
            run.process.end()
        while self._running:
            for run in list(self._running):
                self._follow(run, self.now())
            if self._running:
                self.sleep(POLL)
        for due in self._waiting:
            self._tell("missed", due.schedule, due.at, "the daemon stops")
        if self._waiting:
            self._waiting.clear()
            self._keep()

    def _remember_missed(self) -> None:
        """Tell what was due while no daemon ran."""
        now, known = self.now(), self._known()
        for one in self.schedules:
            since = known.get(one.name)
            self._next[one.name] = next(one.after(now))
            if since is None:
                continue
            begin = max(since, now - LONGEST_LOOK_BACK)
            missed = list(takewhile(lambda at: at <= now, one.after(begin)))
            if missed:
                reason = f"no daemon ran; {len(missed)} time{'s' if len(missed) > 1 else ''} since {missed[0]:%F %H:%M}"
                self._tell("missed", one, missed[-1], reason)
        self._keep()

    def _known(self) -> Mapping[str, datetime]:
        """The last time each schedule was looked after."""
        try:
            kept = json.loads((self.state / MEMORY).read_text(encoding="utf-8"))
            return {name: datetime.fromtimestamp(float(at), UTC) for name, at in kept.items()}
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, AttributeError, TypeError):
            self.say(f"`{self.state / MEMORY}` cannot be read, so nobody knows what was missed before")
            return {}

    def _keep(self) -> None:
        """Write down how far each schedule was looked after; what waits for its turn was not."""
        now = self.now().timestamp()
        since = {one.name: now for one in self.schedules}
        since |= {due.schedule.name: due.at.timestamp() - 1 for due in reversed(self._waiting)}
        temporary = self.state / f".{MEMORY}.{os.getpid()}"
        try:
            temporary.write_text(json.dumps(since), encoding="utf-8")
            temporary.replace(self.state / MEMORY)
        except OSError as error:
            self.say(f"`{self.state / MEMORY}` cannot be written: {error}")

    def _tell(self, kind: Kind, schedule: Schedule, at: datetime, detail: str, code: int | None = None) -> None:
        self.say(f"{self.now():%F %H:%M:%S} `{schedule.name}` {kind}: {detail} (due {at:%F %H:%M})")
        event = {
            "at": self.now().timestamp(),
            "schedule": schedule.name,
            "kind": kind,
            "due": at.timestamp(),
            "detail": detail,
            **({"exit_code": code} if code is not None else {}),
        }
        with suppress(OSError), (self.state / JOURNAL).open("a", encoding="utf-8") as journal:
            journal.write(json.dumps(event) + "\n")
