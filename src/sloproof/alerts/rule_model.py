"""Rules as values, and the one way they become YAML."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property
from typing import Any

from sloproof import names
from sloproof.alerts.yaml_text import to_yaml
from sloproof.definition import format_duration
from sloproof.promql import Expression, check_rendered

LARGEST_GROUP = 20
"""Rules in a group; Mimir's default limit for a tenant."""


@dataclass(frozen=True)
class RecordingRule:
    """A series that Prometheus computes and keeps."""

    record: str
    expression: Expression
    labels: Mapping[str, str]

    @cached_property
    def text(self) -> str:
        """Its expression, once Prometheus could read it.

        Raises:
            ValueError: it does not parse.
        """
        return check_rendered(self.expression)

    def document(self) -> dict[str, Any]:
        """The rule as Prometheus reads it."""
        return {"record": self.record, "expr": self.text, "labels": dict(self.labels)}


@dataclass(frozen=True)
class AlertRule:
    """A condition that Prometheus reports to Alertmanager."""

    alert: str
    expression: Expression
    hold: timedelta
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    keep: timedelta = timedelta()
    """How long it goes on firing after its condition ended (`keep_firing_for`)."""

    @cached_property
    def text(self) -> str:
        """Its expression, once Prometheus could read it.

        Raises:
            ValueError: it does not parse.
        """
        return check_rendered(self.expression)

    def document(self) -> dict[str, Any]:
        """The rule as Prometheus reads it."""
        hold = {"for": format_duration(self.hold)} if self.hold else {}
        keep = {"keep_firing_for": format_duration(self.keep)} if self.keep else {}
        return {
            "alert": self.alert,
            "expr": self.text,
            **hold,
            **keep,
            "labels": dict(self.labels),
            "annotations": dict(self.annotations),
        }


@dataclass(frozen=True)
class RuleGroup:
    """Rules that are evaluated together, in order, at one interval."""

    name: str
    interval: timedelta
    rules: tuple[RecordingRule | AlertRule, ...] = field(default=())

    def document(self) -> dict[str, Any]:
        """The group as Prometheus reads it."""
        return {
            "name": self.name,
            "interval": format_duration(self.interval),
            "rules": [rule.document() for rule in self.rules],
        }


def rules_yaml(groups: Iterable[RuleGroup]) -> str:
    """A rules file.

    Args:
        groups: in the order they are written.

    Returns:
        YAML that `promtool check rules` accepts, the same bytes for the same groups.
    """
    document = {"groups": [group.document() for group in groups]}
    return f"{names.RULES_HEADER}\n{to_yaml(document)}"
