"""The dashboard of one service: each of its objectives, then its own panels."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from sloproof import names
from sloproof.alerts import DEFAULT_POLICY, REAL, BurnPolicy, Links, Timing
from sloproof.dashboards.custom import Panel
from sloproof.dashboards.frame import NOTE, framed, plain_words
from sloproof.dashboards.overview import OVERVIEW
from sloproof.dashboards.slo_section import slo_section
from sloproof.dashboards.tiles import Query, Section, Tile, lines, text
from sloproof.promql import Selector, equals
from sloproof.slo import SLO, Service


def service_dashboard(
    service: Service,
    slos: Sequence[SLO],
    policies: Mapping[str, BurnPolicy],
    timing: Timing = REAL,
    links: Links = Links(),  # noqa: B008 - frozen, so one value serves every call
    extra: Sequence[Panel] = (),
) -> dict[str, Any]:
    """What somebody on call for the service looks at first.

    Args:
        service: whose dashboard it is.
        slos: its objectives, in the order shown.
        policies: burn policy by an SLO's `service/slo`; the workbook's where there is none.
        timing: intervals and scale of the rules that record the series.
        links: where alerts point; runbooks are linked where the address works from Grafana.
        extra: the workspace's own panels, shown last.

    Returns:
        Grafana JSON as plain values, the same for the same definitions.
    """
    sections = [Section("about", "", (_about(service),))]
    sections += [slo_section(slo, policies.get(slo.identity, DEFAULT_POLICY), timing, links) for slo in slos]
    if extra:
        sections.append(Section("own", "More about the service", _own(extra, timing)))
    return framed(
        service.name,
        f"{service.name}: service-level objectives",
        f"The objectives of {service.name}, their error budgets and their alerts.",
        sections,
        timing,
        tags=("slo", service.name),
        marks=_firing(service, timing),
        links=(("All objectives", links.dashboard.format(uid=names.dashboard_uid(OVERVIEW))),),
    )


def _firing(service: Service, timing: Timing) -> Selector:
    scale = (equals(names.SCALE, str(timing.scale)),) if timing.scale != 1 else ()
    return Selector("ALERTS", (equals(names.SERVICE, service.name), *scale, equals("alertstate", "firing")))


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
        width=24,
        height=4,
    )


def _own(panels: Sequence[Panel], timing: Timing) -> tuple[Tile, ...]:
    seen: Counter[str] = Counter()
    tiles = []
    for panel in panels:
        seen[panel.title] += 1
        # Two modules may give one service panels of one title; their ids must differ all the same.
        tiles.append(_tile(f"{panel.title}/{seen[panel.title]}", panel, timing))
    return tuple(tiles)


def _tile(key: str, panel: Panel, timing: Timing) -> Tile:
    return lines(
        key,
        panel.title,
        panel.description,
        [Query(panel.expression, panel.legend)],
        unit=panel.unit,
        limit=panel.limit,
        stacked=panel.stacked,
        width=panel.width,
        interval=timing.scrape,
    )
