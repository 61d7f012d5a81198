"""Who is told: how severities and owners reach their receivers, and when tickets wait."""

from datetime import timedelta
from typing import Annotated

from pydantic import Field, model_validator

from sloproof.alerts.receivers import Email, Receiver, Slack, Webhook
from sloproof.alerts.severity import LIKE, URGENT, Severity
from sloproof.alerts.time_intervals import TimeInterval
from sloproof.definition import Definition, Length, Name

__all__ = ["Email", "OwnerRoute", "Receiver", "Routing", "Slack", "Webhook"]


class OwnerRoute(Definition):
    """The receivers of one owner's alerts; severities that it does not list go where everybody's go.

    Args:
        owner: exactly as the services name it.
        routes: severity to receiver name.
    """

    owner: str = Field(min_length=1)
    routes: dict[Severity, Name] = Field(min_length=1)


class Routing(Definition):
    """Which receiver hears of which severity of whose alerts.

    Args:
        receivers: at least one; their names differ.
        routes: severity to receiver name; what is not listed goes to the first receiver. `critical` goes where
            `page` goes and `warning` where `ticket` goes, unless they are listed.
        owners: routes that come before the general ones.
        intervals: times of the week that `muted` names.
        muted: severity to the intervals during which nobody is told; never for severities that wake somebody.
            What still fires afterwards is told then.
        group_wait: how long Alertmanager collects alerts before the first notification.
        group_interval: how long between notifications of a group that changed.
        repeat_interval: how often an alert that still fires is told again.
    """

    receivers: tuple[Annotated[Receiver, Field(discriminator="kind")], ...] = Field(min_length=1)
    routes: dict[Severity, Name] = Field(default_factory=dict)
    owners: tuple[OwnerRoute, ...] = ()
    intervals: tuple[TimeInterval, ...] = ()
    muted: dict[Severity, tuple[Name, ...]] = Field(default_factory=dict)
    group_wait: Length = timedelta(seconds=10)
    group_interval: Length = timedelta(minutes=1)
    repeat_interval: Length = timedelta(hours=4)

    @model_validator(mode="after")
    def _known(self) -> "Routing":
        receivers = [receiver.name for receiver in self.receivers]
        if len(set(receivers)) != len(receivers):
            raise ValueError("two receivers bear the same name")
        for routes in (self.routes, *(owner.routes for owner in self.owners)):
            for severity, receiver in routes.items():
                if receiver not in receivers:
                    raise ValueError(
                        f"`{severity}` is routed to `{receiver}`, which is no receiver; {_there_are(receivers)}"
                    )
        owners = [owner.owner for owner in self.owners]
        if len(set(owners)) != len(owners):
            raise ValueError("an owner has two routes; the second would never be reached")
        return self

    @model_validator(mode="after")
    def _audible(self) -> "Routing":
        intervals = [interval.name for interval in self.intervals]
        if len(set(intervals)) != len(intervals):
            raise ValueError("two intervals bear the same name")
        for severity, muted in self.muted.items():
            if severity in URGENT:
                raise ValueError(f"`{severity}` would be muted; what may wait until morning is a `ticket`")
            for name in muted:
                if name not in intervals:
                    raise ValueError(
                        f"`{severity}` is muted during `{name}`, which is no interval; {_there_are(intervals)}"
                    )
        return self

    def receiver_of(self, severity: Severity, owner: str) -> str:
        """The name of the receiver that an alert reaches.

        Args:
            severity: the alert's.
            owner: of its service, exactly as written.
        """
        own = next((route.routes for route in self.owners if route.owner == owner), {})
        for routes in (own, self.routes):
            for asked in (severity, LIKE.get(severity)):
                if asked is not None and asked in routes:
                    return routes[asked]
        return self.receivers[0].name

    def muted_during(self, severity: Severity) -> tuple[str, ...]:
        """The names of the intervals in which nobody is told of a severity."""
        return self.muted.get(severity) or self.muted.get(LIKE.get(severity, severity), ())


def _there_are(names: list[str]) -> str:
    return f"there {'is' if len(names) == 1 else 'are'} {', '.join(f'`{name}`' for name in names) or 'none'}"
