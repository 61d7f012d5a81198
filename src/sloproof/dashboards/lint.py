"""What is unwise in a dashboard, whoever made it: the rules of Grafana's public dashboard linter, and ours.

The rules that bear the names of the public linter check the same; they are written anew from its documentation
(github.com/grafana/dashboard-linter, docs/index.md). Two of its kinds are left out: see `LEFT_OUT`.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from sloproof.dashboards.expressions import bare_counters, check_panel_expression, filled, fixed_rates

Panel = Mapping[str, Any]
Dashboard = Mapping[str, Any]

LEFT_OUT: Mapping[str, str] = MappingProxyType(
    {
        "template-job-rule": "recorded series are told apart by `service` and `slo`, and carry no `job`",
        "template-instance-rule": "recorded series are of a whole service, and carry no `instance`",
        "target-job-rule": "as `template-job-rule`",
        "target-instance-rule": "as `template-instance-rule`",
        "target-logql-rule": "every query here is PromQL",
        "target-logql-auto-rule": "every query here is PromQL",
    }
)
"""Rules of the public linter that do not fit dashboards of objectives, and why."""

AS_DEFINED = "What is judged"
"""The panel whose expression is the objective's own: its windows are those by which the objective is judged."""

_LIVING = frozenset(
    {
        *("row", "text", "timeseries", "stat", "gauge", "bargauge", "table", "state-timeline", "status-history"),
        *("heatmap", "histogram", "piechart", "barchart", "logs", "alertlist", "annolist", "dashlist", "news"),
        *("xychart", "trend", "canvas", "geomap", "nodeGraph", "traces", "candlestick", "flamegraph", "datagrid"),
    }
)
_QUIET = frozenset({"row", "text", "news", "dashlist", "annolist", "alertlist"})
"""Panels that ask no data source."""
_SAYS_NOTHING = frozenset({"stat", "gauge", "table", "state-timeline"})
"""Panels in which nothing at all would look like zero, or like fine."""
_EVERY_TIME_RANGE = 2


@dataclass(frozen=True)
class Finding:
    """Something unwise.

    Args:
        rule: its id.
        panel: the panel's title; empty for the dashboard as a whole.
        what: the sentence, literals in backticks, no full stop.
    """

    rule: str
    panel: str
    what: str

    def __str__(self) -> str:
        return f"{f'{self.panel}: ' if self.panel else ''}{self.what} [{self.rule}]"


def lint(dashboard: Dashboard) -> list[Finding]:
    """Everything unwise in a dashboard, the dashboard as a whole first.

    Args:
        dashboard: Grafana JSON as plain values, ours or anybody's.
    """
    panels = list(_panels(_maps(dashboard.get("panels"))))
    found = [Finding(rule, "", what) for rule, check in _OF_DASHBOARDS.items() for what in check(dashboard)]
    found += [Finding("panel-unique-id", "", f"two panels have the id `{number}`") for number in _twice(panels)]
    for panel in panels:
        title = str(panel.get("title") or f"panel {panel.get('id')}")
        for rule, check in _OF_PANELS.items():
            found += [Finding(rule, title, what) for what in check(panel)]
    return found


def _panels(panels: Sequence[Panel]) -> Iterator[Panel]:
    """Panels, and those that a collapsed row holds."""
    for panel in panels:
        yield panel
        yield from _panels(_maps(panel.get("panels")))


def _maps(value: object) -> list[Mapping[str, Any]]:
    """The maps of a list; anybody's dashboard may hold anything there."""
    return [one for one in value if isinstance(one, Mapping)] if isinstance(value, list | tuple) else []


def _map(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _defaults(panel: Panel) -> Mapping[str, Any]:
    return _map(_map(panel.get("fieldConfig")).get("defaults"))


def _kind(panel: Panel) -> str:
    return str(panel.get("type"))


def _twice(panels: Sequence[Panel]) -> list[Any]:
    return [number for number, times in Counter(str(panel.get("id")) for panel in panels).items() if times > 1]


def _variables(dashboard: Dashboard) -> list[Mapping[str, Any]]:
    return _maps(_map(dashboard.get("templating")).get("list"))


def _data_source_variable(dashboard: Dashboard) -> Iterator[str]:
    found = [one for one in _variables(dashboard) if one.get("type") == "datasource"]
    if not found:
        yield "there is no variable for the data source, so nobody can choose another Prometheus"
    for one in found:
        if str(one.get("query")) not in {"prometheus", "loki"}:
            yield f"the data source's variable `{one.get('name')}` offers `{one.get('query')}`, not `prometheus`"
        if str(one.get("name")) not in {"datasource", f"{one.get('query')}_datasource"}:
            yield f"the data source's variable is called `{one.get('name')}`, not `datasource`"


def _query_variables(dashboard: Dashboard) -> Iterator[str]:
    for one in _variables(dashboard):
        if one.get("type") == "query" and one.get("refresh") != _EVERY_TIME_RANGE:
            yield f"the variable `{one.get('name')}` is not asked for again when the time range changes"


def _editable(dashboard: Dashboard) -> Iterator[str]:
    if dashboard.get("editable", True):
        yield "it can be edited in Grafana, where the next generation overwrites what was changed"


def _type(panel: Panel) -> Iterator[str]:
    if _kind(panel) not in _LIVING:
        yield f"`{_kind(panel)}` is no panel type of a current Grafana"


def _data_source(panel: Panel) -> Iterator[str]:
    if _kind(panel) in _QUIET:
        return
    for where in (panel, *_maps(panel.get("targets"))):
        source = where.get("datasource")
        uid = str(source.get("uid", "") if isinstance(source, Mapping) else source or "")
        if not uid.startswith("$"):
            yield f"it asks the data source `{uid}`, whatever is chosen at the top"
            return


def _told(panel: Panel) -> Iterator[str]:
    if not str(panel.get("title") or "").strip():
        yield "it has no title"
    if panel.get("type") != "row" and not str(panel.get("description") or "").strip():
        yield "it has no description, so that nobody learns how to read it"


def _unit(panel: Panel) -> Iterator[str]:
    if _kind(panel) not in _QUIET and not _defaults(panel).get("unit"):
        yield "it has no unit"


def _targets(panel: Panel) -> Iterator[str]:
    targets = _maps(panel.get("targets"))
    if _kind(panel) not in _QUIET and not targets:
        yield "it asks nothing"
    for name, times in Counter(str(target.get("refId")) for target in targets).items():
        if times > 1:
            yield f"two queries are called `{name}`"


def _expressions(panel: Panel) -> Iterator[str]:
    return (str(target["expr"]) for target in _maps(panel.get("targets")) if target.get("expr"))


def _promql(panel: Panel) -> Iterator[str]:
    for text in _expressions(panel):
        try:
            check_panel_expression(text)
        except ValueError as error:
            yield str(error)


def _rates(panel: Panel) -> Iterator[str]:
    if panel.get("title") != AS_DEFINED:
        for text in _readable(panel):
            yield from (
                f"`{one}` has a window of its own; `$__rate_interval` is never too short" for one in fixed_rates(text)
            )


def _counters(panel: Panel) -> Iterator[str]:
    for text in _readable(panel):
        yield from (f"the counter `{name}` is read without `rate`" for name in bare_counters(text))


def _readable(panel: Panel) -> Iterator[str]:
    for text in _expressions(panel):
        try:
            check_panel_expression(filled(text))
        except ValueError:
            continue  # target-promql-rule tells it
        yield text


def _no_data(panel: Panel) -> Iterator[str]:
    if _kind(panel) in _SAYS_NOTHING and not str(_defaults(panel).get("noValue") or "").strip():
        yield "it says nothing where there is no data, and nothing looks like fine"


_OF_DASHBOARDS: Mapping[str, Callable[[Dashboard], Iterator[str]]] = {
    "template-datasource-rule": _data_source_variable,
    "template-on-time-change-reload-rule": _query_variables,
    "uneditable-dashboard": _editable,
}
_OF_PANELS: Mapping[str, Callable[[Panel], Iterator[str]]] = {
    "panel-living-type": _type,
    "panel-datasource-rule": _data_source,
    "panel-title-description-rule": _told,
    "panel-units-rule": _unit,
    "panel-no-targets-rule": _targets,
    "panel-no-data": _no_data,
    "target-promql-rule": _promql,
    "target-rate-interval-rule": _rates,
    "target-counter-agg-rule": _counters,
}
RULES = (*_OF_DASHBOARDS, "panel-unique-id", *_OF_PANELS)
"""The id of every rule that is checked."""
