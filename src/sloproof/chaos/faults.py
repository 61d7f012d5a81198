"""What can be broken: each fault says when, for how long, what it needs and how many requests it spoils."""

from abc import abstractmethod
from datetime import timedelta
from decimal import Decimal
from http import HTTPStatus
from typing import Annotated, Any, ClassVar, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, model_validator

from sloproof.definition import Definition, Duration, Length, Name, exact, format_duration

GRACE = timedelta(seconds=10)
"""How long after its planned end a fault may stay before the watchdog ends it."""

RESTART_GRACE = timedelta(seconds=30)
"""The same for a killed instance, which also has to start and to be found healthy."""


Share = Annotated[Decimal, exact("percentage"), Field(gt=0, le=100, max_digits=7, decimal_places=4)]
"""A percentage above 0, up to 100, with at most four decimals, which is as fine as Envoy's dice are."""


RUNTIME_KEYS = "fault.http"
"""How the runtime keys of Envoy's fault filter begin; those of one route go on with `.route.NAME`."""


def _admin_url(url: str) -> str:
    parts = urlsplit(url)
    if url and (parts.scheme != "http" or not parts.netloc or parts.path.strip("/") or parts.query):
        raise ValueError(f"`{url}` is no admin port of an Envoy; write it as `http://127.0.0.1:9901`")
    return url.rstrip("/")


class Fault(Definition):
    """Something broken on purpose, for a stated time, counted from the start of the run.

    Args:
        at: when it begins, after the start of the run.

    Attributes:
        grace: how long after its planned end the watchdog lets it be.
        needs: fields of the system's state that it takes hold of.
        waits: its end is not at once; something has to come back by itself.
        blast_radius: what it can touch at most, in plain words.
        actions: the module of the Chaos Toolkit extension that has its action.
    """

    at: Duration
    grace: ClassVar[timedelta] = GRACE
    waits: ClassVar[bool] = False
    needs: ClassVar[tuple[str, ...]] = ()
    blast_radius: ClassVar[str] = ""
    actions: ClassVar[str] = "sloproof.chaos.extension.actions"

    @property
    def required(self) -> tuple[str, ...]:
        """What it needs of the system's state, as it is defined."""
        return self.needs

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
    def parts(self) -> dict[str, str]:
        """The parts of its system that it names, by kind: `{"instance": "a1"}`."""
        named = {kind: getattr(self, kind, None) for kind in ("instance", "dependency")}
        return {kind: name for kind, name in named.items() if name}

    @property
    def addresses(self) -> tuple[str, ...]:
        """The URLs that it names itself, beside those of its system; each must be allowed."""
        return ()

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
    waits: ClassVar[bool] = True
    needs: ClassVar[tuple[str, ...]] = ("instances", "supervisor_socket", "restart_delay_folder", "envoy_admin")
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


class BalancerFault(Fault):
    """A fault that an Envoy's fault filter brings about.

    Args:
        percent: how many of all requests, per cent, as text or a whole number.
        lasts: how long the fault stays.
        route: only requests of this route, by the name that its runtime keys bear; empty for all.
        envoy: base URL of the admin port of an Envoy that is not the lab's balancer; empty for that one.
    """

    percent: Share
    lasts: Length
    route: Name | Literal[""] = ""
    envoy: Annotated[str, AfterValidator(_admin_url)] = ""
    needs: ClassVar[tuple[str, ...]] = ("envoy_admin",)
    blast_radius: ClassVar[str] = "a percentage of what passes the balancer, or of one route of it"

    @property
    def parts(self) -> dict[str, str]:
        """The route, where the lab's balancer has to have it."""
        return {"route": self.route} if self.route and not self.envoy else {}

    @property
    def addresses(self) -> tuple[str, ...]:
        """The admin port of another Envoy, where one is named."""
        return (self.envoy,) if self.envoy else ()

    @property
    def required(self) -> tuple[str, ...]:
        """The balancer, unless another Envoy is named."""
        return () if self.envoy else self.needs

    @property
    def length(self) -> timedelta:
        """How long it lasts."""
        return self.lasts

    @property
    def keys(self) -> str:
        """How its runtime keys begin."""
        return f"{RUNTIME_KEYS}.route.{self.route}" if self.route else RUNTIME_KEYS

    def _where(self) -> dict[str, str | float]:
        """The arguments that are not left out."""
        given: dict[str, str | float] = {"route": self.route, "envoy": self.envoy}
        return {name: value for name, value in given.items() if value}

    def _at(self) -> str:
        balancer = f"the Envoy at {self.envoy}" if self.envoy else "the balancer"
        return f"{balancer}, route {self.route}" if self.route else balancer

    def _requests(self) -> str:
        route = f" of `{self.route}`" if self.route else ""
        return f"{plain(self.percent)} % of requests{route}" + (f" at `{self.envoy}`" if self.envoy else "")


class DelayRequests(BalancerFault):
    """The balancer holds a share of the requests back before it passes them on.

    Args:
        delay: how long each of them waits.
        percent: how many of all requests, per cent, as text or a whole number.
        lasts: how long the fault stays.
        jitter: by how much the delay goes up and down, evenly, ten times a second; requests of one tenth of a
            second share a delay. None for a delay that stays.
        route: only requests of this route, by the name that its runtime keys bear; empty for all.
        envoy: base URL of the admin port of an Envoy that is not the lab's balancer; empty for that one.
    """

    kind: Literal["delay-requests"] = "delay-requests"
    delay: Length
    jitter: Length | None = None

    def __init__(self, delay: str | timedelta, **others: Any) -> None:
        super().__init__(**{"delay": delay, **others})

    @model_validator(mode="after")
    def _never_below_zero(self) -> Self:
        if self.jitter is not None and self.jitter >= self.delay:
            delay, jitter = format_duration(self.delay), format_duration(self.jitter)
            raise ValueError(f"a jitter of `{jitter}` must be shorter than the delay of `{delay}`")
        return self

    @property
    def place(self) -> str:
        """The delay half of the fault filter."""
        return f"delay at {self._at()}"

    @property
    def action(self) -> str:
        """The extension's function."""
        return "delay_requests"

    def arguments(self) -> dict[str, str | float]:
        """Whole milliseconds, the percentage as text, so that it stays exact, and the length in seconds."""
        jitter = {} if self.jitter is None else {"jitter": whole_milliseconds(self.jitter)}
        return {
            "milliseconds": whole_milliseconds(self.delay),
            "percent": plain(self.percent),
            "lasts": self.lasts.total_seconds(),
            **jitter,
            **self._where(),
        }

    def describe(self) -> str:
        """What happens, in a sentence."""
        delay, lasts = format_duration(self.delay), format_duration(self.lasts)
        jitter = "" if self.jitter is None else f", give or take {format_duration(self.jitter)},"
        return f"delay {self._requests()} by {delay}{jitter} for {lasts}"

    @property
    def bad_ratio(self) -> Decimal | None:
        """The delayed share, bad wherever the delay alone is longer than the threshold; None on one route."""
        return None if self.route else self.percent / 100


class AbortRequests(BalancerFault):
    """The balancer answers a share of the requests itself, with an error.

    Args:
        status: the HTTP status of those answers, 400 to 599.
        percent: how many of all requests, per cent, as text or a whole number.
        lasts: how long the fault stays.
        route: only requests of this route, by the name that its runtime keys bear; empty for all.
        envoy: base URL of the admin port of an Envoy that is not the lab's balancer; empty for that one.
    """

    kind: Literal["abort-requests"] = "abort-requests"
    status: int = Field(ge=400, le=599)

    def __init__(self, status: int, **others: Any) -> None:
        super().__init__(**{"status": status, **others})

    @property
    def place(self) -> str:
        """The abort half of the fault filter."""
        return f"abort at {self._at()}"

    @property
    def action(self) -> str:
        """The extension's function."""
        return "abort_requests"

    def arguments(self) -> dict[str, str | float]:
        """The status, the percentage as text, so that it stays exact, and the length in seconds."""
        lasts = self.lasts.total_seconds()
        return {"status": self.status, "percent": plain(self.percent), "lasts": lasts, **self._where()}

    def describe(self) -> str:
        """What happens, in a sentence."""
        return f"answer {self._requests()} with {self.status} for {format_duration(self.lasts)}"

    @property
    def bad_ratio(self) -> Decimal | None:
        """The aborted share; None on one route, and below 500, where an answer is no server error."""
        counts = self.status >= HTTPStatus.INTERNAL_SERVER_ERROR and not self.route
        return self.percent / 100 if counts else None


def plain(number: Decimal) -> str:
    """A decimal without an exponent and without trailing zeros: `30`, `1.44`."""
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def whole_milliseconds(length: timedelta) -> int:
    """A length of time in milliseconds."""
    return round(length / timedelta(milliseconds=1))
