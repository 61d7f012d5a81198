"""Alertmanager's configuration: routes by owner and severity, and alerts kept quiet by better ones."""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any

from sloproof import names
from sloproof.alerts.policy import BurnPolicy
from sloproof.alerts.routing import Routing
from sloproof.alerts.severity import SEVERITIES, URGENT, Severity
from sloproof.alerts.yaml_text import to_yaml
from sloproof.definition import format_duration
from sloproof.promql import Matcher, equals

SMALLEST_WAIT = timedelta(seconds=1)
"""Alertmanager groups by whole seconds at best; scaled waits stop here."""


def alertmanager_config(
    routing: Routing, policies: Sequence[BurnPolicy], scale: int = 1, grouping: Iterable[str] = ()
) -> str:
    """The configuration as YAML.

    Args:
        routing: receivers and routes.
        policies: every policy in use; their tiers inhibit each other, fastest first.
        scale: the factor that windows are divided by; the waits are divided too.
        grouping: labels by which objectives are split; alerts inhibit each other only within one split.

    Returns:
        YAML that `amtool check-config` accepts, the same bytes for the same input.
    """
    intervals = [interval.document() for interval in routing.intervals]
    document = {
        "route": _route(routing, scale),
        **({"time_intervals": intervals} if intervals else {}),
        "inhibit_rules": [*_inhibitions(policies, sorted(set(grouping))), _causes_by_symptoms()],
        "receivers": [receiver.document() for receiver in routing.receivers],
    }
    return f"{names.RULES_HEADER}\n{to_yaml(document)}"


def _route(routing: Routing, scale: int) -> dict[str, Any]:
    routes = [
        *(_leaf(routing, severity, owner.owner) for owner in routing.owners for severity in SEVERITIES),
        *(_leaf(routing, severity, None) for severity in SEVERITIES),
    ]
    return {
        "receiver": routing.receivers[0].name,
        "group_by": [names.SERVICE, names.SLO],
        "group_wait": _wait(routing.group_wait, scale),
        "group_interval": _wait(routing.group_interval, scale),
        "repeat_interval": format_duration(routing.repeat_interval),
        "routes": routes,
    }


def _leaf(routing: Routing, severity: Severity, owner: str | None) -> dict[str, Any]:
    matchers = [equals(names.SEVERITY, severity), *([equals(names.OWNER, owner)] if owner is not None else [])]
    muted = routing.muted_during(severity)
    return {
        "receiver": routing.receiver_of(severity, owner or ""),
        "matchers": [str(matcher) for matcher in matchers],
        **({"mute_time_intervals": list(muted)} if muted else {}),
    }


def _wait(wait: timedelta, scale: int) -> str:
    return format_duration(max(wait / scale, min(wait, SMALLEST_WAIT)))


def _inhibitions(policies: Sequence[BurnPolicy], grouping: list[str]) -> list[dict[str, Any]]:
    """A faster tier keeps the slower ones of the same SLO quiet; both ends carry equal identity labels.

    A page also keeps the budget's tickets quiet: they would say the same, later and less.
    """
    same = [names.SERVICE, names.SLO, *grouping]
    rules = []
    for tiers in dict.fromkeys(tuple(tier.name for tier in policy.tiers) for policy in policies):
        for index, faster in enumerate(tiers[:-1]):
            slower = "|".join(tiers[index + 1 :])
            rules.append(
                {
                    # Alerts of others that lack these labels would be equal in them, and inhibit each other.
                    "source_matchers": [str(equals(names.TIER, faster)), str(Matcher(names.SLO, "!=", ""))],
                    "target_matchers": [str(Matcher(names.TIER, "=~", slower)), str(Matcher(names.SLO, "!=", ""))],
                    "equal": same,
                }
            )
    page = [str(equals(names.SEVERITY, names.PAGE)), str(Matcher(names.TIER, "=~", ".+"))]
    budget = [str(equals(names.KIND, names.BUDGET)), _patient()]
    return [*rules, {"source_matchers": page, "target_matchers": budget, "equal": same}]


def _causes_by_symptoms() -> dict[str, Any]:
    """What users notice keeps quiet what may be behind it; causes that wake somebody are still told."""
    symptom = [Matcher(names.SEVERITY, "=~", "|".join(sorted(URGENT))), Matcher(names.KIND, "!=", names.CAUSE)]
    return {
        "source_matchers": [str(matcher) for matcher in symptom],
        "target_matchers": [str(equals(names.KIND, names.CAUSE)), _patient()],
        "equal": [names.SERVICE],
    }


def _patient() -> str:
    """The severities that wait for the morning."""
    waiting = [severity for severity in SEVERITIES if severity not in URGENT]
    return str(Matcher(names.SEVERITY, "=~", "|".join(waiting)))
