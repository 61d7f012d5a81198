"""Locust's users as a pool that works off arrivals. Only in the generator process: it imports Locust.

A locustfile stays as it is: its users start, and from then on each task waits for an arrival instead of the user's
own wait time. The latency of the first request of a task counts from the time the arrival was due, so that neither a
stalled target nor a pool without a free user hides a wait.
"""

from collections import deque
from collections.abc import Callable, Iterator
from typing import Any, Protocol

import gevent
from gevent.event import Event
from locust.exception import StopUser
from locust.user.task import LOCUST_STATE_RUNNING, LOCUST_STATE_STOPPING, LOCUST_STATE_WAITING, DefaultTaskSet, TaskSet

_DUE = "sloproof_due"


class Clock(Protocol):
    """Something that knows the time."""

    def clock(self) -> float:
        """The epoch second."""
        ...


class Pool:
    """Deals arrivals out to users, each to the first user that is free.

    A free user takes the next arrival and sleeps until it is due: a process that woke up for each arrival to hand it
    on would cost as much as the request.

    Args:
        times: seconds from the beginning, in order.
        clock: told the time by.
    """

    def __init__(self, times: Iterator[float], clock: Clock) -> None:
        self._times = times
        self._clock = clock
        self._begun = 0.0
        self._open = Event()
        self._overdue: deque[float] = deque()
        self._ahead: float | None = None
        self._slept_for: dict[gevent.Greenlet, float] = {}

    def install(self) -> None:
        """Let tasks wait for arrivals from now on."""
        for task_set in (TaskSet, DefaultTaskSet):
            setattr(task_set, "execute_task", self._upon_arrival(task_set.execute_task))  # noqa: B010 Locust has no other way in
        setattr(TaskSet, "wait", _go_on)  # noqa: B010

    def begin(self, begun: float) -> None:
        """Let everything arrive at its time.

        Args:
            begun: epoch second of the beginning.
        """
        self._begun = begun
        self._open.set()

    @property
    def unserved(self) -> int:
        """Arrivals that are due and wait for a free user."""
        self._look_until(self._clock.clock())
        return len(self._overdue)

    def drop(self, until: float) -> Iterator[float]:
        """The times at which those were due that no user took, as they leave; after `until` none was asked for."""
        self._look_until(until)
        woken_too_late = [due for due in self._slept_for.values() if due <= until]
        yield from sorted([*woken_too_late, *(due for due in self._overdue if due <= until)])
        self._overdue.clear()
        self._slept_for.clear()

    def _look_until(self, now: float) -> None:
        if self._begun:
            while (due := self._draw()) is not None and due <= now:
                self._overdue.append(due)
            self._ahead = due

    def _draw(self) -> float | None:
        """When the next arrival is due; None after the last."""
        due, self._ahead = self._ahead, None
        if due is None:
            offset = next(self._times, None)
            due = None if offset is None else self._begun + offset
        return due

    def _next(self) -> float:
        """When the next arrival is due; waits for it, and after the last for the end of the load."""
        if not self._begun:
            self._open.wait()
        due = self._overdue.popleft() if self._overdue else self._draw()
        if due is None:
            Event().wait()
            raise StopUser
        ahead = due - self._clock.clock()
        if ahead > 0:
            current = gevent.getcurrent()
            self._slept_for[current] = due
            gevent.sleep(ahead)
            del self._slept_for[current]
        return due

    def _upon_arrival(self, original: Callable[..., Any]) -> Callable[..., Any]:
        def execute_task(task_set: TaskSet, task: Any) -> None:
            if isinstance(task, type) and issubclass(task, TaskSet):
                original(task_set, task)  # its own tasks wait
                return
            user = task_set.user
            user._state = LOCUST_STATE_WAITING
            setattr(gevent.getcurrent(), _DUE, self._next())
            user._state = LOCUST_STATE_RUNNING
            try:
                original(task_set, task)
            finally:
                take_due()

        return execute_task


def take_due() -> float | None:
    """When the arrival was due that this greenlet works off; None for all but the first request of a task."""
    current = gevent.getcurrent()
    due: float | None = getattr(current, _DUE, None)
    if due is not None:
        setattr(current, _DUE, None)
    return due


def _go_on(task_set: TaskSet) -> None:
    if task_set.user._state == LOCUST_STATE_STOPPING:
        raise StopUser
