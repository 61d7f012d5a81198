"""When to wake somebody: burn policies, rules, routes, and the arithmetic that is promised."""

from sloproof.alerts.alertmanager_config import alertmanager_config
from sloproof.alerts.burn_alerts import Links, base_group, burn_alert, burn_groups
from sloproof.alerts.policy import DEFAULT_POLICY, BurnPolicy, BurnTier, policy_for
from sloproof.alerts.routing import Routing, Webhook
from sloproof.alerts.rule_model import AlertRule, RecordingRule, RuleGroup, rules_yaml
from sloproof.alerts.timing import REAL, Timing

__all__ = [
    "DEFAULT_POLICY",
    "REAL",
    "AlertRule",
    "BurnPolicy",
    "BurnTier",
    "Links",
    "RecordingRule",
    "Routing",
    "RuleGroup",
    "Timing",
    "Webhook",
    "alertmanager_config",
    "base_group",
    "burn_alert",
    "burn_groups",
    "policy_for",
    "rules_yaml",
]
