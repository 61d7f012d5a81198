"""Every panel's query is asked of a real Prometheus that runs the generated rules over live targets."""

import contextlib
import functools
import json
import subprocess
import threading
import time
import urllib.parse
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from sloproof.alerts import DEFAULT_POLICY, Links, Timing, base_group, burn_groups, rules_yaml
from sloproof.dashboards import Panel, home_dashboard, overview_dashboard, service_dashboard, slo_dashboard
from sloproof.dashboards.tiles import EMPTY_WHILE, FEW
from sloproof.lab.parts import find
from sloproof.lab.ports import LOOPBACK, free_ports
from sloproof.slo import SLO, ErrorRatio, LatencyBelow, Service

pytestmark = pytest.mark.integration

FAST = Timing(scale=300, scrape="250ms")
WAIT = 30.0
"""Seconds until the windows must hold enough; a wait, not a measure of speed."""

burning = Service(name="burning", owner="team b", job="burning")
calm = Service(name="calm", owner="team c", job="calm")
quiet = Service(name="quiet", owner="team d", job="quiet")
absent = Service(name="absent", owner="team a", job="absent")


def availability(service: Service) -> SLO:
    sli = ErrorRatio(
        errors=f'http_requests_total{{job="{service.job}",code=~"5.."}}',
        total=f'http_requests_total{{job="{service.job}"}}',
    )
    return SLO(service=service, name="availability", objective="99.9", sli=sli)


def latency(service: Service) -> SLO:
    sli = LatencyBelow("500ms", histogram=f'http_request_duration_seconds{{job="{service.job}"}}')
    return SLO(service=service, name="latency", objective="95", sli=sli)


SLOS = [availability(burning), latency(burning), availability(calm), availability(quiet), availability(absent)]


def exposition(job: str, elapsed: float) -> str:
    """Counters of a target that has been up for so many seconds, at 100 requests a second, or one."""
    count = int(elapsed * (1 if job == "quiet" else 100))
    bad = count * 9 // 10 if job == "burning" else 0
    lines = [f'http_requests_total{{code="200"}} {count - bad}']
    lines += [f'http_requests_total{{code="500"}} {bad}'] if bad else []
    for edge, share in (("0.1", 0.05), ("0.5", 0.1), ("2.5", 1.0), ("+Inf", 1.0)):
        lines.append(f'http_request_duration_seconds_bucket{{le="{edge}"}} {int(count * share)}')
    lines.append(f"http_request_duration_seconds_count {count}")
    return "\n".join(lines) + "\n"


@pytest.fixture(scope="module")
def targets() -> Iterator[str]:
    started = time.monotonic()

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = exposition(self.path.strip("/"), time.monotonic() - started).encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Stay quiet."""

    server = ThreadingHTTPServer((LOOPBACK, 0), Answer)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"{LOOPBACK}:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join(timeout=5)


@pytest.fixture(scope="module")
def prometheus(targets: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("prometheus")
    groups = [
        group for slo in SLOS for group in (base_group(slo, FAST), *burn_groups(slo, DEFAULT_POLICY, FAST, Links()))
    ]
    (folder / "rules.yaml").write_text(rules_yaml(groups))
    scrapes = [
        {
            "job_name": job,
            "metrics_path": f"/{job}",
            "static_configs": [{"targets": [targets], "labels": {"instance": name}} for name in ("a1", "a2")],
        }
        for job in ("burning", "calm", "quiet")
    ]
    config = {"global": {"scrape_interval": "250ms", "scrape_timeout": "250ms"}, "rule_files": ["rules.yaml"]}
    (folder / "prometheus.json").write_text(json.dumps(config | {"scrape_configs": scrapes}))
    address = f"{LOOPBACK}:{free_ports(['prometheus'])['prometheus']}"
    command = [str(find("prometheus")), f"--config.file={folder}/prometheus.json", f"--storage.tsdb.path={folder}/data"]
    with (folder / "log").open("w") as log:
        process = subprocess.Popen([*command, f"--web.listen-address={address}"], stdout=log, stderr=log)
    try:
        settled(f"http://{address}", process, folder / "log")
        yield f"http://{address}"
    finally:
        process.terminate()
        process.wait(timeout=20)


def settled(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    """Wait until the slowest alert fires and the rules have run a few times."""
    deadline = time.monotonic() + WAIT
    slowest = 'ALERTS{alertname="BurningAvailabilityTrickleBurn",alertstate="firing"}'
    while time.monotonic() < deadline:
        assert process.poll() is None, log.read_text()
        try:
            if ask(url, "query", query=slowest):
                time.sleep(2)
                return
        except OSError:
            pass
        time.sleep(0.2)
    pytest.fail(f"no alert within {WAIT} s: {log.read_text()[-2000:]}")


def ask(url: str, kind: str, **parameters: str) -> list[dict[str, Any]]:
    with urllib.request.urlopen(
        f"{url}/api/v1/{kind}", urllib.parse.urlencode(parameters).encode(), timeout=10
    ) as answer:
        document = json.load(answer)
    assert document["status"] == "success"
    assert not document.get("warnings")
    result: list[dict[str, Any]] = document["data"]["result"]
    return result


def answers(url: str, panel: dict[str, Any], target: dict[str, Any], points: int = 100) -> list[dict[str, Any]]:
    """What a panel's query answers, asked as Grafana asks it."""
    expression = target["expr"].replace("$__rate_interval", "2s")
    now = time.time()
    if target["instant"]:
        return ask(url, "query", query=expression, time=str(now))
    length = 2.4 * 3600 if "timeFrom" in panel else 8
    return ask(url, "query_range", query=expression, start=str(now - length), end=str(now), step=str(length / points))


def panels(dashboard: dict[str, Any]) -> list[dict[str, Any]]:
    return [panel for panel in dashboard["panels"] if panel.get("targets")]


def panel_named(dashboard: dict[str, Any], start: str) -> dict[str, Any]:
    return next(panel for panel in panels(dashboard) if panel["title"].startswith(start))


def dashboard_of(service: Service) -> dict[str, Any]:
    own = Panel(
        title="Share of requests by instance",
        description="Fair is one half each",
        expression=f'sum by (instance) (rate(http_requests_total{{job="{service.job}"}}[$__rate_interval]))',
        unit="reqps",
        legend="{{instance}}",
    )
    return service_dashboard(service, [slo for slo in SLOS if slo.service == service], {}, FAST, extra=[own])


def page_of(service: Service) -> dict[str, Any]:
    """The page of its availability."""
    return slo_dashboard(next(slo for slo in SLOS if slo.service == service), DEFAULT_POLICY, FAST)


def asks_again(test: Callable[..., None]) -> Callable[..., None]:
    """On a busy machine scrapes every 250 ms come late, and a figure is missing for a moment; what is wrong stays."""

    @functools.wraps(test)
    def asking(*arguments: Any, **fixtures: Any) -> None:
        for _ in range(5):
            with contextlib.suppress(AssertionError):
                return test(*arguments, **fixtures)
            time.sleep(3)
        return test(*arguments, **fixtures)

    return asking


def last(result: list[dict[str, Any]]) -> float:
    assert len(result) == 1, result
    value = result[0].get("value") or result[0]["values"][-1]
    return float(value[1])


@pytest.mark.parametrize("service", [burning, calm], ids=lambda service: service.name)
@asks_again
def test_every_query_of_a_measured_service_returns_data(prometheus: str, service: Service) -> None:
    pages = [slo_dashboard(slo, DEFAULT_POLICY, FAST) for slo in SLOS if slo.service == service]
    empty = [
        (panel["title"], target["expr"])
        for dashboard in (dashboard_of(service), *pages)
        for panel in panels(dashboard)
        for target in panel["targets"]
        if not answers(prometheus, panel, target) and not (service is calm and EMPTY_WHILE in panel["description"])
    ]
    assert empty == []


@asks_again
def test_every_query_of_the_overview_returns_data(prometheus: str) -> None:
    dashboard = overview_dashboard(SLOS, {}, FAST)
    for panel in panels(dashboard):
        for target in panel["targets"]:
            assert answers(prometheus, panel, target), (panel["title"], target["expr"])


@asks_again
def test_a_burning_service_looks_burning(prometheus: str) -> None:
    dashboard = page_of(burning)

    def figure(start: str) -> float:
        panel = panel_named(dashboard, start)
        return last(answers(prometheus, panel, panel["targets"][0]))

    assert figure("Error budget left") < 0
    assert figure("Bad events left") < 0
    assert figure("Budget gone in") == 0
    assert figure("Burn rate") > 800
    assert figure("Good over 30d") == pytest.approx(0.1, abs=0.02)
    alerts = panel_named(dashboard, "Alerts")
    assert [last(answers(prometheus, alerts, target)) for target in alerts["targets"]] == [2, 2, 2, 2]


@asks_again
def test_the_burn_down_ends_at_the_budget_left_and_the_even_line_at_zero(prometheus: str) -> None:
    dashboard = page_of(burning)
    panel = panel_named(dashboard, "Budget burn-down")
    left, even = (answers(prometheus, panel, target, points=8000) for target in panel["targets"])
    budget = panel_named(dashboard, "Error budget left")
    assert last(left) == pytest.approx(last(answers(prometheus, budget, budget["targets"][0])), rel=0.05)
    values = [float(value) for _, value in left[0]["values"]]
    assert len(values) > 2
    assert values == sorted(values, reverse=True), "a budget is spent, not won back, in a fixed range"
    assert float(even[0]["values"][0][1]) == pytest.approx(1, abs=0.02)
    assert last(even) == pytest.approx(0, abs=0.02)


@asks_again
def test_the_latency_lines_are_in_the_unit_of_the_histogram(prometheus: str) -> None:
    panel = panel_named(slo_dashboard(latency(burning), DEFAULT_POLICY, FAST), "Latency")
    assert panel["fieldConfig"]["defaults"]["unit"] == "s"
    shares = {target["legendFormat"]: last(answers(prometheus, panel, target)) for target in panel["targets"]}
    assert 0.5 < shares["p50"] < shares["p95"] < shares["p99"] <= 2.5


@asks_again
def test_a_calm_service_is_quiet_and_far_from_exhaustion(prometheus: str) -> None:
    dashboard = page_of(calm)
    alerts = panel_named(dashboard, "Alerts")
    assert [last(answers(prometheus, alerts, target)) for target in alerts["targets"]] == [0, 0, 0, 0]
    exhaustion = panel_named(dashboard, "Budget gone in")
    cut = last(answers(prometheus, exhaustion, exhaustion["targets"][0]))
    words = [one for one in exhaustion["fieldConfig"]["defaults"]["mappings"] if one["type"] == "value"][-1]
    assert list(words["options"]) == [str(int(cut))]


@asks_again
def test_too_few_events_are_told_and_no_figure_is_made_of_them(prometheus: str) -> None:
    dashboard = page_of(quiet)
    for start in ("Good, last", "Budget gone in", "Burn rate"):
        panel = panel_named(dashboard, start)
        assert last(answers(prometheus, panel, panel["targets"][0])) == FEW, start
    shown = panel_named(dashboard, "Good over 30d")
    assert last(answers(prometheus, shown, shown["targets"][0])) == 1


@asks_again
def test_a_service_without_series_never_looks_fine(prometheus: str) -> None:
    dashboard = page_of(absent)
    shown = {
        panel["title"]: [answer for target in panel["targets"] for answer in answers(prometheus, panel, target)]
        for panel in panels(dashboard)
    }
    with_data = {title for title, result in shown.items() if result}
    assert with_data <= {"Objective", "Budget burn-down, last 30d"}
    assert len(shown["Budget burn-down, last 30d"]) == 1, "only the even line, which needs no data"


@asks_again
def test_the_overview_counts_what_is_not_measured_and_keeps_its_row(prometheus: str) -> None:
    dashboard = overview_dashboard(SLOS, {}, FAST)

    def count(title: str) -> float:
        panel = panel_named(dashboard, title)
        return last(answers(prometheus, panel, panel["targets"][0]))

    assert count("Objectives") == len(SLOS)
    assert count("Not measured") == 1
    assert count("Budgets spent") == 2
    assert count("Pages firing") == 4, "both pages of both objectives: 90 % is above latency's 72 % too"
    table = panel_named(dashboard, "Objectives, worst")
    rows = [answers(prometheus, table, target) for target in table["targets"]]
    assert sorted(len(column) for column in rows) == [4, 4, 4, 4, 4, 4, 4, 5]


def rows_of(result: list[dict[str, Any]], pick: Callable[[dict[str, str]], str]) -> dict[str, Decimal]:
    return {pick(row["metric"]): Decimal(row["value"][1]) for row in result}


@asks_again
def test_the_table_counts_the_alerts_that_are_listed(prometheus: str) -> None:
    alerts = panel_named(home_dashboard(SLOS, {}, FAST), "Alerts now")
    listed = Counter(
        (row["metric"]["service"], row["metric"]["slo"])
        for row in answers(prometheus, alerts, alerts["targets"][0])
        if float(row["value"][1]) >= 3
    )
    table = panel_named(overview_dashboard(SLOS, {}, FAST), "Objectives, worst")
    firing = rows_of(answers(prometheus, table, table["targets"][2]), lambda row: f"{row['service']}/{row['slo']}")
    assert {name: count for name, count in firing.items() if count} == {"/".join(key): n for key, n in listed.items()}


@asks_again
def test_the_list_of_alerts_names_what_fires_and_no_other(prometheus: str) -> None:
    table = panel_named(home_dashboard(SLOS, {}, FAST), "Alerts now")
    rows, lasted = (answers(prometheus, table, target) for target in table["targets"])
    assert {row["metric"]["service"] for row in rows} == {"burning"}
    firing = {row["metric"]["severity"]: row["value"][1] for row in rows}
    assert firing == {"page": "4", "ticket": "3"}, "what wakes somebody comes first"
    assert len(lasted) == len(rows) and all(0 < float(row["value"][1]) < 3600 for row in lasted)
    assert all(set(row["metric"]) == {"alertname", "severity", "service", "slo"} for row in rows)


@asks_again
def test_columns_of_the_overview_agree_with_the_services_own_figures(prometheus: str) -> None:
    table = panel_named(overview_dashboard(SLOS, {}, FAST), "Objectives, worst")
    good = answers(prometheus, table, table["targets"][5])
    assert all(set(row["metric"]) == {"service", "slo"} for row in good), "a metric's name would keep rows apart"
    by_row = rows_of(good, lambda labels: f"{labels['service']}/{labels['slo']}")
    assert by_row["calm/availability"] == 1
    assert float(by_row["burning/latency"]) == pytest.approx(0.1, abs=0.02)
