"""The linter of dashboards: each rule finds its fault, and only that."""

import copy
from collections.abc import Callable
from typing import Any

import pytest

from sloproof.dashboards.lint import LEFT_OUT, RULES, lint

SOURCE = {"type": "prometheus", "uid": "${datasource}"}
SOUND: dict[str, Any] = {
    "editable": False,
    "templating": {"list": [{"name": "datasource", "type": "datasource", "query": "prometheus"}]},
    "panels": [
        {"id": 1, "type": "row", "title": "Now", "panels": []},
        {
            "id": 2,
            "type": "stat",
            "title": "Requests",
            "description": "How many come.",
            "datasource": SOURCE,
            "fieldConfig": {"defaults": {"unit": "reqps", "noValue": "no data"}},
            "targets": [{"refId": "A", "datasource": SOURCE, "expr": "sum(rate(x_total[$__rate_interval]))"}],
        },
    ],
}

Change = Callable[[dict[str, Any]], object]


def stat(dashboard: dict[str, Any]) -> dict[str, Any]:
    panel: dict[str, Any] = dashboard["panels"][1]
    return panel


def asks(expression: str) -> Change:
    return lambda dashboard: stat(dashboard)["targets"][0].update(expr=expression)


FAULTS: dict[str, Change] = {
    "template-datasource-rule": lambda d: d["templating"].update(list=[]),
    "template-on-time-change-reload-rule": lambda d: d["templating"]["list"].append(
        {"name": "pod", "type": "query", "refresh": 1}
    ),
    "uneditable-dashboard": lambda d: d.pop("editable"),
    "panel-unique-id": lambda d: stat(d).update(id=1),
    "panel-living-type": lambda d: stat(d).update(type="graph"),
    "panel-datasource-rule": lambda d: stat(d)["targets"][0].update(datasource={"uid": "abc"}),
    "panel-title-description-rule": lambda d: stat(d).update(description=" "),
    "panel-units-rule": lambda d: stat(d)["fieldConfig"]["defaults"].pop("unit"),
    "panel-no-targets-rule": lambda d: stat(d).update(targets=[]),
    "panel-no-data": lambda d: stat(d)["fieldConfig"]["defaults"].pop("noValue"),
    "target-promql-rule": asks("sum(rate(x_total[$__rate_interval])"),
    "target-rate-interval-rule": asks("sum(rate(x_total[5m]))"),
    "target-counter-agg-rule": asks("sum(x_total)"),
}


def test_a_sound_dashboard_has_no_findings() -> None:
    assert lint(SOUND) == []


@pytest.mark.parametrize("rule", FAULTS)
def test_each_rule_finds_its_fault_and_no_other_rule_does(rule: str) -> None:
    dashboard = copy.deepcopy(SOUND)
    FAULTS[rule](dashboard)
    assert {finding.rule for finding in lint(dashboard)} == {rule}


def test_every_rule_is_tried() -> None:
    assert set(FAULTS) == set(RULES)


def test_every_rule_of_the_public_linter_is_checked_or_left_out_with_a_reason() -> None:
    public = {
        *("template-datasource-rule", "template-job-rule", "template-instance-rule"),
        *("template-on-time-change-reload-rule", "panel-datasource-rule", "panel-title-description-rule"),
        *("panel-units-rule", "panel-no-targets-rule", "target-promql-rule", "target-rate-interval-rule"),
        *("target-job-rule", "target-instance-rule", "target-counter-agg-rule", "target-logql-rule"),
        *("target-logql-auto-rule", "uneditable-dashboard"),
    }
    assert public <= {*RULES, *LEFT_OUT}
    assert not set(RULES) & set(LEFT_OUT)
    assert all(LEFT_OUT.values())


@pytest.mark.parametrize(
    "expression",
    [
        "max_over_time(sum(rate(x_total[$__rate_interval]))[1h:1m])",
        "histogram_quantile(0.9, sum by (le) (increase(x_bucket[$__rate_interval])))",
        "resets(x_total[1h])",
        "slo:total:rate5m",
        "avg_over_time(temperature[1h])",
    ],
)
def test_what_is_right_is_left_alone(expression: str) -> None:
    dashboard = copy.deepcopy(SOUND)
    asks(expression)(dashboard)
    assert lint(dashboard) == []


@pytest.mark.parametrize(
    "broken",
    [
        {"panels": [None, 3, {"type": [], "id": {}, "targets": 7, "fieldConfig": "x"}]},
        {"panels": [{"type": "stat", "targets": [None, {"expr": 7, "refId": []}], "panels": "no"}]},
        {"templating": [], "panels": None},
        {"templating": {"list": [1, {"type": "datasource", "query": {}, "name": []}]}},
    ],
)
def test_what_no_grafana_writes_is_found_fault_with_and_breaks_nothing(broken: dict[str, Any]) -> None:
    assert "template-datasource-rule" in {finding.rule for finding in lint(broken)}


def test_panels_of_a_collapsed_row_are_read_too() -> None:
    dashboard = copy.deepcopy(SOUND)
    dashboard["panels"][0]["panels"] = [dashboard["panels"].pop()]
    dashboard["panels"][0]["panels"][0]["type"] = "singlestat"
    (finding,) = lint(dashboard)
    assert str(finding) == "Requests: `singlestat` is no panel type of a current Grafana [panel-living-type]"
