"""Where a reader goes on from a panel: to the runbook, to Prometheus, to Grafana's own page for queries."""

import json
from typing import Any
from urllib.parse import quote

from sloproof.alerts import Links

_DATA_SOURCE = "${datasource}"
_RANGE = "6h"


def reference(alert: str, links: Links) -> str:
    """The runbook of an alert in Markdown: a link where the address works from Grafana, else a path to find it by."""
    address = links.runbook.format(alert=alert)
    return f"[{alert}]({address})" if _reachable(address) else f"`{address}`"


def runbook_link(alert: str, links: Links) -> list[dict[str, Any]]:
    """The link in a panel's corner; none to a page that Grafana cannot open."""
    address = links.runbook.format(alert=alert)
    return [_link(f"Runbook of {alert}", address)] if _reachable(address) else []


def asking(expression: str, links: Links) -> list[str]:
    """The places that answer a query, in Markdown."""
    return [f"[{link['title']}]({link['url']})" for link in query_links(expression, links)]


def query_links(expression: str, links: Links) -> list[dict[str, Any]]:
    """The places that answer a query: Prometheus where its address is known, and Grafana's Explore.

    Args:
        expression: PromQL without Grafana's own variables.
        links: which of them are known.
    """
    found = []
    if links.prometheus:
        asked = f"g0.expr={quote(expression, safe='')}&g0.tab=0&g0.range_input={_RANGE}"
        found.append(_link("Open in Prometheus", f"{links.prometheus.rstrip('/')}/graph?{asked}"))
    return [*found, _link("Open in Explore", _explore(expression))]


def _explore(expression: str) -> str:
    source = {"type": "prometheus", "uid": _DATA_SOURCE}
    asked = {"datasource": source, "expr": expression, "refId": "A"}
    pane = {"datasource": _DATA_SOURCE, "queries": [asked], "range": {"from": f"now-{_RANGE}", "to": "now"}}
    written = quote(json.dumps({"a": pane}, separators=(",", ":")), safe="")
    # Grafana puts the chosen data source in, which it only knows unescaped.
    return f"/explore?schemaVersion=1&panes={written.replace(quote(_DATA_SOURCE, safe=''), _DATA_SOURCE)}"


def _link(title: str, address: str) -> dict[str, Any]:
    return {"title": title, "url": address, "targetBlank": True}


def _reachable(address: str) -> bool:
    return address.startswith(("http://", "https://", "/"))
