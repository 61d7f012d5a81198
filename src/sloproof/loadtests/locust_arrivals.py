"""Locust's users as a pool that works off arrivals. Only in the generator process: it imports Locust.

A locustfile stays as it is: its users start, and from then on each task waits for an arrival instead of the user's
own wait time. The latency of the first request of a task counts from the time the arrival was due, so that neither a
stalled target nor a pool without a free user hides a wait.
"""

from collections.abc import Callable, Iterator
from typing import Any, Protocol

import gevent
from gevent.queue import SimpleQueue
from locust.exception import StopUser
from locust.user.task import LOCUST_STATE_RUNNING, LOCUST_STATE_STOPPING, LOCUST_STATE_WAITING, DefaultTaskSet, TaskSet

_DUE = "sloproof_due"


class Clock(Protocol):
    """Something that knows the time."""

    def clock(self) -> float:
        """The epoch second."""
        ...


class Pool:
    """Hands arrivals to users.

    Args:
        times: seconds from the beginning, in order.
        clock: told the time by.
    """

    def __init__(self, times: Iterator[float], clock: Clock) -> None:
        self._times = times
        self._clock = clock
        self._waiting: SimpleQueue[float] = SimpleQueue()
        self._idle = 0
        self.over = False

    def install(self) -> None:
        """Let tasks wait for arrivals from now on."""
        for task_set in (TaskSet, DefaultTaskSet):
            setattr(task_set, "execute_task", self._upon_arrival(task_set.execute_task))  # noqa: B010 Locust has no other way in
        setattr(TaskSet, "wait", _go_on)  # noqa: B010

    def run(self, begun: float) -> None:
        """Let everything arrive at its time.

        Args:
            begun: epoch second of the beginning.
        """
        for offset in self._times:
            due = begun + offset
            ahead = due - self._clock.clock()
            if ahead > 0:
                gevent.sleep(ahead)
            self._waiting.put(due)
        self.over = True

    @property
    def unserved(self) -> int:
        """Arrivals that wait for a free user; one that an idle user is about to take does not wait for any."""
        return max(0, int(self._waiting.qsize()) - self._idle)

    def drop(self, until: float) -> Iterator[float]:
        """The times at which those were due that no user took, as they leave; after `until` none was asked for."""
        while self._waiting.qsize():
            due = float(self._waiting.get_nowait())
            if due <= until:
                yield due

    def _next(self) -> float:
        """When the next arrival is due; waits for it."""
        self._idle += 1
        try:
            return float(self._waiting.get())
        finally:
            self._idle -= 1

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
    setattr(current, _DUE, None)
    return due


def _go_on(task_set: TaskSet) -> None:
    if task_set.user._state == LOCUST_STATE_STOPPING:
        raise StopUser
