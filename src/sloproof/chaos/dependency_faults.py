"""What can happen to a dependency itself: an outage, a restart, a cache that has lost everything."""

from datetime import timedelta
from typing import Any, ClassVar, Literal

from sloproof.chaos.faults import RESTART_GRACE, Fault
from sloproof.definition import Length, Name, format_duration


class DependencyFault(Fault):
    """A fault of one dependency.

    Args:
        dependency: its name in the lab, such as `postgres`.
    """

    dependency: Name
    actions: ClassVar[str] = "sloproof.chaos.extension.dependency_actions"
    needs: ClassVar[tuple[str, ...]] = ("supervisor_socket", "restart_delay_folder", "dependencies")
    blast_radius: ClassVar[str] = "one dependency, and whatever every instance asks of it"

    @property
    def place(self) -> str:
        """The dependency."""
        return f"dependency {self.dependency}"


class LoseDependency(DependencyFault):
    """A dependency is stopped, and stays away until it is started again.

    Args:
        lasts: how long it stays away, its own start not counted.
    """

    kind: Literal["lose-dependency"] = "lose-dependency"
    lasts: Length
    grace: ClassVar[timedelta] = RESTART_GRACE
    waits: ClassVar[bool] = True

    def __init__(self, dependency: str, **others: Any) -> None:
        super().__init__(**{"dependency": dependency, **others})

    @property
    def length(self) -> timedelta:
        """How long it stays away."""
        return self.lasts

    @property
    def action(self) -> str:
        """The extension's function."""
        return "lose_dependency"

    def arguments(self) -> dict[str, str | float]:
        """The dependency, and the seconds that it stays away."""
        return {"dependency": self.dependency, "lasts": self.lasts.total_seconds()}

    def describe(self) -> str:
        """What happens, in a sentence."""
        return f"stop `{self.dependency}` and start it again after {format_duration(self.lasts)}"


class RestartDependency(DependencyFault):
    """A dependency ends in good order and is started again by its supervisor.

    Args:
        back_after: how long it stays away before its supervisor starts it, its own start not counted.
    """

    kind: Literal["restart-dependency"] = "restart-dependency"
    back_after: Length
    grace: ClassVar[timedelta] = RESTART_GRACE
    waits: ClassVar[bool] = True

    def __init__(self, dependency: str, **others: Any) -> None:
        super().__init__(**{"dependency": dependency, **others})

    @property
    def length(self) -> timedelta:
        """How long it stays away."""
        return self.back_after

    @property
    def action(self) -> str:
        """The extension's function."""
        return "restart_dependency"

    def arguments(self) -> dict[str, str | float]:
        """The dependency, and the seconds that it stays away."""
        return {"dependency": self.dependency, "back_after": self.back_after.total_seconds()}

    def describe(self) -> str:
        """What happens, in a sentence."""
        away = format_duration(self.back_after)
        return f"restart `{self.dependency}` in good order; it comes back by itself after {away}"


class FlushCache(DependencyFault):
    """A cache loses everything that it holds; nothing puts that back but the requests that follow.

    Args:
        lasts: how long the run watches a cold cache before it calls the fault over.
    """

    kind: Literal["flush-cache"] = "flush-cache"
    lasts: Length = timedelta(seconds=5)
    blast_radius: ClassVar[str] = "what one cache holds; requests are slower until it is warm"

    def __init__(self, dependency: str, **others: Any) -> None:
        super().__init__(**{"dependency": dependency, **others})

    @property
    def length(self) -> timedelta:
        """How long the cache is watched."""
        return self.lasts

    @property
    def action(self) -> str:
        """The extension's function."""
        return "flush_cache"

    def arguments(self) -> dict[str, str | float]:
        """The cache, and the seconds that it is watched."""
        return {"dependency": self.dependency, "lasts": self.lasts.total_seconds()}

    def describe(self) -> str:
        """What happens, in a sentence."""
        return f"let the cache `{self.dependency}` lose everything that it holds"
