"""Rules as values, and the one way they become YAML."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import yaml

from sloproof import names
from sloproof.definition import format_duration
from sloproof.promql import Expression, check_expression


@dataclass(frozen=True)
class RecordingRule:
    """A series that Prometheus computes and keeps."""

    record: str
    expression: Expression
    labels: Mapping[str, str]

    def document(self) -> dict[str, Any]:
        """The rule as Prometheus reads it."""
        return {"record": self.record, "expr": _text(self.expression), "labels": dict(self.labels)}


@dataclass(frozen=True)
class AlertRule:
    """A condition that Prometheus reports to Alertmanager."""

    alert: str
    expression: Expression
    hold: timedelta
    labels: Mapping[str, str]
    annotations: Mapping[str, str]

    def document(self) -> dict[str, Any]:
        """The rule as Prometheus reads it."""
        hold = {"for": format_duration(self.hold)} if self.hold else {}
        return {
            "alert": self.alert,
            "expr": _text(self.expression),
            **hold,
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


def to_yaml(document: Any) -> str:
    """YAML in the order given, long lines left whole, Unicode as it is."""
    dumper: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
    return str(yaml.dump(document, Dumper=dumper, sort_keys=False, allow_unicode=True, width=10**6))


def _text(expression: Expression) -> str:
    text = str(expression)
    check_expression(text)
    return text
