"""What can go wrong on the way between an instance and what it depends on."""

from datetime import timedelta
from decimal import Decimal
from typing import Any, ClassVar, Literal

from pydantic import Field

from sloproof.chaos.faults import Fault, Share, plain
from sloproof.definition import Length, Name, format_duration


class LinkFault(Fault):
    """A fault of the links between instances and one dependency.

    Args:
        dependency: the dependency's name in the lab, such as `postgres`.
        instance: the one instance whose link it is; None for the links of all instances.
        lasts: how long it stays.
    """

    dependency: Name
    instance: Name | None = None
    lasts: Length
    actions: ClassVar[str] = "sloproof.chaos.extension.dependency_actions"
    needs: ClassVar[tuple[str, ...]] = ("links", "dependencies")
    blast_radius: ClassVar[str] = "what one instance, or each of them, asks of one dependency"
    effect_counter: ClassVar[str]
    """Which count of a link shows that the fault took hold."""

    @property
    def length(self) -> timedelta:
        """How long it lasts."""
        return self.lasts

    @property
    def links(self) -> str:
        """Which links, in words."""
        return f"between {f'`{self.instance}`' if self.instance else 'every instance'} and `{self.dependency}`"

    def settings(self) -> dict[str, str]:
        """The settings of each link while it lasts, as the lab's control port takes them."""
        raise NotImplementedError  # each kind below has settings of its own

    def arguments(self) -> dict[str, str | float]:
        """The dependency, the one instance if there is one, and the length in seconds."""
        one = {"instance": self.instance} if self.instance else {}
        return {"dependency": self.dependency, **one, "lasts": self.lasts.total_seconds()}


class SlowDependency(LinkFault):
    """Every answer of a dependency comes late.

    Args:
        delay: how much later.
    """

    kind: Literal["slow-dependency"] = "slow-dependency"
    delay: Length = Field(le=timedelta(minutes=1))
    effect_counter: ClassVar[str] = "delayed"

    def __init__(self, dependency: str, **others: Any) -> None:
        super().__init__(**{"dependency": dependency, **others})

    @property
    def place(self) -> str:
        """The delay of the links; those of one instance and of all are one place."""
        return f"delay of the links to `{self.dependency}`"

    @property
    def action(self) -> str:
        """The extension's function."""
        return "slow_dependency"

    def settings(self) -> dict[str, str]:
        """The delay in milliseconds."""
        return {"delay_ms": str(self.delay / timedelta(milliseconds=1))}

    def arguments(self) -> dict[str, str | float]:
        """The dependency, the delay in milliseconds, and the length in seconds."""
        return {**super().arguments(), "milliseconds": self.delay / timedelta(milliseconds=1)}

    def describe(self) -> str:
        """What happens, in a sentence."""
        delay, lasts = format_duration(self.delay), format_duration(self.lasts)
        return f"let each answer {self.links} come {delay} late for {lasts}"


class LimitBandwidth(LinkFault):
    """Little passes between instances and a dependency, in each direction of each connection.

    Args:
        bytes_per_second: how much.
    """

    kind: Literal["limit-bandwidth"] = "limit-bandwidth"
    bytes_per_second: int = Field(ge=1)
    effect_counter: ClassVar[str] = "limited"

    def __init__(self, dependency: str, **others: Any) -> None:
        super().__init__(**{"dependency": dependency, **others})

    @property
    def place(self) -> str:
        """The bandwidth of the links."""
        return f"bandwidth of the links to `{self.dependency}`"

    @property
    def action(self) -> str:
        """The extension's function."""
        return "limit_bandwidth"

    def settings(self) -> dict[str, str]:
        """The limit."""
        return {"bytes_per_second": str(self.bytes_per_second)}

    def arguments(self) -> dict[str, str | float]:
        """The dependency, the limit in bytes per second, and the length in seconds."""
        return {**super().arguments(), "bytes_per_second": self.bytes_per_second}

    def describe(self) -> str:
        """What happens, in a sentence."""
        lasts = format_duration(self.lasts)
        return f"let {self.bytes_per_second} bytes a second through each connection {self.links} for {lasts}"


class CutFault(LinkFault):
    """A fault that cuts links; only one can hold a link at a time."""

    @property
    def place(self) -> str:
        """Whether the links are whole."""
        return f"links to `{self.dependency}`"


class ResetConnections(CutFault):
    """Open connections end with RST, and so do new ones as long as it lasts.

    Args:
        percent: how many of the connections, per cent, as text or a whole number.
    """

    kind: Literal["reset-connections"] = "reset-connections"
    percent: Share = Decimal(100)
    effect_counter: ClassVar[str] = "reset"

    def __init__(self, dependency: str, **others: Any) -> None:
        super().__init__(**{"dependency": dependency, **others})

    @property
    def action(self) -> str:
        """The extension's function."""
        return "reset_connections"

    def settings(self) -> dict[str, str]:
        """The kind of cut, and whom it hits."""
        return {"cut": "reset", "percent": plain(self.percent)}

    def arguments(self) -> dict[str, str | float]:
        """The dependency, the percentage as text, so that it stays exact, and the length in seconds."""
        return {**super().arguments(), "percent": plain(self.percent)}

    def describe(self) -> str:
        """What happens, in a sentence."""
        return f"reset {plain(self.percent)} % of the connections {self.links} for {format_duration(self.lasts)}"


class Blackhole(CutFault):
    """A dependency accepts connections and answers nothing any more, as when a network loses every packet."""

    kind: Literal["blackhole"] = "blackhole"
    effect_counter: ClassVar[str] = "held"

    def __init__(self, dependency: str, **others: Any) -> None:
        super().__init__(**{"dependency": dependency, **others})

    @property
    def action(self) -> str:
        """The extension's function."""
        return "blackhole"

    def settings(self) -> dict[str, str]:
        """The kind of cut, for every connection."""
        return {"cut": "blackhole", "percent": "100"}

    def describe(self) -> str:
        """What happens, in a sentence."""
        return f"pass nothing on {self.links} for {format_duration(self.lasts)}"


class Partition(CutFault):
    """One instance is cut off from a dependency that the others still reach.

    Args:
        instance: the instance that is cut off.
    """

    kind: Literal["partition"] = "partition"
    instance: Name
    effect_counter: ClassVar[str] = "held"

    def __init__(self, instance: str, **others: Any) -> None:
        super().__init__(**{"instance": instance, **others})

    @property
    def action(self) -> str:
        """The extension's function."""
        return "partition"

    def settings(self) -> dict[str, str]:
        """The kind of cut, for every connection."""
        return {"cut": "blackhole", "percent": "100"}

    def describe(self) -> str:
        """What happens, in a sentence."""
        lasts = format_duration(self.lasts)
        return f"cut `{self.instance}` off from `{self.dependency}`, which the others still reach, for {lasts}"
