"""The dashboards as Grafana gets them: linted with the rules of Grafana's own linter, and parsed by its models."""

import json
import re
import subprocess
import sys
from decimal import Decimal
from itertools import combinations
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from grafana_foundation_sdk.cog import encoder
from grafana_foundation_sdk.cog import plugins as grafana_plugins
from grafana_foundation_sdk.models.dashboard import Dashboard

from sloproof.alerts import DEFAULT_POLICY, BurnPolicy, Links, Timing
from sloproof.dashboards import (
    AskedLoad,
    Breakdown,
    Capacity,
    OtherAlert,
    Panel,
    PlannedFaults,
    Step,
    breakdown_dashboard,
    chaos_dashboard,
    home_dashboard,
    load_dashboard,
    overview_dashboard,
    service_dashboard,
    slo_dashboard,
    to_json,
    trend_dashboard,
)
from sloproof.dashboards.lint import lint
from sloproof.slo import SLO, ErrorRatio, GaugeBelow, HistogramBelow, LatencyBelow, Service

DATA_SOURCE = {"type": "prometheus", "uid": "${datasource}"}

shop = Service(
    name="shop",
    owner="checkout <b>team</b>",
    job="shop",
    description="people pay ${amount} with it",
    depends_on=("PostgreSQL", "the bank"),
)
paid = SLO(
    service=shop,
    name="availability",
    objective="99.9",
    sli=ErrorRatio(errors='http_requests_total{job="shop",code=~"5.."}', total='http_requests_total{job="shop"}'),
)
quick = SLO(
    service=shop,
    name="latency",
    objective="95",
    sli=LatencyBelow("500ms", histogram='http_request_duration_seconds{job="shop"}'),
)
balance = Panel(
    title="Share by instance",
    description="Fair is one half each.",
    expression='sum by (instance) (rate(http_requests_total{job="shop"}[$__rate_interval]))',
    unit="reqps",
    legend="{{instance}}",
)


full = SLO(
    service=shop,
    name="disk",
    objective="95",
    sli=GaugeBelow("0.8", gauge='avg by (pod) (rate(disk_used_total{job="shop"}[5m]))', meaning="there is room"),
)
by_tenant = SLO(service=shop, name="fair", objective="99", sli=paid.sli, by=("tenant",))
dial = Panel(
    title="Cache hits",
    description="Of the look-ups.",
    expression='cache_hit_rate{job="shop"}',
    unit="percentunit",
    kind="gauge",
    steps=(Step(colour="red"), Step(at="0.6", colour="yellow"), Step(at="0.8", colour="green")),
)
by_route = Breakdown(
    service=shop,
    label="route",
    requests='http_requests_total{job="shop"}',
    errors='http_requests_total{job="shop",code=~"5.."}',
    histogram='http_request_duration_seconds{job="shop"}',
    description="Routes of the shop.",
)
by_instance = by_route.model_copy(update={"label": "instance", "even": True})
connections = Capacity(
    service=shop,
    title="Connections",
    description="Beyond it they wait.",
    expression='sum(db_connections{job="shop"})',
    limit=80,
    unit="none",
)
LOWERED = OtherAlert("ShopAvailabilityBudgetLow", "ticket")
LOADS = [
    AskedLoad("steady", "an ordinary | moment", 200, Decimal(200), "26s"),
    AskedLoad("many", "as they like", 400, None, "5m"),
]
FAULTS = [PlannedFaults("lose-one", ("20s: kill `a1`",), ("the objective holds",))]


def slo_page(slo: SLO = paid, **others: Any) -> dict[str, Any]:
    return slo_dashboard(slo, DEFAULT_POLICY, **others)


def shop_dashboard(**others: Any) -> dict[str, Any]:
    return service_dashboard(shop, [paid, quick], {}, **{"extra": [balance, dial], **others})


DASHBOARDS = {
    "service": shop_dashboard(),
    "overview": overview_dashboard([paid, quick], {}),
    "home": home_dashboard([paid, quick, by_tenant], {}, links=Links(runbook="https://wiki.example/{alert}")),
    "slo": slo_page(alerts=[LOWERED], breakdowns=[by_route]),
    "latency": slo_page(quick, breakdowns=[by_route]),
    "gauge": slo_page(full),
    "groups": slo_page(by_tenant),
    "route": breakdown_dashboard(by_route),
    "instance": breakdown_dashboard(by_instance),
    "load": load_dashboard(shop, [paid, quick, full], {}, LOADS),
    "chaos": chaos_dashboard(shop, [paid, quick], {}, FAULTS),
    "trend": trend_dashboard(shop, [paid, by_tenant], [connections, connections]),
    "scaled": slo_page(timing=Timing(scale=120, scrape="500ms")),
}


@pytest.fixture(params=DASHBOARDS, ids=str)
def dashboard(request: pytest.FixtureRequest) -> dict[str, Any]:
    return DASHBOARDS[request.param]


def asking(dashboard: dict[str, Any]) -> list[dict[str, Any]]:
    return [panel for panel in dashboard["panels"] if panel["type"] not in {"row", "text"}]


def targets(dashboard: dict[str, Any]) -> list[dict[str, Any]]:
    return [target for panel in asking(dashboard) for target in panel["targets"]]


def titled(dashboard: dict[str, Any], start: str) -> dict[str, Any]:
    return next(panel for panel in dashboard["panels"] if panel["title"].startswith(start))


# The rules of grafana/dashboard-linter, and ours.


def test_the_linter_finds_nothing(dashboard: dict[str, Any]) -> None:
    assert lint(dashboard) == []


def test_every_query_is_asked_once_or_over_the_range(dashboard: dict[str, Any]) -> None:
    assert all(target["instant"] is not target["range"] for target in targets(dashboard))


def test_recorded_series_are_never_rated(dashboard: dict[str, Any]) -> None:
    for target in targets(dashboard):
        assert not re.search(r"(?:rate|increase)\(slo:", target["expr"]), target["expr"]


def test_nothing_is_found_as_fine_where_there_is_no_data(dashboard: dict[str, Any]) -> None:
    for panel in asking(dashboard):
        defaults = panel["fieldConfig"]["defaults"]
        if panel["type"] in {"stat", "gauge", "table", "state-timeline"}:
            assert defaults["noValue"], panel["title"]
            assert defaults["mappings"][0]["options"]["result"]["text"] == "no data"


def test_nobody_edits_it_by_hand_and_everybody_is_told(dashboard: dict[str, Any]) -> None:
    assert dashboard["editable"] is False
    notes = [panel["options"]["content"] for panel in dashboard["panels"] if panel["type"] == "text"]
    sides = ("chaos", "load", "trend")
    assert dashboard["uid"].endswith(sides) or any("Generated by sloproof" in note for note in notes)


# What a current Grafana writes itself.


def test_only_living_panel_types(dashboard: dict[str, Any]) -> None:
    living = {"row", "text", "timeseries", "stat", "table", "state-timeline", "gauge", "bargauge"}
    assert {panel["type"] for panel in dashboard["panels"]} <= living


def test_there_are_no_nulls_and_no_keys_of_dead_schemas(dashboard: dict[str, Any]) -> None:
    text = to_json(dashboard)
    assert "null" not in re.sub(r'"null\+nan"', "", text)
    dead = (
        "hideControls",
        "sharedCrosshair",
        "gnetId",
        "__inputs",
        "rows",
        "span",
        "style",
        "fieldOptions",
        'step": 10',
    )
    assert not [key for key in dead if f'"{key}"' in text]


def test_panels_neither_overlap_nor_leave_the_grid(dashboard: dict[str, Any]) -> None:
    places = [panel["gridPos"] for panel in dashboard["panels"]]
    assert all(place["x"] >= 0 and place["x"] + place["w"] <= 24 for place in places)
    for one, other in combinations(places, 2):
        beside = one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
        below = one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"]
        assert beside or below, (one, other)


def test_it_has_what_a_dashboard_needs(dashboard: dict[str, Any]) -> None:
    assert dashboard["schemaVersion"] == 41
    assert dashboard["graphTooltip"] == 1
    assert 8 <= len(dashboard["uid"]) <= 40
    assert dashboard["refresh"] and dashboard["tags"] and dashboard["time"]["to"] == "now"


def test_grafanas_own_models_read_it_and_keep_everything(dashboard: dict[str, Any]) -> None:
    grafana_plugins.register_default_plugins()
    text = to_json(dashboard)
    kept = json.loads(json.dumps(Dashboard.from_json(json.loads(text)), cls=encoder.JSONEncoder))
    assert list(lost(json.loads(text), kept)) == []


KNOWN_LOSSES = {
    # Grafana's own defaults, which the models of the 10.1 schema do not list or hold for absent; of an annotation's
    # target they know Grafana's own fields alone, and none of a data source's query.
    "annotations.list[0].builtIn",
    "annotations.list[1].target.expr",
    "annotations.list[1].target.interval",
    "annotations.list[1].target.refId",
    "annotations.list[1].tagKeys",
    "annotations.list[1].titleFormat",
}


def lost(given: Any, kept: Any, path: str = "") -> Any:
    """Where the parsed dashboard differs from what was given, other than by added defaults."""
    if isinstance(given, dict) and isinstance(kept, dict):
        for key, value in given.items():
            place = f"{path}.{key}" if path else key
            if key not in kept:
                yield from () if place in KNOWN_LOSSES else (f"{place}: dropped",)
            else:
                yield from lost(value, kept[key], place)
    elif isinstance(given, list) and isinstance(kept, list):
        if len(given) != len(kept):
            yield f"{path}: {len(given)} became {len(kept)}"
        for index, (one, other) in enumerate(zip(given, kept, strict=False)):
            yield from lost(one, other, f"{path}[{index}]")
    elif given != kept:
        yield f"{path}: {given!r} became {kept!r}"


# What somebody on call is told.


def test_an_slo_shows_everything_that_is_asked_of_it() -> None:
    shown = {panel["title"] for panel in DASHBOARDS["slo"]["panels"]}
    assert shown >= {
        "Objective",
        "Good over 30d",
        "Good, last 5m",
        "Error budget left",
        "Bad events left",
        "Budget gone in",
        "Burn rate, 1h",
        "Measured",
        "Alerts",
        "Runbooks and queries",
        "Burn, fast pair 1h/5m",
        "Burn, medium pair 6h/30m",
        "Burn, slow pair 1d/2h",
        "Burn, trickle pair 3d/6h",
        "Bad events of all events",
        "Budget burn-down, last 30d",
        "Events",
        "Top burning, by instance",
        "Top burning, by route",
        "Bad events by instance",
    }
    assert "Latency" in {panel["title"] for panel in DASHBOARDS["latency"]["panels"]}
    assert "What is judged" in {panel["title"] for panel in DASHBOARDS["gauge"]["panels"]}
    assert "Top burning, by tenant" in {panel["title"] for panel in DASHBOARDS["groups"]["panels"]}


def test_each_page_marks_alerts_chaos_runs_load_runs_and_deploys(dashboard: dict[str, Any]) -> None:
    marks = {mark["name"]: mark for mark in dashboard["annotations"]["list"]}
    assert list(marks) == ["Annotations & Alerts", "Firing alerts", "Chaos runs", "Load runs", "Deploys"]
    tags = {name: mark["target"]["tags"] for name, mark in marks.items() if mark.get("target", {}).get("tags")}
    service = tags["Deploys"][1:]
    assert service in ([], ["shop"])
    assert tags["Chaos runs"] == ["sloproof", "chaos", *service]
    assert tags["Load runs"] == ["sloproof", "load", *service]


def test_an_objectives_page_is_headed_by_its_promise_in_words() -> None:
    rows = [panel["title"] for panel in DASHBOARDS["slo"]["panels"] if panel["type"] == "row"]
    assert rows[0] == "availability: 99.9 % answered without a server error, over 30d"
    assert rows[-1] == "Who burns it"


def test_the_budget_is_green_above_zero_red_below_and_grey_when_unknown() -> None:
    defaults = titled(DASHBOARDS["slo"], "Error budget left")["fieldConfig"]["defaults"]
    assert defaults["thresholds"]["steps"] == [{"color": "red"}, {"color": "green", "value": 0.0}]
    assert defaults["noValue"] == "no data"
    unknown = defaults["mappings"][0]["options"]
    assert unknown["match"] == "null+nan"
    assert unknown["result"]["color"] not in {"green", "red", "orange"}


@pytest.mark.parametrize("title", ["Good, last 5m", "Budget gone in", "Burn rate, 1h"])
def test_too_few_events_look_neither_fine_nor_like_no_data(title: str) -> None:
    panel = titled(DASHBOARDS["slo"], title)
    unknown, few = panel["fieldConfig"]["defaults"]["mappings"][:2]
    word = few["options"]["-1"]
    assert word["text"] == "too few events"
    assert word["color"] not in {"green", "red", "orange", unknown["options"]["result"]["color"]}
    # 3 bad events of 208 are 1.44 %, the fast pair's threshold.
    expression = panel["targets"][0]["expr"]
    assert ">= 209" in expression and ">= 3" in expression and expression.rstrip(")").endswith("* 0) - 1")


def test_each_pair_has_the_line_above_which_it_fires() -> None:
    steps = titled(DASHBOARDS["slo"], "Burn, fast")["fieldConfig"]["defaults"]["thresholds"]["steps"]
    assert steps[-1] == {"color": "red", "value": 14.4}
    ticket = titled(DASHBOARDS["slo"], "Burn, slow")["fieldConfig"]["defaults"]["thresholds"]["steps"]
    assert ticket[-1] == {"color": "orange", "value": 3.0}
    custom = titled(DASHBOARDS["slo"], "Burn, fast")["fieldConfig"]["defaults"]["custom"]
    assert custom["thresholdsStyle"]["mode"] == "line+area"
    assert custom["axisSoftMax"] > 14.4


def test_alerts_beside_the_tiers_have_their_state_and_their_runbook() -> None:
    legends = [target["legendFormat"] for target in titled(DASHBOARDS["slo"], "Alerts")["targets"]]
    assert legends[-1] == "BudgetLow (ticket)"
    assert "ShopAvailabilityBudgetLow" in titled(DASHBOARDS["slo"], "Runbooks")["options"]["content"]


def test_runbooks_are_linked_only_where_the_address_works_from_grafana() -> None:
    near = titled(DASHBOARDS["slo"], "Runbooks")["options"]["content"]
    assert "`runbooks/ShopAvailabilityFastBurn.md`" in near
    assert "](runbooks" not in near
    far = slo_page(links=Links(runbook="https://wiki.example/{alert}"))
    assert (
        "[ShopAvailabilityFastBurn](https://wiki.example/ShopAvailabilityFastBurn)"
        in (titled(far, "Runbooks")["options"]["content"])
    )
    assert titled(far, "Burn, fast")["links"][0]["url"] == "https://wiki.example/ShopAvailabilityFastBurn"


def test_prometheus_is_linked_where_its_address_is_known_and_explore_always() -> None:
    (explore,) = titled(DASHBOARDS["slo"], "Burn, fast")["links"]
    pane = json.loads(parse_qs(urlsplit(explore["url"]).query)["panes"][0])["a"]
    assert pane["datasource"] == "${datasource}"
    assert pane["queries"][0]["expr"] == 'slo:error:ratio_1h{service="shop",slo="availability"}'
    known = slo_page(links=Links(prometheus="https://prometheus.example/"))
    prometheus = titled(known, "Burn, fast")["links"][0]
    assert prometheus["url"].startswith("https://prometheus.example/graph?g0.expr=slo%3Aerror%3Aratio_1h%7B")
    assert "[Open in Prometheus](https://prometheus.example/graph" in titled(known, "Runbooks")["options"]["content"]


def test_free_text_cannot_bring_markup_or_variables() -> None:
    for page in (DASHBOARDS["service"], DASHBOARDS["slo"], DASHBOARDS["home"]):
        texts = [panel["options"]["content"] for panel in page["panels"] if panel["type"] == "text"]
        assert not any("<b>" in words or "${amount}" in words for words in texts)
    rows = titled(DASHBOARDS["load"], "Load profiles")["options"]["content"].splitlines()
    assert {row.count("|") for row in rows} == {6}, "a bar in somebody's words would be a column"


def test_a_policy_of_its_own_changes_pairs_and_lines() -> None:
    dashboard = slo_dashboard(paid, BurnPolicy(tiers=DEFAULT_POLICY.tiers[1:3]))
    burns = [panel["title"] for panel in dashboard["panels"] if panel["title"].startswith("Burn, ")]
    assert burns == ["Burn, medium pair 6h/30m", "Burn, slow pair 1d/2h"]
    assert titled(dashboard, "Burn rate, 6h")


def test_latency_lines_exist_only_where_a_histogram_counts() -> None:
    assert not [panel for panel in DASHBOARDS["slo"]["panels"] if panel["title"] == "Latency"]
    latency = titled(DASHBOARDS["latency"], "Latency")
    assert [target["legendFormat"] for target in latency["targets"]] == ["p50", "p95", "p99"]
    assert latency["fieldConfig"]["defaults"]["thresholds"]["steps"][-1]["value"] == 0.5


def test_scaled_dashboards_read_only_scaled_series_and_say_so() -> None:
    dashboard = DASHBOARDS["scaled"]
    assert "divided by 120" in dashboard["title"]
    for target in targets(dashboard):
        for labels in re.findall(r"(?:slo:[\w:]+|ALERTS)\{([^}]*)\}", target["expr"]):
            assert 'slo_scale="120"' in labels
    assert titled(dashboard, "Budget burn-down")["timeFrom"] == "6h"


def test_scaled_overviews_too() -> None:
    overview = overview_dashboard([paid], {}, Timing(scale=120, scrape="500ms"))
    for target in targets(overview):
        names = re.findall(r"(?:slo:[\w:]+|ALERTS)(\{[^}]*\})?", target["expr"])
        assert all('slo_scale="120"' in labels or 'slo=""' in labels for labels in names), target["expr"]


def test_the_overview_sorts_the_worst_budget_first_and_leads_to_the_pages() -> None:
    table = titled(DASHBOARDS["overview"], "Objectives, worst")
    assert table["options"]["sortBy"] == [{"desc": False, "displayName": "budget left"}]
    renamed = table["transformations"][1]["options"]["renameByName"]
    assert list(renamed.values())[:4] == ["service", "objective", "budget left", "burn now"]
    links = {
        override["matcher"]["options"]: override["properties"][0]["value"][0]["url"]
        for override in table["fieldConfig"]["overrides"][:2]
    }
    assert links["service"].replace("${__value.text}", "shop") == f"/d/{DASHBOARDS['service']['uid']}"
    own = links["objective"].replace("${__data.fields.service}", "shop")
    assert own.replace("${__data.fields.objective}", "availability") == f"/d/{DASHBOARDS['slo']['uid']}"


def test_objectives_whose_uid_had_to_be_shortened_are_found_by_a_search() -> None:
    long = SLO(service=shop, name="an-objective-with-a-very-long-name", objective="99", sli=paid.sli)
    page = slo_page(long)
    assert len(page["uid"]) == 40 and page["uid"] != DASHBOARDS["slo"]["uid"]
    table = titled(overview_dashboard([paid, long], {}), "Objectives, worst")
    links = [override["properties"][0]["value"][0]["url"] for override in table["fieldConfig"]["overrides"][:1]]
    assert links == ["/dashboards?tag=sloproof&query=${__data.fields.service} ${__data.fields.objective}"]


def test_the_overview_asks_each_slo_for_its_own_windows() -> None:
    weekly = SLO(service=shop, name="weekly", objective="99", sli=paid.sli, window="7d")
    medium = BurnPolicy(tiers=DEFAULT_POLICY.tiers[1:])
    overview = overview_dashboard([paid, quick, weekly], {weekly.identity: medium})
    table = titled(overview, "Objectives, worst")
    burn, measured = table["targets"][1]["expr"], table["targets"][7]["expr"]
    own = 'max by (service, slo) (slo:error:ratio_6h{service="shop",slo="weekly"}) or max by (service, slo) (slo:error:'
    assert own in burn, "its own window comes first: it may record the others too"
    assert 'slo:coverage:ratio_7d{service="shop",slo="weekly"}) or min by (service, slo) (slo:coverage:' in measured


def test_of_an_objective_with_groups_the_worst_group_is_shown_and_budgets_are_never_added_up() -> None:
    for name in ("overview", "home", "service"):
        table = titled(DASHBOARDS[name], "Objectives, worst")
        left = table["targets"][0]["expr"]
        assert left.startswith("min by (service, slo) (slo:error_budget:remaining_ratio"), left


def test_an_empty_workspace_still_has_an_overview() -> None:
    check = overview_dashboard([], {})
    assert titled(check, "Objectives, worst")


def test_only_the_list_of_alerts_may_be_empty_and_says_while_what(dashboard: dict[str, Any]) -> None:
    may_be = [panel["title"] for panel in dashboard["panels"] if "Empty while" in panel.get("description", "")]
    lists = dashboard["uid"] in ("sloproof-overview__home", "sloproof-shop")
    assert may_be == (["Alerts now"] if lists else [])


def test_the_list_of_alerts_has_what_wakes_somebody_first_and_says_how_long_it_has_lasted() -> None:
    panel = titled(DASHBOARDS["home"], "Alerts now")
    state, lasted = (target["expr"] for target in panel["targets"])
    order = [state.index(part) for part in ('"firing",severity=~"page|critical"', "* 4", "* 3", "* 2", '"pending"}')]
    assert order == sorted(order)
    assert "time() - min by (alertname, severity, service, slo) (ALERTS_FOR_STATE{" in lasted
    assert panel["options"]["sortBy"] == [{"desc": True, "displayName": "state"}]
    columns = panel["transformations"][1]["options"]["indexByName"]
    assert sorted(columns, key=columns.__getitem__) == [
        "Value #A",
        "alertname",
        "severity",
        "service",
        "slo",
        "Value #B",
    ]


def test_an_alert_of_a_whole_service_has_no_objective_which_is_not_no_data() -> None:
    overrides = titled(DASHBOARDS["home"], "Alerts now")["fieldConfig"]["overrides"]
    (objective,) = [one["properties"] for one in overrides if one["matcher"]["options"] == "objective"]
    assert objective == [{"id": "noValue", "value": "–"}, {"id": "mappings", "value": []}]


def test_the_page_of_a_service_lists_its_alerts_causes_included() -> None:
    state = titled(DASHBOARDS["service"], "Alerts now")["targets"][0]["expr"]
    assert 'ALERTS{service="shop",alertstate="firing"}' in state and "slo=" not in state


def test_tickets_of_a_budget_which_fire_for_days_are_not_marked_on_graphs(dashboard: dict[str, Any]) -> None:
    mark = dashboard["annotations"]["list"][1]
    assert 'tier!=""' in mark["target"]["expr"]
    assert mark["target"]["refId"] == "Anno" and "expr" not in mark


def test_no_line_of_panels_has_a_hole(dashboard: dict[str, Any]) -> None:
    panels = [panel for panel in dashboard["panels"] if panel["type"] not in ("row", "text")]
    for top in {panel["gridPos"]["y"] for panel in panels}:
        line = [panel["gridPos"] for panel in dashboard["panels"] if panel["gridPos"]["y"] == top]
        assert len({place["h"] for place in line}) == 1, line
        figures = all(panel["type"] in ("stat", "gauge") for panel in panels if panel["gridPos"]["y"] == top)
        assert figures or max(place["x"] + place["w"] for place in line) == 24, line


def test_a_promise_of_time_reads_as_one_sentence() -> None:
    roomy = GaugeBelow("0.8", gauge="disk_used", meaning="a second in which there is room")
    page = slo_page(SLO(service=shop, name="disk", objective="95", sli=roomy))
    assert page["description"] == "The objective shop/disk: 95 % of seconds in which there is room, over 30d."
    assert DASHBOARDS["slo"]["description"].endswith("99.9 % answered without a server error, over 30d.")


def test_a_promise_of_things_reads_as_one_sentence() -> None:
    still = HistogramBelow("0.1", histogram="layout_shift", meaning="a page that stays where it is")
    page = slo_page(SLO(service=shop, name="still", objective="75", sli=still))
    promise = "75 % of events good over 30d, where a good one is a page that stays where it is."
    assert page["description"] == f"The objective shop/still: {promise}"


def test_a_spent_budget_is_gone_however_few_events_there_are_now() -> None:
    panel = titled(DASHBOARDS["slo"], "Budget gone in")
    assert panel["targets"][0]["expr"].startswith("max((slo:error_budget:remaining_ratio")
    words = [one["options"].get("0") for one in panel["fieldConfig"]["defaults"]["mappings"] if one["type"] == "value"]
    assert {"color": "red", "index": 2, "text": "gone"} in words


def test_an_alert_without_events_keeps_its_band_and_is_not_quiet() -> None:
    panel = titled(DASHBOARDS["slo"], "Alerts")
    words = panel["fieldConfig"]["defaults"]["mappings"][1]["options"]
    assert words["-1"]["text"] == "no events"
    assert words["-1"]["color"] not in {words["0"]["color"], words["2"]["color"]}
    assert len({word["index"] for word in words.values()}) == len(words)
    assert re.search(r"max\(slo:total:rate5m\{[^}]*\}\) \* 0\) [+-] -?1", panel["targets"][0]["expr"])


def test_the_page_under_faults_shows_the_targets_behind_the_front() -> None:
    behind = by_instance.model_copy(update={"requests": 'http_requests_total{job="shop-api"}'})
    page = chaos_dashboard(shop, [paid, quick], {}, FAULTS, breakdowns=[behind])
    up = titled(page, "Targets that answer")
    assert [target["expr"] for target in up["targets"]] == ['up{job="shop"}', 'up{job="shop-api"}']
    assert up["type"] == "state-timeline"


def test_a_page_of_an_objective_can_be_read() -> None:
    sizes = {name: len(page["panels"]) for name, page in DASHBOARDS.items()}
    assert max(sizes.values()) <= 32, sizes


OWN = sorted((Path(__file__).parents[2] / "dashboards/generated").glob("*.json"))


@pytest.mark.parametrize("file", OWN, ids=lambda file: file.stem)
def test_the_five_systems_pages_are_sound_and_can_be_read(file: Path) -> None:
    page = json.loads(file.read_text(encoding="utf-8"))
    grafana_plugins.register_default_plugins()
    kept = json.loads(json.dumps(Dashboard.from_json(page), cls=encoder.JSONEncoder))
    assert list(lost(page, kept)) == []
    assert lint(page) == []
    assert len(page["panels"]) <= 32


def test_the_five_systems_have_their_pages() -> None:
    stems = {file.stem for file in OWN}
    assert len(OWN) > 50
    for service in ("monolith", "tasks", "commission", "keywords", "platform"):
        assert {service, f"{service}.load", f"{service}.trend"} <= stems
    assert {"overview", "overview.home", "tasks.chaos", "tasks.by.instance", "commission.by.tenant"} <= stems


@pytest.mark.parametrize(
    ("service", "titles"),
    {
        "keywords": (
            "Throughput by service",
            "p95 latency by endpoint",
            "CPU",
            "Memory",
            "Number of pods",
            "Cache hit",
        ),
        "commission": ("LCP", "FID", "CLS", "TTFB", "Cost", "Bounce rate", "CSAT", "Migrate? SQLite", "Migrate? p95"),
    }.items(),
)
def test_the_panels_that_the_documents_name_are_there(service: str, titles: tuple[str, ...]) -> None:
    page = json.loads(next(file for file in OWN if file.stem == service).read_text(encoding="utf-8"))
    for title in titles:
        assert titled(page, title)
    if service == "keywords":
        steps = titled(page, "Cache hit")["fieldConfig"]["defaults"]["thresholds"]["steps"]
        assert [(one["color"], one.get("value")) for one in steps[1:]] == [
            ("red", 0.4),
            ("yellow", 0.6),
            ("green", 0.8),
        ]


def test_forecasts_look_back_and_ahead_and_stop_at_what_can_be_foreseen() -> None:
    page = DASHBOARDS["trend"]
    full, left = titled(page, "Connections: full in"), titled(page, "When each budget")
    assert full["targets"][0]["expr"].lstrip("(").startswith("80 - max((sum(db_connections")
    assert "1209600)" in left["targets"][2]["expr"]
    assert left["targets"][1]["expr"].startswith("(clamp_min(min by (service, slo) (predict_linear(slo:error_budget:")
    horizon = full["fieldConfig"]["defaults"]["mappings"][3]["options"]
    assert horizon["from"] < 1209600 < horizon["to"] and horizon["result"]["text"] == "not within 14d"
    assert "predict_linear" in titled(page, "Connections, and")["targets"][1]["expr"]


def test_a_forecast_from_less_than_half_of_its_past_is_told_as_none() -> None:
    page = DASHBOARDS["trend"]
    full, left = titled(page, "Connections: full in"), titled(page, "When each budget")
    few = {"color": "blue", "index": 3, "text": "too little history"}
    assert full["fieldConfig"]["defaults"]["mappings"][1]["options"] == {"-1": few}
    assert ">= 144" in full["targets"][0]["expr"], "half of the quarters of an hour of three days"
    assert ">= 144" in left["targets"][1]["expr"] and ">= 144" in left["targets"][2]["expr"]


def test_a_dial_has_the_colours_that_were_given() -> None:
    panel = titled(DASHBOARDS["service"], "Cache hits")
    steps = panel["fieldConfig"]["defaults"]["thresholds"]["steps"]
    assert panel["type"] == "gauge"
    assert steps == [{"color": "red"}, {"color": "yellow", "value": 0.6}, {"color": "green", "value": 0.8}]


# Stable bytes.


def test_the_same_definitions_give_the_same_bytes() -> None:
    assert to_json(shop_dashboard()) == to_json(shop_dashboard())
    program = (
        "from sloproof.dashboards import overview_dashboard, to_json\n"
        "print(hash('a') and to_json(overview_dashboard([], {})), end='')"
    )
    seeds = [
        subprocess.run(
            [sys.executable, "-c", program], env={"PYTHONHASHSEED": seed}, capture_output=True, check=True, timeout=60
        ).stdout
        for seed in ("1", "2")
    ]
    assert seeds[0] == seeds[1]
    assert seeds[0].decode() == to_json(overview_dashboard([], {}))


def test_panel_ids_stay_when_other_panels_come_or_go() -> None:
    def ids(dashboard: dict[str, Any]) -> dict[str, int]:
        return {panel["title"]: panel["id"] for panel in dashboard["panels"]}

    alone, together = ids(slo_page()), ids(slo_page(alerts=[LOWERED], breakdowns=[by_route]))
    assert alone.items() <= together.items()
    numbers = [panel["id"] for panel in DASHBOARDS["slo"]["panels"]]
    assert len(set(numbers)) == len(numbers)


def test_defining_a_panel_does_not_load_grafanalib() -> None:
    program = "import sys, sloproof.dashboards as d; d.Panel; d.CustomPanels; sys.exit('grafanalib' in sys.modules)"
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)
