"""Shapes: a plan's stages, and a locustfile's own, followed. Only in the generator process: it imports Locust."""

from collections.abc import Callable
from typing import Any

from locust import LoadTestShape

from sloproof.loadtests.asked_users import AskedUsers
from sloproof.loadtests.plan import LoadPlan
from sloproof.loadtests.user_stages import users_at


class Stages(LoadTestShape):
    """A plan's stages in Locust's own terms; Locust asks once a second.

    Args:
        plan: with stages.
    """

    def __init__(self, plan: LoadPlan) -> None:
        super().__init__()
        self._plan = plan

    def tick(self) -> tuple[int, float]:
        """How many users there must be, and how many start a second: all that are missing, at once."""
        return users_at(self._plan.stages, self.get_run_time()), float(self._plan.users)


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
