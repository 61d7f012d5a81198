"""When to wake somebody: burn policies, rules, routes, and the arithmetic that is promised."""

from sloproof.alerts.absent import AbsenceAlerts, absence_for, absence_groups, absence_rules
from sloproof.alerts.alertmanager_config import alertmanager_config
from sloproof.alerts.budget_alerts import BudgetAlerts, budget_alert_rules, budget_alerts_for, budget_group
from sloproof.alerts.burn_alerts import Links, base_group, burn_alert, burn_groups
from sloproof.alerts.cause import CauseAlert, cause_groups, cause_rule
from sloproof.alerts.policy import DEFAULT_POLICY, BurnPolicy, BurnTier, policy_for
from sloproof.alerts.receivers import Email, Slack, Webhook
from sloproof.alerts.routing import OwnerRoute, Routing
from sloproof.alerts.rule_model import AlertRule, RecordingRule, RuleGroup, rules_yaml
from sloproof.alerts.time_intervals import TimeInterval
from sloproof.alerts.timing import REAL, Timing

__all__ = [
    "DEFAULT_POLICY",
    "REAL",
    "AbsenceAlerts",
    "AlertRule",
    "BudgetAlerts",
    "BurnPolicy",
    "BurnTier",
    "CauseAlert",
    "Email",
    "Links",
    "OwnerRoute",
    "RecordingRule",
    "Routing",
    "RuleGroup",
    "Slack",
    "TimeInterval",
    "Timing",
    "Webhook",
    "absence_for",
    "absence_groups",
    "absence_rules",
    "alertmanager_config",
    "base_group",
    "budget_alert_rules",
    "budget_alerts_for",
    "budget_group",
    "burn_alert",
    "burn_groups",
    "cause_groups",
    "cause_rule",
    "policy_for",
    "rules_yaml",
]
