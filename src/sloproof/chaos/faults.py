"""What can be broken: each fault says when, for how long, what it needs and how many requests it spoils."""

from abc import abstractmethod
from datetime import timedelta
from decimal import Decimal
from http import HTTPStatus
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from sloproof.definition import Definition, Duration, Length, Name, exact, format_duration

GRACE = timedelta(seconds=10)
"""How long after its planned end a fault may stay before the watchdog ends it."""

RESTART_GRACE = timedelta(seconds=30)
"""The same for a killed instance, which also has to start and to be found healthy."""


Share = Annotated[Decimal, exact("percentage"), Field(gt=0, le=100, max_digits=7, decimal_places=4)]
"""A percentage above 0, up to 100, with at most four decimals, which is as fine as Envoy's dice are."""


class Fault(Definition):
    """Something broken on purpose, for a stated time, counted from the start of the run.

    Args:
        at: when it begins, after the start of the run.

    Attributes:
        grace: how long after its planned end the watchdog lets it be.
        needs: fields of the lab's state that it takes hold of.
        waits: its end is not at once; something has to come back by itself.
        blast_radius: what it can touch at most, in plain words.
        actions: the module of the Chaos Toolkit extension that has its action.
    """

    at: Duration
    grace: ClassVar[timedelta] = GRACE
    needs: ClassVar[tuple[str, ...]] = ()
    waits: ClassVar[bool] = False
    blast_radius: ClassVar[str] = ""
    actions: ClassVar[str] = "sloproof.chaos.extension.actions"

    @property
    @abstractmethod
    def length(self) -> timedelta:
        """How long it lasts."""

    @property
    @abstractmethod
    def place(self) -> str:
        """What it takes hold of; two faults in one place may not overlap."""

    @property
    @abstractmethod
    def action(self) -> str:
        """The function of the Chaos Toolkit extension that injects it."""

    @abstractmethod
    def arguments(self) -> dict[str, str | float]:
        """What that function needs besides its name and its beginning."""

    @abstractmethod
    def describe(self) -> str:
        """One plain sentence on what happens, without a full stop."""

    @property
    def end(self) -> timedelta:
        """When it is over, after the start of the run."""
        return self.at + self.length

    @property
    def bad_ratio(self) -> Decimal | None:
        """The share of requests it spoils while it lasts, ratio of 1; None when nobody can know before."""
        return None


class KillInstance(Fault):
    """SIGKILL to one instance; its supervisor starts it again after a while.

    Args:
        instance: the instance's name in the lab, such as `a1`.
        back_after: how long it stays away.
    """

    kind: Literal["kill-instance"] = "kill-instance"
    instance: Name
    back_after: Length
    grace: ClassVar[timedelta] = RESTART_GRACE
    needs: ClassVar[tuple[str, ...]] = ("instances", "supervisor_socket", "restart_delay_folder", "envoy_admin")
    waits: ClassVar[bool] = True
    blast_radius: ClassVar[str] = "one instance; requests that it holds are lost"

    def __init__(self, instance: str, **others: Any) -> None:
        super().__init__(**{"instance": instance, **others})

    @property
    def length(self) -> timedelta:
        """How long the instance stays away."""
        return self.back_after

    @property
    def place(self) -> str:
        """The instance."""
        return f"instance {self.instance}"

    @property
    def action(self) -> str:
        """The extension's function."""
        return "kill_instance"

    def arguments(self) -> dict[str, str | float]:
        """The instance, and the seconds that it stays away."""
        return {"instance": self.instance, "back_after": self.back_after.total_seconds()}

    def describe(self) -> str:
        """What happens, in a sentence."""
        return f"kill `{self.instance}` with SIGKILL and let it come back after {format_duration(self.back_after)}"


class DelayRequests(Fault):
    """The balancer holds a share of the requests back before it passes them on.

    Args:
        delay: how long each of them waits.
        percent: how many of all requests, per cent, as text or a whole number.
        lasts: how long the fault stays.
    """

    kind: Literal["delay-requests"] = "delay-requests"
    delay: Length
    percent: Share
    lasts: Length
    needs: ClassVar[tuple[str, ...]] = ("envoy_admin",)
    blast_radius: ClassVar[str] = "a percentage of what passes the balancer"

    def __init__(self, delay: str | timedelta, **others: Any) -> None:
        super().__init__(**{"delay": delay, **others})

    @property
    def length(self) -> timedelta:
        """How long it lasts."""
        return self.lasts

    @property
    def place(self) -> str:
        """The delay half of the balancer's fault filter."""
        return "delay at the balancer"

    @property
    def action(self) -> str:
        """The extension's function."""
        return "delay_requests"

    def arguments(self) -> dict[str, str | float]:
        """Whole milliseconds, the percentage as text, so that it stays exact, and the length in seconds."""
        milliseconds = round(self.delay / timedelta(milliseconds=1))
        return {"milliseconds": milliseconds, "percent": plain(self.percent), "lasts": self.lasts.total_seconds()}

    def describe(self) -> str:
        """What happens, in a sentence."""
        delay, lasts = format_duration(self.delay), format_duration(self.lasts)
        return f"delay {plain(self.percent)} % of requests by {delay} for {lasts}"

    @property
    def bad_ratio(self) -> Decimal | None:
        """The delayed share, which is bad wherever the delay alone is longer than the threshold."""
        return self.percent / 100


class AbortRequests(Fault):
    """The balancer answers a share of the requests itself, with an error.

    Args:
        status: the HTTP status of those answers, 400 to 599.
        percent: how many of all requests, per cent, as text or a whole number.
        lasts: how long the fault stays.
    """

    kind: Literal["abort-requests"] = "abort-requests"
    status: int = Field(ge=400, le=599)
    percent: Share
    lasts: Length
    needs: ClassVar[tuple[str, ...]] = ("envoy_admin",)
    blast_radius: ClassVar[str] = "a percentage of what passes the balancer"

    def __init__(self, status: int, **others: Any) -> None:
        super().__init__(**{"status": status, **others})

    @property
    def length(self) -> timedelta:
        """How long it lasts."""
        return self.lasts

    @property
    def place(self) -> str:
        """The abort half of the balancer's fault filter."""
        return "abort at the balancer"

    @property
    def action(self) -> str:
        """The extension's function."""
        return "abort_requests"

    def arguments(self) -> dict[str, str | float]:
        """The status, the percentage as text, so that it stays exact, and the length in seconds."""
        return {"status": self.status, "percent": plain(self.percent), "lasts": self.lasts.total_seconds()}

    def describe(self) -> str:
        """What happens, in a sentence."""
        return f"answer {plain(self.percent)} % of requests with {self.status} for {format_duration(self.lasts)}"

    @property
    def bad_ratio(self) -> Decimal | None:
        """The aborted share; None below 500, where an answer is no server error."""
        return self.percent / 100 if self.status >= HTTPStatus.INTERNAL_SERVER_ERROR else None


def plain(number: Decimal) -> str:
    """A decimal without an exponent and without trailing zeros: `30`, `1.44`."""
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
