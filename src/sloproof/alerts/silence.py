"""A silence for planned chaos: it names what it silences, and it always ends."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from pydantic import Field, model_validator

from sloproof import names
from sloproof.definition import Definition
from sloproof.promql import Matcher, equals

LONGEST = timedelta(days=1)
"""A silence that outlives its reason hides the next incident."""


class PlannedSilence(Definition):
    """A silence to be made.

    Args:
        matchers: all of which an alert must match; at least one that excludes something.
        starts_at: seconds since the epoch.
        ends_at: seconds since the epoch; after the start, by a day at most.
        created_by: whoever is responsible.
        comment: why.
    """

    matchers: tuple[Matcher, ...] = Field(min_length=1)
    starts_at: float
    ends_at: float
    created_by: str = Field(min_length=1)
    comment: str = Field(min_length=1)

    @model_validator(mode="after")
    def _ends(self) -> "PlannedSilence":
        if self.ends_at <= self.starts_at:
            raise ValueError("it ends before it starts")
        if self.ends_at - self.starts_at > LONGEST.total_seconds():
            raise ValueError("it lasts longer than a day; a silence that outlives its reason hides the next incident")
        if not any(matcher.operator in ("=", "=~") and matcher.value not in ("", ".*") for matcher in self.matchers):
            raise ValueError("its matchers name nothing, so that it would silence everything")
        return self

    def document(self) -> dict[str, Any]:
        """The silence as Alertmanager's API reads it."""
        return {
            "matchers": [_matcher(matcher) for matcher in self.matchers],
            "startsAt": _instant(self.starts_at),
            "endsAt": _instant(self.ends_at),
            "createdBy": self.created_by,
            "comment": self.comment,
        }


def chaos_silence(
    service: str,
    *,
    starts_at: float,
    lasts: timedelta,
    created_by: str,
    reason: str,
    severity: str | None = None,
    but: Sequence[str] = (),
) -> PlannedSilence:
    """The silence of a service's alerts during planned chaos.

    Args:
        service: the service's name.
        starts_at: seconds since the epoch.
        lasts: how long the faults and their undo take; a day at most.
        created_by: whoever runs it.
        reason: what is planned.
        severity: only alerts of this severity; all of them by default.
        but: names of alerts that are not silenced.

    Raises:
        ValueError: it would not end within a day, or last no time at all.
    """
    only = (equals(names.SEVERITY, severity),) if severity is not None else ()
    others = (Matcher(names.ALERT_NAME, "!~", "|".join(but)),) if but else ()
    return PlannedSilence(
        matchers=(equals(names.SERVICE, service), *only, *others),
        starts_at=starts_at,
        ends_at=starts_at + lasts.total_seconds(),
        created_by=created_by,
        comment=reason,
    )


def _matcher(matcher: Matcher) -> dict[str, Any]:
    return {
        "name": matcher.label,
        "value": matcher.value,
        "isRegex": matcher.operator in ("=~", "!~"),
        "isEqual": matcher.operator in ("=", "=~"),
    }


def _instant(epoch: float) -> str:
    return datetime.fromtimestamp(epoch, UTC).isoformat()
