"""Faults of one instance: paused, stopped in good order, restarted over and over, failing its health check."""

from datetime import timedelta
from typing import Any, ClassVar, Literal

from pydantic import field_validator

from sloproof.chaos.faults import RESTART_GRACE, Fault
from sloproof.definition import Length, Name, format_duration

SHORTEST_LOOP = timedelta(seconds=2)
"""A restart takes a second and more; kills that are closer only hit what has not begun."""


class InstanceFault(Fault):
    """A fault of one instance.

    Args:
        instance: the instance's name in the lab, such as `a1`.
    """

    instance: Name
    actions: ClassVar[str] = "sloproof.chaos.extension.instance_actions"

    def __init__(self, instance: str, **others: Any) -> None:
        super().__init__(**{"instance": instance, **others})

    @property
    def place(self) -> str:
        """The instance."""
        return f"instance {self.instance}"


class LastingInstanceFault(InstanceFault):
    """A fault of one instance that lasts until it is undone.

    Args:
        lasts: how long the fault stays.
    """

    lasts: Length

    @property
    def length(self) -> timedelta:
        """How long it lasts."""
        return self.lasts

    def arguments(self) -> dict[str, str | float]:
        """The instance, and the length in seconds."""
        return {"instance": self.instance, "lasts": self.lasts.total_seconds()}


class PauseInstance(LastingInstanceFault):
    """SIGSTOP to one instance: its connections stay open and nothing answers; SIGCONT lets it go on.

    Args:
        lasts: how long it is stopped.
    """

    kind: Literal["pause-instance"] = "pause-instance"
    needs: ClassVar[tuple[str, ...]] = ("instances", "supervisor_socket", "envoy_admin")
    blast_radius: ClassVar[str] = "one instance; requests that it holds wait, and later ones until it is taken out"

    def __init__(self, instance: str, **others: Any) -> None:
        super().__init__(**{"instance": instance, **others})

    @property
    def action(self) -> str:
        """The extension's function."""
        return "pause_instance"

    def describe(self) -> str:
        """What happens, in a sentence."""
        return f"pause `{self.instance}` with SIGSTOP for {format_duration(self.lasts)}"


class StopInstance(InstanceFault):
    """One instance is asked to end in good order, as a deployment does it, and is started again after a while.

    Args:
        back_after: how long it stays away.
    """

    kind: Literal["stop-instance"] = "stop-instance"
    back_after: Length
    grace: ClassVar[timedelta] = RESTART_GRACE
    waits: ClassVar[bool] = True
    needs: ClassVar[tuple[str, ...]] = ("instances", "supervisor_socket", "restart_delay_folder", "envoy_admin")
    blast_radius: ClassVar[str] = "one instance; requests that it has begun may end"

    def __init__(self, instance: str, **others: Any) -> None:
        super().__init__(**{"instance": instance, **others})

    @property
    def length(self) -> timedelta:
        """How long the instance stays away."""
        return self.back_after

    @property
    def action(self) -> str:
        """The extension's function."""
        return "stop_instance"

    def arguments(self) -> dict[str, str | float]:
        """The instance, and the seconds that it stays away."""
        return {"instance": self.instance, "back_after": self.back_after.total_seconds()}

    def describe(self) -> str:
        """What happens, in a sentence."""
        return f"stop `{self.instance}` with SIGTERM and start it again after {format_duration(self.back_after)}"


class RestartLoop(LastingInstanceFault):
    """One instance is killed again and again, as by a crash loop; its supervisor starts it each time.

    Args:
        every: time between two kills, at least two seconds.
        lasts: how long that goes on.
    """

    kind: Literal["restart-loop"] = "restart-loop"
    every: Length
    grace: ClassVar[timedelta] = RESTART_GRACE
    waits: ClassVar[bool] = True
    needs: ClassVar[tuple[str, ...]] = ("instances", "supervisor_socket", "restart_delay_folder", "envoy_admin")
    blast_radius: ClassVar[str] = "one instance, over and over"

    def __init__(self, instance: str, **others: Any) -> None:
        super().__init__(**{"instance": instance, **others})

    @field_validator("every")
    @classmethod
    def _leaves_time_to_start(cls, every: timedelta) -> timedelta:
        if every < SHORTEST_LOOP:
            raise ValueError(f"`{format_duration(every)}` between two kills leaves no time to start; at least `2s`")
        return every

    @property
    def action(self) -> str:
        """The extension's function."""
        return "restart_loop"

    def arguments(self) -> dict[str, str | float]:
        """The instance, and in seconds the time between two kills and the length."""
        return {**super().arguments(), "every": self.every.total_seconds()}

    def describe(self) -> str:
        """What happens, in a sentence."""
        every, lasts = format_duration(self.every), format_duration(self.lasts)
        return f"kill `{self.instance}` every {every} for {lasts}"


class FailHealthCheck(LastingInstanceFault):
    """One instance fails its health check while it goes on serving.

    Args:
        lasts: how long the check fails.
    """

    kind: Literal["fail-health-check"] = "fail-health-check"
    needs: ClassVar[tuple[str, ...]] = ("instances", "supervisor_socket", "envoy_admin", "folder")
    blast_radius: ClassVar[str] = "one instance: it serves, and is taken out by whoever goes by its health check"

    def __init__(self, instance: str, **others: Any) -> None:
        super().__init__(**{"instance": instance, **others})

    @property
    def action(self) -> str:
        """The extension's function."""
        return "fail_health_check"

    def describe(self) -> str:
        """What happens, in a sentence."""
        return f"let `{self.instance}` fail its health check for {format_duration(self.lasts)} while it serves"
