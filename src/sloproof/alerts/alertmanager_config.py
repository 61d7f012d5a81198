"""Alertmanager's configuration: routes by owner and severity, and alerts kept quiet by better ones."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from sloproof import names
from sloproof.alerts.policy import BurnPolicy, BurnTier
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
        policies: every policy in use; their tiers inhibit each other by their windows, and never a page by a ticket.
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
    # Alerts of others that lack these labels would be equal in them, and inhibit each other.
    ours = str(Matcher(names.SLO, "!=", ""))
    rules = [
        {
            "source_matchers": [*source, ours],
            "target_matchers": [str(Matcher(names.TIER, "=~", "|".join(quiet))), ours],
            "equal": same,
        }
        for source, quiet in _quiet_tiers(policies)
    ]
    page = [str(equals(names.SEVERITY, names.PAGE)), str(Matcher(names.TIER, "=~", ".+"))]
    budget = [str(equals(names.KIND, names.BUDGET)), _patient()]
    return [*rules, {"source_matchers": page, "target_matchers": budget, "equal": same}]


def _quiet_tiers(policies: Sequence[BurnPolicy]) -> Iterable[tuple[tuple[str, ...], tuple[str, ...]]]:
    """The matchers of each tier, and the names of the slower tiers that it keeps quiet.

    Rules know tiers by their names, which policies share: what one policy does not allow is left out for all.
    """
    kinds = [{tier.name: tier for tier in tiers} for tiers in dict.fromkeys(policy.tiers for policy in policies)]
    found = []
    for tiers in kinds:
        in_order = sorted(tiers.values(), key=_windows)
        for tier in in_order:
            quiet = [one.name for one in in_order if all(_allows(others, tier, one.name) for others in kinds)]
            severities = {others[tier.name].severity for others in kinds if tier.name in others}
            apart = [str(equals(names.SEVERITY, tier.severity))] if len(severities) > 1 else []
            found += [((str(equals(names.TIER, tier.name)), *apart), tuple(quiet))] if quiet else []
    return dict.fromkeys(found)


def _allows(tiers: Mapping[str, BurnTier], tier: BurnTier, quiet: str) -> bool:
    """Whether a policy agrees that a tier of this name and severity keeps another one quiet; so does one without them.

    The faster one may, and only what wakes somebody may keep quiet what wakes somebody.
    """
    source, target = tiers.get(tier.name), tiers.get(quiet)
    if source is None or target is None or source.severity != tier.severity:
        return True
    return _windows(source) < _windows(target) and (source.severity in URGENT or target.severity not in URGENT)


def _windows(tier: BurnTier) -> tuple[timedelta, timedelta]:
    return tier.long, tier.short


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
