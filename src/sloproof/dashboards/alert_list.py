"""What fires and what is pending, as a list: the worst first, each with its runbook and how long it has lasted."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from sloproof import names
from sloproof.alerts import Links
from sloproof.dashboards.scope import Scope
from sloproof.dashboards.tables import Column, table
from sloproof.dashboards.tiles import Steps, Tile
from sloproof.promql import Expression, Matcher, call

WAKES = Matcher(names.SEVERITY, "=~", "page|critical")
"""Alerts that wake somebody."""
_WORDS: Mapping[str, Any] = {
    "type": "value",
    "options": {
        "1": {"color": "orange", "index": 0, "text": "pending"},
        "2": {"color": "orange", "index": 1, "text": "pending"},
        "3": {"color": "red", "index": 2, "text": "firing"},
        "4": {"color": "red", "index": 3, "text": "firing"},
    },
}
"""What `_state` answers, in words."""
_STATES: Steps = ((None, "orange"), (Decimal(3), "red"))
_SHOWN = {
    names.ALERT_NAME: "alert",
    names.SEVERITY: "severity",
    names.SERVICE: "service",
    names.SLO: "objective",
}


def alert_list(scope: Scope, links: Links, *, empty_while: str, width: int, height: int) -> Tile:
    """Every alert of a page's objectives and causes that is pending or firing now.

    Args:
        scope: of the page.
        links: where the runbooks are.
        empty_while: why no rows may be as it should be.
        width: of 24 columns.
        height: in rows.
    """
    shown = {label: title for label, title in _SHOWN.items() if not (scope.service and label == names.SERVICE)}
    state = _state(scope, tuple(shown))
    address = links.runbook.format(alert="${__value.text}")
    runbook = {"title": "Runbook of ${__value.text}", "url": address, "targetBlank": True}
    return table(
        "alerts-now",
        "Alerts now",
        "Every alert of these rules that is pending or firing: the firing ones first, of them those that wake somebody "
        "first; how long it has been so; its name opens its runbook.",
        shown,
        [
            Column("state", state, "none", steps=_STATES, mappings=(_WORDS,), first=True),
            Column("for", _lasted(scope, tuple(shown)).both(state), "s", decimals=1),
        ],
        sort_by="state",
        descending=True,
        links={"alert": runbook} if address.startswith(("http://", "https://", "/")) else {},
        width=width,
        height=height,
        empty_while=empty_while,
        optional=("objective",),
    )


def _state(scope: Scope, by: tuple[str, ...]) -> Expression:
    """4 for what fires and wakes somebody, 3 for what fires; 2 and 1 for what is pending."""
    firing, pending = scope.alerts("firing"), scope.alerts("pending")
    waking = firing.matching(WAKES).largest(by=by) * 4
    others = pending.matching(WAKES).largest(by=by) * 2
    return waking.otherwise(firing.largest(by=by) * 3).otherwise(others).otherwise(pending.largest(by=by))


def _lasted(scope: Scope, by: tuple[str, ...]) -> Expression:
    """Seconds since an alert's expression began to hold, of the series that has held longest."""
    return call("time") - scope.since().smallest(by=by)
