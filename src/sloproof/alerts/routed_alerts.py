"""Which receiver each generated alert must reach, so that `amtool config routes test` can prove it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sloproof import names
from sloproof.alerts.routing import Routing
from sloproof.alerts.rule_model import AlertRule
from sloproof.alerts.severity import SEVERITIES


@dataclass(frozen=True)
class RoutedAlert:
    """An alert as Alertmanager sees it, and where it must go.

    Args:
        alert: its name.
        labels: every label that its rule sets, `alertname` among them.
        receiver: the name of the receiver.
    """

    alert: str
    labels: Mapping[str, str]
    receiver: str


def routed_alerts(rules: Iterable[tuple[AlertRule, str]], routing: Routing) -> list[RoutedAlert]:
    """The receiver of each alert, from the definitions and not from the generated configuration.

    Args:
        rules: alerts with the owner of their service as its definition writes it.
        routing: the workspace's routes.

    Returns:
        In the order of the rules.

    Raises:
        ValueError: a rule bears no severity that routes know.
    """
    return [_routed(rule, owner, routing) for rule, owner in rules]


def _routed(rule: AlertRule, owner: str, routing: Routing) -> RoutedAlert:
    severity = rule.labels.get(names.SEVERITY, "")
    if severity not in SEVERITIES:
        raise ValueError(f"`{rule.alert}` bears the severity `{severity}`, which nobody routes")
    labels = {names.ALERT_NAME: rule.alert, **rule.labels, names.OWNER: owner}
    return RoutedAlert(rule.alert, labels, routing.receiver_of(severity, owner))
