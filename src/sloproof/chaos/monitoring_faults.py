"""Faults of what watches: an exporter that is lost, and a Prometheus that is away for a while."""

from datetime import timedelta
from decimal import Decimal
from typing import Any, ClassVar, Literal

from sloproof.chaos.faults import RESTART_GRACE, Fault
from sloproof.chaos.instance_faults import LastingInstanceFault
from sloproof.definition import Length, format_duration


class LoseExporter(LastingInstanceFault):
    """The metrics of one instance are gone while it serves: each scrape of it fails.

    Args:
        lasts: how long they are gone.
    """

    kind: Literal["lose-exporter"] = "lose-exporter"
    needs: ClassVar[tuple[str, ...]] = ("instances", "supervisor_socket", "folder", "prometheus")
    blast_radius: ClassVar[str] = "no request; what is measured at one instance is missing"

    def __init__(self, instance: str, **others: Any) -> None:
        super().__init__(**{"instance": instance, **others})

    @property
    def place(self) -> str:
        """The instance's metrics."""
        return f"metrics of {self.instance}"

    @property
    def action(self) -> str:
        """The extension's function."""
        return "lose_exporter"

    def describe(self) -> str:
        """What happens, in a sentence."""
        return f"let every scrape of `{self.instance}` fail for {format_duration(self.lasts)} while it serves"

    @property
    def bad_ratio(self) -> Decimal | None:
        """None is spoilt: requests are served as before."""
        return Decimal(0)


class RestartPrometheus(Fault):
    """Prometheus is stopped in good order and started again after a while, also in the middle of another fault.

    Args:
        back_after: how long it stays away.
    """

    kind: Literal["restart-prometheus"] = "restart-prometheus"
    back_after: Length
    actions: ClassVar[str] = "sloproof.chaos.extension.instance_actions"
    grace: ClassVar[timedelta] = 2 * RESTART_GRACE
    waits: ClassVar[bool] = True
    needs: ClassVar[tuple[str, ...]] = ("supervisor_socket", "prometheus")
    blast_radius: ClassVar[str] = "no request; nothing is scraped, no rule is evaluated and no alert fires meanwhile"

    @property
    def length(self) -> timedelta:
        """How long it stays away."""
        return self.back_after

    @property
    def place(self) -> str:
        """Prometheus."""
        return "Prometheus"

    @property
    def action(self) -> str:
        """The extension's function."""
        return "restart_prometheus"

    def arguments(self) -> dict[str, str | float]:
        """The seconds that it stays away."""
        return {"back_after": self.back_after.total_seconds()}

    def describe(self) -> str:
        """What happens, in a sentence."""
        return f"stop Prometheus and start it again after {format_duration(self.back_after)}"

    @property
    def bad_ratio(self) -> Decimal | None:
        """None is spoilt: requests are served as before."""
        return Decimal(0)
