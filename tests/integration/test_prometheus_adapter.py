"""The adapters against a real Prometheus and a real Alertmanager, and against servers that misbehave."""

import json
import math
import os
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from sloproof.alertmanager import Alertmanager
from sloproof.errors import PartFailed, Refused
from sloproof.http import Connection, TimedOut, Unreachable
from sloproof.lab.parts import find
from sloproof.lab.ports import free_ports
from sloproof.prometheus import Prometheus

pytestmark = pytest.mark.integration

WORKSPACE_PARTS = Path(__file__).parents[2] / ".sloproof" / "parts"
SCRAPE = 0.2
SHORT = timedelta(seconds=1)

RULES = """
groups:
  - name: adapter
    interval: 200ms
    rules:
      - record: job:shop_requests:sum
        expr: sum by (job) (shop_requests_total)
      - alert: ShopErrors
        expr: shop_errors_total > 0
        for: 400ms
        labels: {severity: page}
        annotations: {summary: "{{ $value }} errors"}
      - alert: ShopBroken
        expr: shop_requests_total > 1e9
"""
CONFIG = """
global: {{scrape_interval: 200ms, evaluation_interval: 200ms}}
rule_files: [rules.yaml]
alerting: {{alertmanagers: [{{static_configs: [{{targets: ["127.0.0.1:{alertmanager}"]}}]}}]}}
scrape_configs:
  - job_name: shop
    static_configs: [{{targets: ["127.0.0.1:{shop}"]}}]
"""
ROUTES = """
route: {receiver: nobody, group_wait: 100ms, group_interval: 1s}
receivers: [{name: nobody}]
"""


def free_port() -> int:
    return free_ports(["one"])["one"]


def eventually(condition: Callable[[], bool], what: str, seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with suppress(PartFailed):
            if condition():
                return
        time.sleep(0.05)
    pytest.fail(f"{what} did not happen within {seconds} s")


@contextmanager
def serving(handler: type[BaseHTTPRequestHandler]) -> Iterator[int]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


class Shop:
    """A target whose counters the test sets."""

    def __init__(self) -> None:
        self.lines: dict[str, float] = {}
        self.scrapes = 0

    def handler(self) -> type[BaseHTTPRequestHandler]:
        shop = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                types = "# HELP shop_requests_total Requests.\n# TYPE shop_requests_total counter\n"
                body = (types + "".join(f"{name} {value}\n" for name, value in list(shop.lines.items()))).encode()
                self.send_response(200)
                self.send_header("content-type", "text/plain; version=0.0.4")
                self.send_header("content-length", str(len(body)))
                with suppress(ConnectionError):
                    self.end_headers()
                    self.wfile.write(body)
                shop.scrapes += 1

            def log_message(self, *_: object) -> None:
                pass

        return Handler

    def wait_for_scrapes(self, count: int = 2) -> None:
        seen = self.scrapes
        eventually(lambda: self.scrapes >= seen + count, "a scrape")


@contextmanager
def running(command: list[str], folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    binary = Path(command[0])
    with (folder / f"{binary.name}.log").open("wb") as log:
        # An unpacked Alertmanager finds its templates below the folder that it is started in.
        process = subprocess.Popen(command, stdout=log, stderr=log, cwd=binary.parent, env={"PATH": os.defpath})
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(10)


class Lab:
    """A real Prometheus that scrapes the shop, and a real Alertmanager."""

    def __init__(self, shop: Shop, prometheus: Prometheus, alertmanager: Alertmanager, started: float) -> None:
        self.shop, self.prometheus, self.alertmanager, self.started = shop, prometheus, alertmanager, started


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    folder, shop, started = tmp_path_factory.mktemp("prometheus"), Shop(), time.time()
    shop.lines["shop_requests_total"] = 1000
    ports = [free_port(), free_port()]
    prometheus_url, alertmanager_url = (f"http://127.0.0.1:{port}" for port in ports)
    with serving(shop.handler()) as shop_port:
        (folder / "rules.yaml").write_text(RULES)
        (folder / "routes.yaml").write_text(ROUTES)
        (folder / "prometheus.yaml").write_text(CONFIG.format(shop=shop_port, alertmanager=ports[1]))
        judge = [
            str(find("prometheus", WORKSPACE_PARTS)),
            f"--config.file={folder / 'prometheus.yaml'}",
            f"--storage.tsdb.path={folder / 'series'}",
            f"--web.listen-address=127.0.0.1:{ports[0]}",
        ]
        postman = [
            str(find("alertmanager", WORKSPACE_PARTS)),
            f"--config.file={folder / 'routes.yaml'}",
            f"--storage.path={folder / 'alerts'}",
            "--cluster.listen-address=",
            f"--web.listen-address=127.0.0.1:{ports[1]}",
        ]
        with (
            running(postman, folder),
            running(judge, folder),
            Prometheus(prometheus_url) as prometheus,
            Alertmanager(alertmanager_url) as alertmanager,
        ):
            eventually(lambda: prometheus.ready() and alertmanager.ready(), "start-up")
            eventually(lambda: prometheus.instant("shop_requests_total").value == 1000, "the first scrape")
            yield Lab(shop, prometheus, alertmanager, started)


def test_an_instant_query_gives_labels_time_and_value(lab: Lab) -> None:
    answer = lab.prometheus.instant("shop_requests_total")
    assert [series.labels["job"] for series in answer.series] == ["shop"]
    assert answer.series[0].points[0][0] == pytest.approx(time.time(), abs=5)
    assert answer.warnings == ()


def test_nothing_matched_is_not_zero(lab: Lab) -> None:
    assert lab.prometheus.instant("no_such_metric").value is None


@pytest.mark.parametrize(("expression", "value"), [("0/0", math.nan), ("1/0", math.inf), ("vector(3)", 3)])
def test_special_values_stay_what_they_are(lab: Lab, expression: str, value: float) -> None:
    assert lab.prometheus.instant(expression).value == pytest.approx(value, nan_ok=True)


def test_a_range_keeps_the_milliseconds_of_its_ends(lab: Lab) -> None:
    end = math.floor(time.time()) - 0.250
    answer = lab.prometheus.range("vector(1)", end - 1, end, 0.5)
    assert [moment for moment, _ in answer.series[0].points] == pytest.approx([end - 1, end - 0.5, end], abs=1e-6)


def test_a_long_answer_arrives_whole(lab: Lab) -> None:
    end = math.floor(time.time())
    answer = lab.prometheus.range("vector(time())", end - 10_000, end, 1)
    assert answer.series[0].points == tuple((float(t), float(t)) for t in range(end - 10_000, end + 1))


def test_a_query_that_does_not_parse_says_where(lab: Lab) -> None:
    with pytest.raises(PartFailed, match="could not answer `sum\\(`: bad_data") as raised:
        lab.prometheus.instant("sum(")
    assert raised.value.hint == "correct the expression"


def test_a_range_with_too_many_steps_is_refused_in_words(lab: Lab) -> None:
    with pytest.raises(PartFailed, match="11,000 points"):
        lab.prometheus.range("vector(1)", 0, time.time(), 1)


def test_targets_flags_and_metadata_are_read(lab: Lab) -> None:
    (target,) = lab.prometheus.targets()
    assert (target.job, target.health, target.last_error) == ("shop", "up", "")
    assert target.last_scrape == pytest.approx(time.time(), abs=10)
    assert lab.prometheus.flags()["config.file"].endswith("prometheus.yaml")
    assert lab.prometheus.metadata("shop_requests_total")["shop_requests_total"].kind == "counter"


def test_rules_are_read_with_their_health(lab: Lab) -> None:
    eventually(lambda: lab.prometheus.rules()[0].rules[0].health == "ok", "an evaluation")
    (group,) = lab.prometheus.rules()
    assert (group.name, group.interval, Path(group.file).name) == ("adapter", 0.2, "rules.yaml")
    assert [(rule.name, rule.kind) for rule in group.rules] == [
        ("job:shop_requests:sum", "recording"),
        ("ShopErrors", "alerting"),
        ("ShopBroken", "alerting"),
    ]


def test_bucket_edges_are_numbers_whatever_their_spelling(lab: Lab) -> None:
    start = time.time() - 1
    lab.shop.lines |= {f'shop_seconds_bucket{{le="{edge}"}}': 5 for edge in ("0.25", "1.0", "+Inf")}
    lab.shop.wait_for_scrapes()
    eventually(lambda: len(lab.prometheus.buckets("shop_seconds", start, time.time())) > 2, "the buckets")
    edges = lab.prometheus.buckets('shop_seconds{job="shop"}', start, time.time())
    assert edges == {Decimal("0.25"), Decimal(1), Decimal("Infinity")}
    assert lab.prometheus.buckets("shop_minutes", start, time.time()) == frozenset()


def test_what_prometheus_counted_is_exact_where_increase_extrapolates(lab: Lab) -> None:
    lab.shop.wait_for_scrapes()
    start = time.time()
    before = lab.shop.lines["shop_requests_total"]
    lab.shop.lines["shop_requests_total"] = before + 7
    lab.shop.wait_for_scrapes(4)
    end = time.time()
    increase = lab.prometheus.counter_increase("shop_requests_total", start, end)
    assert increase.value == 7
    assert increase.first is not None and increase.last is not None
    assert start - 3 * SCRAPE <= increase.first <= start < increase.last <= end
    assert increase.by("job") == {"shop": 7}
    window = f"{round((end - start) * 1000)}ms"
    extrapolated = lab.prometheus.instant(f"increase(shop_requests_total[{window}])", end).value
    assert extrapolated != 7


def test_a_restarted_counter_counts_what_it_had_and_what_it_has(lab: Lab) -> None:
    lab.shop.lines["shop_restarts_total"] = 100
    lab.shop.wait_for_scrapes()
    start = time.time()
    lab.shop.lines["shop_restarts_total"] = 130
    lab.shop.wait_for_scrapes()
    lab.shop.lines["shop_restarts_total"] = 4
    lab.shop.wait_for_scrapes()
    increase = lab.prometheus.counter_increase("shop_restarts_total", start, time.time())
    assert (increase.value, increase.resets) == (34, 1)


def test_a_counter_that_is_born_with_its_first_errors_counts_them(lab: Lab) -> None:
    lab.shop.wait_for_scrapes()
    start = time.time()
    lab.shop.lines['shop_failures_total{code="503"}'] = 50
    lab.shop.wait_for_scrapes()
    increase = lab.prometheus.counter_increase("shop_failures_total", start, time.time())
    assert (increase.value, increase.unseen) == (50, 0)
    assert increase.series[0].born


def test_a_counter_older_than_its_first_scrape_is_not_taken_for_new(lab: Lab) -> None:
    increase = lab.prometheus.counter_increase(
        "shop_requests_total", lab.started - 60, time.time(), lookback=timedelta(seconds=1)
    )
    assert increase.unseen == 1000
    assert increase.value is not None and increase.value < 1000


def test_a_selector_that_matches_no_counter_counted_nothing_at_all(lab: Lab) -> None:
    assert lab.prometheus.counter_increase("no_such_total", time.time() - 5, time.time()).value is None


def test_an_increase_needs_a_selector_and_time_that_runs_forward(lab: Lab) -> None:
    with pytest.raises(ValueError, match="more than a selector"):
        lab.prometheus.counter_increase("rate(shop_requests_total[5m])", 0, 1)
    with pytest.raises(ValueError, match="not after"):
        lab.prometheus.counter_increase("shop_requests_total", 2, 1)


def test_an_alert_is_seen_pending_then_firing_then_received(lab: Lab) -> None:
    assert lab.prometheus.alerts() == ()
    fault = time.time()
    lab.shop.lines["shop_errors_total"] = 3
    states: list[str] = []

    def fires() -> bool:
        for alert in lab.prometheus.alerts():
            states.append(alert.state)
        return "firing" in states

    eventually(fires, "the alert")
    (alert,) = lab.prometheus.alerts()
    assert states[0] == "pending"
    assert (alert.name, alert.labels["severity"], alert.value) == ("ShopErrors", "page", 3)
    assert alert.annotations["summary"] == "3 errors"
    assert fault - 1 <= alert.active_at <= time.time()
    eventually(lambda: len(lab.alertmanager.alerts()) == 1, "the delivery")
    eventually(lambda: lab.alertmanager.alerts()[0].state == "active", "the routing")
    (received,) = lab.alertmanager.alerts()
    assert (received.name, received.receivers, received.inhibited_by) == ("ShopErrors", ("nobody",), ())
    assert alert.active_at <= received.starts_at <= time.time() < received.ends_at


def test_alertmanager_tells_its_configuration_and_silences(lab: Lab) -> None:
    status = lab.alertmanager.status()
    assert "receiver: nobody" in status.config
    assert status.cluster == "disabled"
    assert status.started_at == pytest.approx(time.time(), abs=120)
    silence = {
        "matchers": [{"name": "alertname", "value": "Shop.*", "isRegex": True, "isEqual": True}],
        "startsAt": "2020-01-01T00:00:00Z",
        "endsAt": "2099-01-01T00:00:00Z",
        "createdBy": "test",
        "comment": "a drill",
    }
    assert lab.alertmanager.silences() == ()
    with Connection("Alertmanager", lab.alertmanager.url) as connection:
        assert connection.post("/api/v2/silences", silence).succeeded
    (seen,) = lab.alertmanager.silences()
    assert (seen.state, seen.comment) == ("active", "a drill")
    assert [(m.label, m.operator, m.value) for m in seen.matchers] == [("alertname", "=~", "Shop.*")]


# --- servers that misbehave ---------------------------------------------------------------------------------------


def misbehaving(status: int, body: bytes, *, location: str = "", pause: float = 0) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            with suppress(OSError):
                self.send_response(status)
                self.send_header("content-length", str(len(body)))
                if location:
                    self.send_header("location", location)
                self.end_headers()
                for byte in body if pause else [body]:
                    self.wfile.write(bytes([byte]) if isinstance(byte, int) else byte)
                    self.wfile.flush()
                    time.sleep(pause)

        def log_message(self, *_: object) -> None:
            pass

    return Handler


@contextmanager
def against(handler: type[BaseHTTPRequestHandler]) -> Iterator[Prometheus]:
    with serving(handler) as port, Prometheus(f"http://127.0.0.1:{port}", timeout=SHORT) as prometheus:
        yield prometheus


ASKED: list[Callable[[Prometheus], object]] = [
    lambda prometheus: prometheus.instant("up"),
    lambda prometheus: prometheus.range("up", 0, 10, 1),
    lambda prometheus: prometheus.counter_increase("up", 0, 10),
    lambda prometheus: prometheus.alerts(),
    lambda prometheus: prometheus.rules(),
    lambda prometheus: prometheus.targets(),
    lambda prometheus: prometheus.flags(),
    lambda prometheus: prometheus.metadata(),
    lambda prometheus: prometheus.buckets("up", 0, 10),
]
every_question = pytest.mark.parametrize("ask", ASKED)


@every_question
@pytest.mark.parametrize("body", [b"<html>hello</html>", b"", b"[]", b"null", b'{"status":"success"}'])
def test_an_answer_of_another_shape_is_a_failed_part(ask: Callable[[Prometheus], object], body: bytes) -> None:
    with against(misbehaving(200, body)) as prometheus:
        with pytest.raises(PartFailed, match="is not Prometheus's") as raised:
            ask(prometheus)
        assert raised.value.hint
        assert "\n" not in raised.value.message and "Error" not in raised.value.message


@pytest.mark.parametrize("ask", [*ASKED[:6], *ASKED[7:]])  # flags are whatever names they are
@pytest.mark.parametrize(
    "data", [b'{"result":[{"metric":3}]}', b'{"result":7,"activeTargets":7,"alerts":[1],"groups":[{}]}', b"[1]"]
)
def test_data_of_another_shape_is_a_failed_part(ask: Callable[[Prometheus], object], data: bytes) -> None:
    answering = misbehaving(200, b'{"status":"success","data":' + data + b"}")
    with against(answering) as prometheus, pytest.raises(PartFailed, match="is not Prometheus's"):
        ask(prometheus)


@every_question
def test_an_answer_with_status_500_is_a_failed_part(ask: Callable[[Prometheus], object]) -> None:
    with against(misbehaving(500, b"out of memory")) as prometheus:
        started = time.monotonic()
        with pytest.raises(PartFailed, match="500"):
            ask(prometheus)
        assert time.monotonic() - started < 1.5, "it was retried"


@every_question
@pytest.mark.parametrize(
    ("status", "body", "said", "hint"),
    [
        (401, b"", "status 401", "user and a password"),
        (403, b'{"message":"no such role"}', "status 403: no such role", "user and a password"),
        (502, b"<html><title>502 Bad\nGateway</title>", "status 502: 502 Bad Gateway", "what stands before it"),
        (503, b'{"error":"starting up","code":7}', "status 503: starting up", "has started"),
    ],
)
def test_a_refusal_is_told_in_its_own_words_and_with_what_helps(
    ask: Callable[[Prometheus], object], status: int, body: bytes, said: str, hint: str
) -> None:
    with against(misbehaving(status, body)) as prometheus, pytest.raises(PartFailed) as raised:
        ask(prometheus)
    assert raised.value.message.endswith(said)
    assert hint in raised.value.hint


@every_question
def test_a_login_page_is_named(ask: Callable[[Prometheus], object]) -> None:
    page = b"<!DOCTYPE html><html><head><title>Sign in</title></head></html>"
    with against(misbehaving(200, page)) as prometheus, pytest.raises(PartFailed, match="a web page, `Sign in`"):
        ask(prometheus)


@every_question
def test_a_silent_server_is_given_up_on(ask: Callable[[Prometheus], object]) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        with Prometheus(f"http://127.0.0.1:{listener.getsockname()[1]}", timeout=timedelta(milliseconds=300)) as silent:
            with pytest.raises(TimedOut, match=r"within 0\.3 s"):
                ask(silent)
            assert not silent.ready()


@every_question
def test_a_server_that_dribbles_is_given_up_on(ask: Callable[[Prometheus], object]) -> None:
    with against(misbehaving(200, b" " * 100, pause=0.1)) as prometheus:
        started = time.monotonic()
        with pytest.raises(TimedOut):
            ask(prometheus)
        assert time.monotonic() - started < 3


@every_question
def test_nothing_listening_is_told_with_what_to_do(ask: Callable[[Prometheus], object]) -> None:
    with Prometheus(f"http://127.0.0.1:{free_port()}") as prometheus:
        assert not prometheus.ready()
        with pytest.raises(Unreachable, match="Connection refused") as raised:
            ask(prometheus)
        assert "start Prometheus" in raised.value.hint


@every_question
def test_a_redirect_leads_nowhere(ask: Callable[[Prometheus], object]) -> None:
    body = b'{"status":"success","data":{"result":[],"alerts":[],"groups":[],"activeTargets":[]}}'
    with (
        serving(misbehaving(200, body)) as elsewhere,
        serving(misbehaving(302, b"", location=f"http://127.0.0.1:{elsewhere}/")) as port,
        Prometheus(f"http://127.0.0.1:{port}") as prometheus,
        pytest.raises(PartFailed, match="302"),
    ):
        ask(prometheus)


@pytest.mark.parametrize("ask", ASKED[:3])
def test_a_query_keeps_its_warnings(ask: Callable[[Prometheus], object]) -> None:
    partial = {"status": "success", "warnings": ["store 2 is down"], "data": {"resultType": "vector", "result": []}}
    with against(misbehaving(200, json.dumps(partial).encode())) as prometheus:
        assert ask(prometheus).warnings == ("store 2 is down",)  # type: ignore[attr-defined]


def test_a_partial_list_is_no_list() -> None:
    partial = {"status": "success", "warnings": ["store 2 is down"], "data": []}
    answering = misbehaving(200, json.dumps(partial).encode())
    with against(answering) as prometheus, pytest.raises(PartFailed, match="store 2 is down"):
        prometheus.buckets("up", 0, 10)


@pytest.mark.parametrize("adapter", [Prometheus, Alertmanager])
@pytest.mark.parametrize("url", ["http://192.0.2.1:9090", "http://169.254.169.254"])
def test_a_target_that_is_not_listed_is_refused_before_anything_is_sent(
    adapter: type[Prometheus] | type[Alertmanager], url: str
) -> None:
    with pytest.raises(Refused):
        adapter(url)


@pytest.mark.parametrize("body", [b"<html>", b"{}", b'[{"labels":{}}]', b"3"])
def test_alertmanager_of_another_shape_is_a_failed_part(body: bytes) -> None:
    with serving(misbehaving(200, body)) as port, Alertmanager(f"http://127.0.0.1:{port}") as alertmanager:
        for ask in (alertmanager.status, alertmanager.alerts, alertmanager.silences):
            with suppress(PartFailed):
                assert ask() == ()


def test_proxies_of_the_environment_are_not_used(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(variable, f"http://127.0.0.1:{free_port()}")
    monkeypatch.setenv("no_proxy", "")
    with Prometheus(lab.prometheus.url) as prometheus:
        assert prometheus.instant("vector(1)").value == 1
        assert prometheus.targets()
