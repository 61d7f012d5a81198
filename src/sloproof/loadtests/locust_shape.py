"""A locustfile's own LoadTestShape, followed while it runs. Only in the generator process: it imports Locust."""

from collections.abc import Callable
from typing import Any

from locust import LoadTestShape

from sloproof.loadtests.asked_users import AskedUsers


class FollowedShape:
    """Hears what a shape asks for, without changing it.

    Args:
        shape: the shape; its `tick` is wrapped.
        clock: the epoch second.
    """

    def __init__(self, shape: LoadTestShape, clock: Callable[[], float]) -> None:
        self.name = type(shape).__name__
        self.over = False
        self.failure = ""
        self.asked = AskedUsers()
        self._original = shape.tick
        self._latest: Any = None
        self._clock = clock
        setattr(shape, "tick", self._tick)  # noqa: B010 a method is replaced on purpose

    def _tick(self) -> Any:
        try:
            asked = self._original()
        except Exception as error:
            self.failure = f"the shape `{self.name}` raised {type(error).__name__}: {error}"
            raise
        if asked is None:
            self.over = True
        elif asked != self._latest:
            self.asked.change(self._clock(), asked[0], float(asked[1]))
        self._latest = asked
        return asked
