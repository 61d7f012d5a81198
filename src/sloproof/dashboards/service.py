"""The dashboard of one service: its objectives beside each other, then its own panels."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from sloproof.alerts import REAL, Links, Timing
from sloproof.dashboards.alert_list import alert_list
from sloproof.dashboards.custom import Panel
from sloproof.dashboards.custom_tiles import custom_tile
from sloproof.dashboards.frame import NOTE, framed, plain_words
from sloproof.dashboards.objectives import Policies, budgets, burns, numbers, objectives_table
from sloproof.dashboards.queries import ALERT_STATES, worst_state
from sloproof.dashboards.scope import Scope
from sloproof.dashboards.tiles import Query, Section, Tile, states, text
from sloproof.slo import SLO, Service


def service_dashboard(
    service: Service,
    slos: Sequence[SLO],
    policies: Policies,
    timing: Timing = REAL,
    links: Links = Links(),  # noqa: B008 - frozen, so one value serves every call
    extra: Sequence[Panel] = (),
) -> dict[str, Any]:
    """What somebody on call for the service looks at first; each objective has a dashboard of its own.

    Args:
        service: whose dashboard it is.
        slos: its objectives, in the order shown.
        policies: burn policy by an SLO's `service/slo`; the workbook's where there is none.
        timing: intervals and scale of the rules that record the series.
        links: where alerts point.
        extra: the workspace's own panels, shown last.

    Returns:
        Grafana JSON as plain values, the same for the same definitions.
    """
    scope = Scope(timing, service.name)
    sections = [
        Section("now", "", (*numbers(slos, scope), _about(service))),
        Section("slos", "", (objectives_table(slos, policies, scope),)),
        Section("alerts", "", _alerts(slos, scope, links)),
        Section("trends", "", (budgets(scope), burns(slos, policies, scope))),
    ]
    if extra:
        sections.append(Section("own", "More about the service", _own(extra, timing)))
    return framed(
        service.name,
        f"{service.name}: service-level objectives",
        f"The objectives of {service.name}, their error budgets and their alerts.",
        sections,
        timing,
        tags=("slo", service.name),
        marks=scope.marking(),
        service=service.name,
    )


_QUIET = "no alert of the service is pending or firing; that is fine only while nothing above is unmeasured"


def _alerts(slos: Sequence[SLO], scope: Scope, links: Links) -> tuple[Tile, Tile]:
    """What fires now, causes included, beside how the burn alerts of each objective went."""
    bands = _states(slos, scope.timing)
    return alert_list(scope, links, empty_while=_QUIET, width=12, height=max(7, bands.height)), bands


def _states(slos: Sequence[SLO], timing: Timing) -> Tile:
    return states(
        "alerts",
        "Burn alerts",
        "The worst state of each objective's burn alerts. A gap means that it was not measured, which is not quiet.",
        [Query(worst_state(slo, timing), slo.name) for slo in slos],
        named=ALERT_STATES,
        width=12,
        interval=timing.real(timing.evaluation),
    )


def _about(service: Service) -> Tile:
    facts = {
        "Users": service.description,
        "Owner": service.owner,
        "Escalation": service.escalation,
        "Depends on": ", ".join(service.depends_on),
    }
    line = " · ".join(f"**{label}:** {plain_words(fact)}" for label, fact in facts.items() if fact)
    return text(
        "about",
        "About this service",
        "Who owns the service, whom it serves, and where this dashboard comes from.",
        f"{line}\n\n{NOTE}",
        width=8,
        height=4,
    )


def _own(panels: Sequence[Panel], timing: Timing) -> tuple[Tile, ...]:
    seen: Counter[str] = Counter()
    tiles = []
    for panel in panels:
        seen[panel.title] += 1
        # Two modules may give one service panels of one title; their ids must differ all the same.
        tiles.append(custom_tile(f"{panel.title}/{seen[panel.title]}", panel, timing))
    return tuple(tiles)
