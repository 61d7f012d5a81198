"""The finishing pass: from what grafanalib emits to what a current Grafana writes itself.

grafanalib's last release is of 2024 and emits the schema of 2016: nulls, keys of dead panel types,
data sources by name. Only what is listed here survives.
"""

import json
import zlib
from collections.abc import Iterable, Mapping, Sequence
from json.encoder import encode_basestring
from typing import Any

SCHEMA_VERSION = 41
"""What Grafana 12 loads without a migration; 42 and 43 only rewrite hidden-field overrides and
`formatTime` transformations, and there are none here, so newer servers show the same dashboard."""

DATA_SOURCE = {"type": "prometheus", "uid": "${datasource}"}

_WRITTEN_BY_GRAFANA = {
    "fiscalYearStartMonth": 0,
    "preload": False,
    "schemaVersion": SCHEMA_VERSION,
    "version": 1,
    "weekStart": "",
}
"""Keys of the document that Grafana adds to each dashboard that it saves."""

_DASHBOARD = ("annotations", "description", "editable", "graphTooltip", "links", "panels", "refresh", "tags")
_DASHBOARD_LAST = ("templating", "time", "timepicker", "timezone", "title", "uid")
_PANEL = ("description", "fieldConfig", "gridPos", "id", "interval", "links", "maxDataPoints", "options")
_PANEL_LAST = ("targets", "timeFrom", "title", "transformations", "type")
_ROW = ("collapsed", "gridPos", "id", "panels", "title", "type")
_PANEL_TYPES = frozenset({"bargauge", "gauge", "row", "stat", "state-timeline", "table", "text", "timeseries"})
_MARKERS = {"showThresholdLabels": False, "showThresholdMarkers": True}
_LARGEST_ID = 2**31 - 1


def finished(dashboard: Any) -> dict[str, Any]:
    """The dashboard as Grafana stores it.

    Args:
        dashboard: a grafanalib dashboard whose panels have ids and positions.

    Returns:
        Plain values only; no nulls, no keys that Grafana drops.

    Raises:
        ValueError: a panel is of a type that Grafana no longer has.
    """
    raw = json.loads(json.dumps(dashboard, default=lambda part: part.to_json_data()))
    document = _kept(raw, (*_DASHBOARD, *_DASHBOARD_LAST))
    document["panels"] = [_row(panel) if panel["type"] == "row" else _panel(panel) for panel in raw["panels"]]
    document["templating"] = {"list": [_variable(variable) for variable in raw["templating"]["list"]]}
    document["timepicker"] = {}
    document |= _WRITTEN_BY_GRAFANA
    return dict(sorted(_without_nulls(document).items()))


def to_json(dashboard: Mapping[str, Any]) -> str:
    """The file's text: the same bytes for the same dashboard, with a newline at its end."""
    return _indented(dashboard, "\n") + "\n"


def panel_ids(keys: Iterable[str]) -> dict[str, int]:
    """A number for each key that does not change when other panels come or go.

    Args:
        keys: distinct names of panels.

    Returns:
        Distinct numbers from 1; two keys that clash take the next free one, in the order given.
    """
    ids: dict[str, int] = {}
    taken: set[int] = set()
    for key in keys:
        number = zlib.crc32(key.encode()) % _LARGEST_ID + 1
        while number in taken:
            number = number % _LARGEST_ID + 1
        taken.add(number)
        ids[key] = number
    return ids


def _kept(document: Mapping[str, Any], keys: Sequence[str]) -> dict[str, Any]:
    return {key: document[key] for key in keys if key in document}


def _row(panel: Mapping[str, Any]) -> dict[str, Any]:
    return _kept(panel, _ROW)


def _panel(panel: Mapping[str, Any]) -> dict[str, Any]:
    if panel["type"] not in _PANEL_TYPES:
        raise ValueError(f"`{panel['type']}` is no panel type of a current Grafana")
    kept = _kept(panel, (*_PANEL, *_PANEL_LAST))
    if panel["type"] == "text":
        # A text panel asks nothing, so Grafana keeps neither a data source nor targets with it.
        return {key: value for key, value in kept.items() if key not in {"targets", "transformations"}}
    kept["datasource"] = DATA_SOURCE
    kept["targets"] = [_target(target) for target in panel["targets"]]
    kept["fieldConfig"] = _field_config(panel["fieldConfig"])
    if panel["type"] == "gauge":
        kept["options"] = _kept(kept["options"], ("orientation", "reduceOptions")) | _MARKERS
    if "legend" in kept["options"]:
        kept["options"]["legend"].setdefault("showLegend", True)
    if not kept["transformations"]:
        del kept["transformations"]
    return kept


def _target(target: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "datasource": DATA_SOURCE,
        "editorMode": "code",
        "expr": target["expr"],
        "format": target["format"],
        "instant": target["instant"],
        "legendFormat": target["legendFormat"] or "__auto",
        "range": not target["instant"],
        "refId": target["refId"],
    }


def _field_config(config: Mapping[str, Any]) -> dict[str, Any]:
    defaults = dict(config["defaults"])
    custom = dict(defaults.get("custom") or {})
    # grafanalib's table writes the cell type of Grafana 8.
    custom.pop("displayMode", None)
    if custom.get("scaleDistribution", {}).get("type") == "linear":
        custom["scaleDistribution"] = {"type": "linear"}
    if custom:
        defaults["custom"] = custom
    else:
        defaults.pop("custom", None)
    return {"defaults": defaults, "overrides": config.get("overrides") or []}


def _variable(variable: Mapping[str, Any]) -> dict[str, Any]:
    """The choice of the data source; what was chosen is Grafana's to remember, not the file's."""
    kept = _kept(variable, ("hide", "includeAll", "label", "multi", "name", "options", "query", "refresh", "type"))
    return kept | {"current": {}, "regex": "", "skipUrlSync": False}


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nulls(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [_without_nulls(item) for item in value]
    return value


def _indented(value: Any, line: str) -> str:
    """What `json.dumps` gives with `indent=2, sort_keys=True, ensure_ascii=False`, which is ten times slower.

    Args:
        value: plain values; the keys of maps are texts.
        line: a line break and the indentation of what stands around.
    """
    if isinstance(value, str):
        return encode_basestring(value)
    if value is True or value is False:
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)  # neither infinite nor NaN: no definition holds such
    deeper = f"{line}  "
    if isinstance(value, Mapping) and value:
        inside = [f"{encode_basestring(key)}: {_indented(one, deeper)}" for key, one in sorted(value.items())]
        return f"{{{deeper}{f',{deeper}'.join(inside)}{line}}}"
    if isinstance(value, list | tuple) and value:
        return f"[{deeper}{f',{deeper}'.join([_indented(one, deeper) for one in value])}{line}]"
    return json.dumps(value)
