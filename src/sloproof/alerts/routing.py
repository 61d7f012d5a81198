"""Who is told: receivers and how severities reach them."""

from datetime import timedelta
from typing import Literal

from pydantic import Field, model_validator

from sloproof.definition import Definition, Length, Name


class Webhook(Definition):
    """A receiver that takes Alertmanager's JSON over HTTP.

    Args:
        name: the receiver's name.
        url: where notifications are posted.
        send_resolved: whether the end of an alert is told too.
    """

    name: Name
    url: str = Field(pattern=r"^https?://")
    send_resolved: bool = True


class Routing(Definition):
    """Which receiver hears of which severity.

    Args:
        receivers: at least one; their names differ.
        routes: severity to receiver name; what is not listed goes to the first receiver.
        group_wait: how long Alertmanager collects alerts before the first notification.
        group_interval: how long between notifications of a group that changed.
        repeat_interval: how often an alert that still fires is told again.
    """

    receivers: tuple[Webhook, ...] = Field(min_length=1)
    routes: dict[Literal["page", "ticket"], Name] = Field(default_factory=dict)
    group_wait: Length = timedelta(seconds=10)
    group_interval: Length = timedelta(minutes=1)
    repeat_interval: Length = timedelta(hours=4)

    @model_validator(mode="after")
    def _known(self) -> "Routing":
        receivers = [receiver.name for receiver in self.receivers]
        if len(set(receivers)) != len(receivers):
            raise ValueError("two receivers bear the same name")
        for severity, receiver in self.routes.items():
            if receiver not in receivers:
                raise ValueError(f"`{severity}` is routed to `{receiver}`, which is no receiver")
        return self
