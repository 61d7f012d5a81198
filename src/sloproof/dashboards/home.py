"""The page that somebody on call opens first: what fires, what burns, what is not known, and where to go."""

from collections.abc import Sequence
from typing import Any

from sloproof import names
from sloproof.alerts import REAL, Links, Timing
from sloproof.dashboards.alert_list import alert_list
from sloproof.dashboards.frame import framed, plain_words
from sloproof.dashboards.objectives import Policies, burn_of_each, burn_steps, numbers, objectives_table
from sloproof.dashboards.overview import note
from sloproof.dashboards.scope import Scope
from sloproof.dashboards.tiles import TIMES, Query, Section, Tile, lines, text
from sloproof.promql import Number, call
from sloproof.slo import SLO, Service

_QUIET = "no alert is pending or firing; that is fine only while nothing above is unmeasured"


def home_dashboard(
    slos: Sequence[SLO],
    policies: Policies,
    timing: Timing = REAL,
    links: Links = Links(),  # noqa: B008 - frozen, so one value serves every call
) -> dict[str, Any]:
    """What a page of an alert leaves open: is it alone, what else burns, whom does it hurt, whom to call.

    Args:
        slos: every SLO of the workspace.
        policies: burn policy by an SLO's `service/slo`; the workbook's where there is none.
        timing: intervals and scale of the rules that record the series.
        links: where the runbooks are.

    Returns:
        Grafana JSON as plain values.
    """
    ordered, scope = sorted(slos, key=lambda slo: slo.identity), Scope(timing)
    sections = [
        Section("now", "", (*numbers(ordered, scope, width=4), note())),
        Section("alerts", "", (alert_list(scope, links, empty_while=_QUIET, width=16, height=9), _people(ordered))),
        Section("burns", "", (_fastest(ordered, policies, scope),)),
        Section("slos", "", (objectives_table(ordered, policies, scope, highest=10),)),
    ]
    return framed(
        names.HOME,
        "On call",
        "What fires now and since when, what burns fastest, what is not measured, and whom to call.",
        sections,
        timing,
        tags=("slo", "on-call"),
        marks=scope.marking(),
    )


def _people(slos: Sequence[SLO]) -> Tile:
    services: dict[str, Service] = {}
    for slo in slos:
        services.setdefault(slo.service.name, slo.service)
    rows = [
        f"| [{service.name}](/d/{names.dashboard_uid(service.name)}) | {_cell(service.owner)} | "
        f"{_cell(service.escalation)} | {_cell(', '.join(service.depends_on))} |"
        for service in services.values()
    ]
    return text(
        "people",
        "Services and people",
        "Each service, who owns it, whom to call when the owner does not answer, and what it depends on.",
        "\n".join(["| service | owner | escalation | depends on |", "|---|---|---|---|", *rows]),
        width=8,
        height=9,
    )


def _cell(words: str) -> str:
    return plain_words(words).replace("|", "\\|") or "not said"


def _fastest(slos: Sequence[SLO], policies: Policies, scope: Scope) -> Tile:
    return lines(
        "fastest",
        "What burns fastest",
        "The five objectives that burn fastest, over the long window of their fastest pair. Above the orange line a "
        "budget will not last; from the red one on somebody is woken.",
        [Query(call("topk", Number(5), burn_of_each(slos, policies, scope)), "{{service}}/{{slo}}")],
        unit=TIMES,
        steps=((None, "transparent"), *burn_steps(slos, policies)[1:]),
        width=24,
        interval=scope.timing.real(scope.timing.evaluation),
    )
