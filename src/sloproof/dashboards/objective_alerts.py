"""The alerts of one SLO: how each went, its runbook, and where its figures can be asked for."""

from collections.abc import Sequence
from dataclasses import dataclass

from sloproof import names
from sloproof.alerts import BurnPolicy, BurnTier, Links, Timing
from sloproof.alerts.burn_alerts import percent
from sloproof.alerts.recording import recorded
from sloproof.dashboards import queries
from sloproof.dashboards.tiles import Query, Tile, states, text
from sloproof.dashboards.ways import asking, reference
from sloproof.definition import format_duration
from sloproof.slo import SLO


@dataclass(frozen=True)
class OtherAlert:
    """An alert of an objective that is no burn tier: its budget is nearly gone, or it is not measured.

    Args:
        name: the alert's.
        severity: how urgent it is.
    """

    name: str
    severity: str


def alert_states(slo: SLO, policy: BurnPolicy, timing: Timing, others: Sequence[OtherAlert]) -> Tile:
    """A band for each alert of the objective."""
    asked = [Query(queries.alert_state(tier, slo, timing), _named(tier.name, tier.severity)) for tier in policy.tiers]
    asked += [Query(queries.state_of(other.name, slo, timing), _short_name(other, slo)) for other in others]
    return states(
        "alerts",
        "Alerts",
        "The state of each alert of this objective. Without events in its window there is nothing that it could judge; "
        "a gap means that nothing was measured. Neither is the same as quiet.",
        asked,
        named=queries.ALERT_STATES,
        width=12,
        interval=timing.real(timing.evaluation),
    )


def _short_name(other: OtherAlert, slo: SLO) -> str:
    prefix = names.burn_alert(slo.service.name, slo.name, "").removesuffix("Burn")
    return _named(other.name.removeprefix(prefix), other.severity)


def _named(name: str, severity: str) -> str:
    return f"{name} ({severity})"


def runbook_table(slo: SLO, policy: BurnPolicy, timing: Timing, links: Links, others: Sequence[OtherAlert]) -> Tile:
    """A row for each alert of the objective, with what makes it fire and its page."""
    rows = []
    for tier in policy.tiers:
        alert = names.burn_alert(slo.service.name, slo.name, tier.name)
        cells = (_named(tier.name, tier.severity), pair_name(tier), percent(tier.threshold(slo)))
        rows.append(f"| {' | '.join(cells)} | {reference(alert, links)} |")
    rows += [f"| {_short_name(other, slo)} | | | {reference(other.name, links)} |" for other in others]
    ratio = str(recorded(names.error_ratio(policy.tiers[0].long), slo, timing))
    content = "\n".join(
        [
            f"**Ask Prometheus:** {', '.join(asking(ratio, links))}",
            "",
            "| alert | pair | fires above | runbook |",
            "|---|---|---|---|",
            *rows,
        ]
    )
    return text(
        "runbooks",
        "Runbooks and queries",
        "One page for each alert: what it means, what to look at, how to stop it. The links above open the error "
        "ratio in Prometheus or in Grafana's Explore.",
        content,
        width=12,
        height=3 + len(policy.tiers) + len(others),
    )


def pair_name(tier: BurnTier) -> str:
    """Both windows of a tier, the long one first."""
    return f"{format_duration(tier.long)}/{format_duration(tier.short)}"
