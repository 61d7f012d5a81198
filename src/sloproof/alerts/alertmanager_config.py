"""Alertmanager's configuration: routes by severity, and slower tiers kept quiet by faster ones."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sloproof import names
from sloproof.alerts.policy import BurnPolicy
from sloproof.alerts.routing import Routing
from sloproof.alerts.rule_model import to_yaml
from sloproof.definition import format_duration
from sloproof.promql import Matcher, equals

SMALLEST_WAIT = timedelta(seconds=1)
"""Alertmanager groups by whole seconds at best; scaled waits stop here."""


def alertmanager_config(routing: Routing, policies: Sequence[BurnPolicy], scale: int = 1) -> str:
    """The configuration as YAML.

    Args:
        routing: receivers and routes.
        policies: every policy in use; their tiers inhibit each other, fastest first.
        scale: the factor that windows are divided by; the waits are divided too.

    Returns:
        YAML that `amtool check-config` accepts, the same bytes for the same input.
    """
    document = {
        "route": _route(routing, scale),
        "inhibit_rules": _inhibitions(policies),
        "receivers": [_receiver(receiver.name, receiver.url, receiver.send_resolved) for receiver in routing.receivers],
    }
    return f"{names.RULES_HEADER}\n{to_yaml(document)}"


def _route(routing: Routing, scale: int) -> dict[str, Any]:
    return {
        "receiver": routing.receivers[0].name,
        "group_by": [names.SERVICE, names.SLO],
        "group_wait": _wait(routing.group_wait, scale),
        "group_interval": _wait(routing.group_interval, scale),
        "repeat_interval": format_duration(routing.repeat_interval),
        "routes": [
            {"receiver": receiver, "matchers": [str(equals(names.SEVERITY, severity))]}
            for severity, receiver in sorted(routing.routes.items())
        ],
    }


def _wait(wait: timedelta, scale: int) -> str:
    return format_duration(max(wait / scale, min(wait, SMALLEST_WAIT)))


def _receiver(name: str, url: str, send_resolved: bool) -> dict[str, Any]:
    return {"name": name, "webhook_configs": [{"url": url, "send_resolved": send_resolved}]}


def _inhibitions(policies: Sequence[BurnPolicy]) -> list[dict[str, Any]]:
    """A faster tier keeps the slower ones of the same SLO quiet; both ends carry equal identity labels."""
    rules = []
    for tiers in dict.fromkeys(tuple(tier.name for tier in policy.tiers) for policy in policies):
        for index, faster in enumerate(tiers[:-1]):
            slower = "|".join(tiers[index + 1 :])
            rules.append(
                {
                    # Alerts of others that lack these labels would be equal in them, and inhibit each other.
                    "source_matchers": [str(equals(names.TIER, faster)), str(Matcher(names.SLO, "!=", ""))],
                    "target_matchers": [str(Matcher(names.TIER, "=~", slower)), str(Matcher(names.SLO, "!=", ""))],
                    "equal": [names.SERVICE, names.SLO],
                }
            )
    return rules
