"""The checks that ask a server, each against a real Prometheus with a day of samples and a live target."""

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from sloproof.alerts import Timing
from sloproof.checks import GeneratedRule, Place, Subject
from sloproof.checks.online import run_online
from sloproof.errors import PartFailed, Problem
from sloproof.lab.parts import find
from sloproof.prometheus import NotServed, Prometheus
from sloproof.slo import SLO, ErrorRatio, GaugeBelow, HistogramBelow, LatencyBelow, RawRatio, Service
from tests.integration.test_prometheus_adapter import WORKSPACE_PARTS, eventually, free_port, running, serving
from tests.unit.checks_subjects import group, subject

pytestmark = pytest.mark.integration

SCRAPED = timedelta(seconds=1)
STEP = 60
CONFIG = """
global: {{scrape_interval: 1s, evaluation_interval: 1s}}
scrape_configs:
  - job_name: shop
    static_configs: [{{targets: ["127.0.0.1:{target}"]}}]
"""
SHOP = Service(name="shop", owner="shop team", job="shop", description="a shop", escalation="the platform team")
TARGET = 'job="shop",instance="i"'


class Target(BaseHTTPRequestHandler):
    """Something to scrape, without a metric."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


class Elsewhere(Target):
    """A server that answers every query with nothing, and has no other page."""

    BODY = b'{"status":"success","data":{"resultType":"vector","result":[]}}'

    def do_GET(self) -> None:
        served = self.path.startswith(("/api/v1/query", "/api/v1/series"))
        body = self.BODY if served else b"404 page not found"
        self.send_response(200 if served else 404)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET


def history(now: int) -> str:
    """A day of samples a minute: counters by their growth a second and the hours ago at which they began."""
    counters: dict[str, tuple[float, float]] = {
        f'busy_total{{{TARGET},code="200"}}': (10, 25),
        f'busy_total{{{TARGET},code="500"}}': (0.01, 25),
        f'clean_total{{{TARGET},code="200"}}': (10, 25),
        f'young_total{{{TARGET},code="200"}}': (10, 25),
        f'young_total{{{TARGET},code="500"}}': (0.01, 0.25),
        'grown_total{job="shop",instance="new",code="200"}': (10, 0.25),
        'grown_total{job="shop",instance="new",code="500"}': (0.01, 0.25),
        f'quiet_total{{{TARGET},code="200"}}': (1 / 60, 25),
        f'rare_total{{{TARGET},code="200"}}': (1 / 3600, 25),
        f'newborn_total{{{TARGET},code="200"}}': (1 / 6, 0.1),
    }
    counters |= {f'took_bucket{{{TARGET},le="{edge}"}}': (10, 25) for edge in ("0.1", "0.5", "+Inf")}
    counters[f"took_count{{{TARGET}}}"] = (10, 25)
    lines, metric = [], ""
    for series, (growth, hours) in counters.items():
        if series.partition("{")[0] != metric:
            metric = series.partition("{")[0]
            lines.append(f"# TYPE {metric} unknown")
        begin = now - int(hours * 3600)
        lines += [f"{series} {1 + growth * (at - begin):.3f} {at}" for at in range(begin, now, STEP)]
    for scale in ("", ',slo_scale="60"'):
        series = f'slo:objective:ratio{{service="mixed",slo="availability"{scale}}}'
        lines += ([] if scale else ["# TYPE slo:objective:ratio unknown"]) + [f"{series} 0.999 {now - 60}"]
    return "\n".join([*lines, "# EOF\n"])


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    folder = tmp_path_factory.mktemp("online")
    (folder / "history").write_text(history(int(time.time())))
    promtool = [str(find("promtool", WORKSPACE_PARTS)), "tsdb", "create-blocks-from", "openmetrics", "--quiet"]
    subprocess.run(
        [*promtool, str(folder / "history"), str(folder / "series")],
        check=True,
        capture_output=True,
        env={"PATH": os.defpath},
        timeout=120,
    )
    with serving(Target) as target, started(folder, target, "--storage.tsdb.retention.time=20d") as prometheus:
        eventually(lambda: any(one.health == "up" for one in prometheus.targets()), "a scrape")
        yield prometheus


@contextmanager
def started(folder: Path, target: int, *options: str) -> Iterator[Prometheus]:
    port = free_port()
    (folder / "prometheus.yaml").write_text(CONFIG.format(target=target))
    command = [
        str(find("prometheus", WORKSPACE_PARTS)),
        f"--config.file={folder / 'prometheus.yaml'}",
        f"--storage.tsdb.path={folder / 'series'}",
        f"--web.listen-address=127.0.0.1:{port}",
        *options,
    ]
    with running(command, folder), Prometheus(f"http://127.0.0.1:{port}") as prometheus:
        eventually(prometheus.ready, "start-up")
        yield prometheus


def ratio(metric: str, **changes: Any) -> SLO:
    sli = ErrorRatio(errors=f'{metric}_total{{job="shop",code="500"}}', total=f'{metric}_total{{job="shop"}}')
    given = {"service": SHOP, "name": metric, "objective": "99.9", "window": "14d", "sli": sli}
    return SLO(**{**given, **changes})


def asked(slo: SLO, timing: Timing | None = None, **changes: Any) -> Subject:
    """An objective whose rules cost nothing, at the clock of the server."""
    return replace(subject(slo, timing=timing or Timing(scrape=SCRAPED), groups=[]), **changes)


def found(server: Prometheus, asked_for: Subject, *families: str) -> list[Problem]:
    return [one for one in run_online(asked_for, server) if not families or one.check in families]


def test_a_healthy_objective_has_no_problems(server: Prometheus) -> None:
    assert [str(one) for one in found(server, asked(ratio("busy")))] == []


def test_slo_selector_matches_nothing_and_names_the_metric(server: Prometheus) -> None:
    (problem,) = found(server, asked(ratio("missing")))
    assert (problem.check, problem.what) == ("slo/selector-matches-nothing", "there is no metric `missing_total`")


def test_slo_selector_matches_nothing_of_a_gauge_expression(server: Prometheus) -> None:
    slo = ratio("cpu", sli=GaugeBelow("0.7", gauge="rate(cpu_seconds_total[1m])"))
    (problem,) = found(server, asked(slo))
    assert "`cpu_seconds_total`" in problem.what


def test_slo_unknown_label_lists_the_known_ones(server: Prometheus) -> None:
    sli = ErrorRatio(errors='busy_total{job="shop",status="500"}', total='busy_total{job="shop"}')
    problem = found(server, asked(ratio("busy", sli=sli)), "slo/unknown-label")[0]
    assert "`status`" in problem.what and "`code`, `instance`, `job`" in problem.hint


def test_slo_unknown_label_of_by_lists_the_known_ones(server: Prometheus) -> None:
    (problem,) = found(server, asked(ratio("busy", by=("zone", "instance"))), "slo/unknown-label")
    assert problem.what == "`shop/busy` is split by `zone`, and `busy_total` has no label `zone`"
    assert "its labels are `code`, `instance`, `job`" in problem.hint


def test_slo_unknown_label_of_by_tells_of_errors_alone(server: Prometheus) -> None:
    sli = ErrorRatio(errors='took_count{job="shop"}', total='busy_total{job="shop"}')
    (problem,) = found(server, asked(ratio("busy", sli=sli, by=("code",))), "slo/unknown-label")
    assert "`took_count` has no label `code`" in problem.what


@pytest.mark.parametrize(
    ("expression", "told"),
    [
        ("sum by (zone) (rate(busy_total[$window]))", ["`busy_total` has no label `zone`"]),
        ('sum by (zone) (label_replace(rate(busy_total[$window]), "zone", "$1", "instance", "(.*)"))', []),
        ("rate(took_count[$window]) * on (instance) group_left (zone) max by (zone) (busy_total)", ["`zone`"]),
        ("sum by (code) (rate(took_count[$window]) * on (job) group_left (code) topk(1, busy_total))", []),
    ],
)
def test_slo_unknown_label_of_by_where_an_expression_makes_it(
    server: Prometheus, expression: str, told: list[str]
) -> None:
    by = "code" if "by (code)" in expression else "zone"
    asked_for = asked(ratio("busy", sli=RawRatio(errors=expression, total=expression), by=(by,)))
    problems = found(server, asked_for, "slo/unknown-label")
    assert len(problems) == len(told)
    assert all(word in problem.what for word, problem in zip(told, problems, strict=True))


def test_cause_matches_nothing(server: Prometheus) -> None:
    rule = GeneratedRule("ShopHighCpu", True, "max(cpu_busy) > 0.85", {"service": "shop", "kind": "cause"})
    one = asked(ratio("busy"), groups=[group(rule)], causes={"ShopHighCpu": Place("alerts/shop.py", 9, "cpu")})
    (problem,) = found(server, one)
    assert (problem.check, problem.severity, problem.line) == ("cause/matches-nothing", "warning", 9)


@pytest.mark.parametrize("kind", ["latency", "histogram"])
def test_slo_threshold_no_bucket_names_the_nearest(server: Prometheus, kind: str) -> None:
    sli = LatencyBelow("300ms", histogram="took") if kind == "latency" else HistogramBelow("0.3", histogram="took")
    (problem,) = found(server, asked(ratio("took", sli=sli)), "slo/threshold-no-bucket")
    assert "`0.1` and `0.5`" in problem.hint


def test_slo_errors_not_initialised(server: Prometheus) -> None:
    (problem,) = found(server, asked(ratio("clean")))
    assert (problem.check, problem.severity) == ("slo/errors-not-initialised", "warning")
    late = ErrorRatio(errors='clean_total{job="shop",code="500"}', total='clean_total{job="shop"}', born_late=True)
    assert found(server, asked(ratio("clean", sli=late))) == []


def test_slo_young_error_series_of_an_old_target_only(server: Prometheus) -> None:
    (problem,) = found(server, asked(ratio("young")))
    assert problem.check == "slo/young-error-series"
    assert problem.what.startswith("1 of the 1 error series")
    assert found(server, asked(ratio("grown")), "slo/young-error-series") == []


def test_slo_too_little_traffic_says_from_which_ratio_on_it_fires(server: Prometheus) -> None:
    (problem,) = found(server, asked(ratio("quiet", window="30d")), "slo/too-little-traffic")
    assert problem.what.startswith("60 events an hour bring 60 in the `1h` of the `fast` tier")
    assert "from 5 % of bad events on, and not from 1.44 %" in problem.what


def test_slo_too_little_traffic_waits_for_a_whole_hour(server: Prometheus) -> None:
    """600 events an hour would be enough; a server that has seen six minutes of them counts 60 in the hour."""
    assert found(server, asked(ratio("newborn")), "slo/too-little-traffic") == []


def test_slo_too_little_traffic_says_what_never_fires(server: Prometheus) -> None:
    (problem,) = found(server, asked(ratio("rare")), "slo/too-little-traffic")
    assert "not even a full outage fires `fast`" in problem.what
    assert "`medium`" not in problem.what.partition("fires")[2]


def test_server_retention_too_short_for_the_longest_window(server: Prometheus) -> None:
    (problem,) = found(server, asked(ratio("busy", window="30d")))
    assert problem.check == "server/retention-too-short"
    assert "`20d`" in problem.what and "31d" in problem.hint


def test_the_default_retention_is_fifteen_days(tmp_path: Path) -> None:
    with serving(Target) as target, started(tmp_path, target) as prometheus:
        checks = [
            one.what for one in found(prometheus, asked(ratio("busy", window="16d")), "server/retention-too-short")
        ]
        assert len(checks) == 1 and "`15d`" in checks[0]
        assert found(prometheus, asked(ratio("busy", window="15d")), "server/retention-too-short") == []


@pytest.fixture
def elsewhere() -> Iterator[Prometheus]:
    with serving(Elsewhere) as port, Prometheus(f"http://127.0.0.1:{port}") as prometheus:
        yield prometheus


def test_server_retention_unknown_where_flags_are_not_served(elsewhere: Prometheus) -> None:
    (problem,) = found(elsewhere, asked(ratio("busy")), "server/retention-unknown")
    assert problem.severity == "warning"
    with pytest.raises(NotServed):
        elsewhere.flags()


def test_server_targets_unknown_where_they_are_not_served(elsewhere: Prometheus) -> None:
    (problem,) = found(elsewhere, asked(ratio("busy")), "server/targets-unknown")
    assert problem.severity == "warning"


def test_server_scrape_interval_differs_a_little_and_too_much(server: Prometheus) -> None:
    (problem,) = found(server, asked(ratio("busy"), Timing(scrape=timedelta(seconds=30))))
    assert (problem.check, problem.severity) == ("server/scrape-interval-differs", "warning")
    assert "every `1s`" in problem.what and "`30s`" in problem.what
    short = Timing(scrape=timedelta(milliseconds=100), base=timedelta(seconds=3))
    (problem,) = found(server, asked(ratio("busy"), short), "server/scrape-interval-differs")
    assert problem.severity == "problem"


def test_server_unknown_job_lists_those_that_exist(server: Prometheus) -> None:
    other = SHOP.model_copy(update={"job": "shopp"})
    (problem,) = found(server, asked(ratio("busy", service=other)))
    assert problem.check == "server/unknown-job"
    assert "`shop`" in problem.hint


def test_server_mixed_scales(server: Prometheus) -> None:
    mixed = ratio("busy", service=SHOP.model_copy(update={"name": "mixed"}), name="availability")
    (problem,) = found(server, asked(mixed))
    assert problem.check == "server/mixed-scales"
    assert "`1` and `60`" in problem.what


def test_rules_costly_query_counts_samples(server: Prometheus, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sloproof.checks.costly_query.SAMPLES", 4000)
    dear = GeneratedRule("slo:dear", False, "sum(rate(took_bucket[1d]))", {"service": "shop"})
    cheap = GeneratedRule("slo:cheap", False, "sum(rate(took_bucket[5m]))", {"service": "shop"})
    wrong = GeneratedRule("slo:wrong", False, "took_count * on (job) took_bucket", {"service": "shop"})
    told = found(server, asked(ratio("busy"), groups=[group(dear, cheap, wrong)]))
    assert [one.check for one in told] == ["rules/costly-query"] * 2
    assert told[0].what.startswith("`slo:dear` reads 4,3")  # three series, 1,440 samples each
    assert told[1].what.startswith("what `slo:wrong` costs cannot be told")


def test_rules_slow_group_names_the_dearest(server: Prometheus) -> None:
    rule = GeneratedRule("slo:dear", False, "sum(rate(took_bucket[1d]))", {"service": "shop"})
    hasty = replace(group(rule), interval=timedelta(milliseconds=1))
    (problem,) = [one for one in found(server, asked(ratio("busy"), groups=[hasty])) if one.check == "rules/slow-group"]
    assert "most of it for `slo:dear`" in problem.what


def test_a_cost_is_what_prometheus_counted(server: Prometheus) -> None:
    one_minute = server.cost("count_over_time(busy_total[10m])")
    assert one_minute.samples == pytest.approx(20, abs=2)
    assert one_minute.peak > 0 and 0 < one_minute.seconds < 5
    with pytest.raises(PartFailed, match="400"):
        server.cost("sum(")


def test_targets_say_how_often_they_are_scraped(server: Prometheus) -> None:
    assert {target.interval for target in server.targets()} == {SCRAPED.total_seconds()}


def test_a_server_that_is_gone_is_no_list_of_problems() -> None:
    with Prometheus(f"http://127.0.0.1:{free_port()}") as nobody, pytest.raises(PartFailed, match="cannot be reached"):
        run_online(asked(ratio("busy")), nobody)
