"""Native histograms, which only a scrape can deliver, and the alerts of an objective with groups."""

import json
import re
import struct
import subprocess
import threading
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from sloproof.alerts import DEFAULT_POLICY, Links, Timing, base_group, burn_groups, rules_yaml
from sloproof.lab.parts import find
from sloproof.lab.ports import LOOPBACK, free_ports
from sloproof.slo import SLO, ErrorRatio, NativeLatencyBelow, Service

pytestmark = pytest.mark.integration

FAST = Timing(scale=300, scrape="250ms")
WINDOW = timedelta(seconds=4)
HOSTILE = 'a"b\\{{ c }}`'
GROUPED = SLO(
    service=Service(name="shop", owner="us", job="shop"),
    name="per-route",
    objective="99",
    sli=ErrorRatio(errors='hits_total{code="500"}', total="hits_total"),
    by=("route",),
)


def varint(number: int) -> bytes:
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    return bytes([*out, number])


def field(number: int, value: bytes | int | float) -> bytes:
    """A field of a protocol-buffers message."""
    if isinstance(value, float):
        return varint(number << 3 | 1) + struct.pack("<d", value)
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    return varint(number << 3 | 2) + varint(len(value)) + value


def zigzag(number: int) -> int:
    return number * 2 if number >= 0 else -number * 2 - 1


def family(name: str, kind: int, *metrics: bytes) -> bytes:
    message = field(1, name.encode()) + field(3, kind) + b"".join(field(4, metric) for metric in metrics)
    return varint(len(message)) + message


def labels(**pairs: str) -> bytes:
    return b"".join(field(1, field(1, name.encode()) + field(2, value.encode())) for name, value in pairs.items())


def histogram(below: int, above: int) -> bytes:
    """A native histogram of schema 0: so many events in (0.25, 0.5] and so many in (1, 2] seconds."""
    spans = [field(1, zigzag(-1)) + field(2, 1), field(1, zigzag(1)) + field(2, 1)]
    numbers = field(1, below + above) + field(2, float(below + above)) + field(5, zigzag(0)) + field(6, 1e-9)
    deltas = field(13, zigzag(below)) + field(13, zigzag(above - below))
    return field(7, numbers + b"".join(field(12, span) for span in spans) + deltas)


def exposition(elapsed: float) -> bytes:
    count = int(elapsed * 100)
    counter = [
        labels(route=route, code=code) + field(3, field(1, float(number)))
        for route, code, number in (
            (HOSTILE, "500", count // 2),
            (HOSTILE, "200", count - count // 2),
            ("calm", "200", count),
        )
    ]
    return (
        family("took", 4, histogram(count * 6 // 10, count - count * 6 // 10))
        + family("idle", 4, histogram(60, 40))
        + family("hits_total", 0, *counter)
    )


@pytest.fixture(scope="module")
def target() -> Iterator[str]:
    started = time.monotonic()

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            kind = "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited"
            self.send_header("Content-Type", kind)
            self.end_headers()
            self.wfile.write(exposition(time.monotonic() - started))

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
def prometheus(target: str, parts: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("prometheus")
    groups = [base_group(GROUPED, FAST), *burn_groups(GROUPED, DEFAULT_POLICY, FAST, Links())]
    (folder / "rules.yaml").write_text(rules_yaml(groups))
    scrape = {"job_name": "shop", "static_configs": [{"targets": [target]}]}
    config = {"global": {"scrape_interval": "250ms", "scrape_timeout": "250ms"}, "rule_files": ["rules.yaml"]}
    (folder / "prometheus.json").write_text(json.dumps(config | {"scrape_configs": [scrape]}))
    address = f"{LOOPBACK}:{free_ports(['prometheus'])['prometheus']}"
    flags = [f"--storage.tsdb.path={folder}/data", "--enable-feature=native-histograms"]
    command = [str(find("prometheus")), f"--config.file={folder}/prometheus.json", *flags]
    with (folder / "log").open("w") as log:
        process = subprocess.Popen([*command, f"--web.listen-address={address}"], stdout=log, stderr=log)
    try:
        settled(f"http://{address}", process, folder / "log")
        yield f"http://{address}"
    finally:
        process.terminate()
        process.wait(timeout=20)


def settled(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        assert process.poll() is None, log.read_text()
        try:
            scraped = ask(url, "min(count_over_time(hits_total[6s])) >= 20")
            if scraped and ask(url, 'ALERTS{alertname="ShopPerRouteTrickleBurn",alertstate="firing"}'):
                return
        except OSError:
            pass
        time.sleep(0.2)
    raise AssertionError(log.read_text())


def ask(url: str, text: str) -> list[tuple[dict[str, str], float]]:
    found = get(f"{url}/api/v1/query?{urllib.parse.urlencode({'query': text})}")["result"]
    return [(one["metric"], float(one["value"][1])) for one in found]


def get(url: str) -> Any:
    with urllib.request.urlopen(url, timeout=10) as response:
        return json.load(response)["data"]


def test_slow_answers_of_a_native_histogram_are_counted_exactly_at_an_edge(prometheus: str) -> None:
    indicator = NativeLatencyBelow("500ms", histogram="took")
    ((_, ratio),) = ask(prometheus, str(indicator.errors(WINDOW) / indicator.total(WINDOW).above(0)))
    assert ratio == pytest.approx(0.4, abs=0.01)
    ((_, every),) = ask(prometheus, str(indicator.total(WINDOW)))
    assert every == pytest.approx(100, rel=0.1)


def test_between_edges_the_error_is_at_most_the_bucket(prometheus: str) -> None:
    indicator = NativeLatencyBelow("1500ms", histogram="took")
    ((_, ratio),) = ask(prometheus, str(indicator.errors(WINDOW) / indicator.total(WINDOW).above(0)))
    assert 0.01 < ratio < 0.4


def test_a_native_histogram_without_traffic_has_no_errors_and_no_nan(prometheus: str) -> None:
    indicator = NativeLatencyBelow("500ms", histogram="idle")
    assert ask(prometheus, str(indicator.errors(WINDOW))) == [({}, 0.0)]
    assert ask(prometheus, str(indicator.errors(WINDOW) / indicator.total(WINDOW).above(0))) == []


def test_a_native_histogram_that_does_not_exist_is_absent(prometheus: str) -> None:
    indicator = NativeLatencyBelow("500ms", histogram="nothing")
    assert ask(prometheus, str(indicator.errors(WINDOW))) == [] == ask(prometheus, str(indicator.total(WINDOW)))


def test_each_group_has_its_own_budget_and_alerts(prometheus: str) -> None:
    left = {labels["route"]: value for labels, value in ask(prometheus, "slo:error_budget:remaining_ratio")}
    assert left["calm"] == 1
    assert left[HOSTILE] < -10
    firing = ask(prometheus, 'ALERTS{slo="per-route",alertstate="firing"}')
    assert {labels["route"] for labels, _ in firing} == {HOSTILE}


def test_an_alert_tells_of_its_own_group(prometheus: str) -> None:
    alerts = [one for one in get(f"{prometheus}/api/v1/alerts")["alerts"] if one["state"] == "firing"]
    assert alerts
    for alert in alerts:
        description = alert["annotations"]["description"]
        assert "<error" not in description and "unknown" not in description, description
        assert "by events, 0 % of it is left" in description, description
        assert re.search(r"Bad events left in the budget: -", description), description
