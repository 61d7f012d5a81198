"""Every objective on one page, the worst budget first."""

from collections.abc import Sequence
from typing import Any

from sloproof import names
from sloproof.alerts import REAL, Timing
from sloproof.dashboards.frame import NOTE, framed
from sloproof.dashboards.objectives import Policies, budgets, burns, numbers, objectives_table
from sloproof.dashboards.scope import Scope
from sloproof.dashboards.tiles import Section, Tile, text
from sloproof.slo import SLO

OVERVIEW = names.OVERVIEW


def overview_dashboard(slos: Sequence[SLO], policies: Policies, timing: Timing = REAL) -> dict[str, Any]:
    """One row for each SLO, and how many are in trouble.

    Args:
        slos: every SLO of the workspace.
        policies: burn policy by an SLO's `service/slo`; the workbook's where there is none.
        timing: intervals and scale of the rules that record the series.

    Returns:
        Grafana JSON as plain values. An SLO without data keeps its row, and says so.
    """
    ordered, scope = sorted(slos, key=lambda slo: slo.identity), Scope(timing)
    sections = [
        Section("now", "", (*numbers(ordered, scope), note())),
        Section("slos", "", (objectives_table(ordered, policies, scope),)),
        Section("trends", "", (budgets(scope), burns(ordered, policies, scope))),
    ]
    return framed(
        OVERVIEW,
        "Service-level objectives",
        "Every objective: budget left, burn now, alerts that fire; the worst first.",
        sections,
        timing,
        tags=("slo",),
        marks=scope.burning(),
    )


def note(width: int = 8) -> Tile:
    """Where a page comes from and how to read it."""
    return text(
        "note", "About this page", "Where this page comes from and how to read it.", NOTE, width=width, height=4
    )
