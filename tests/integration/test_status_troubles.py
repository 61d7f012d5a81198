"""`sloproof status` as a process: a Prometheus in trouble, and terminals of every kind."""

import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from sloproof import names
from tests.integration.test_prometheus_adapter import eventually, serving
from tests.integration.test_status import add_blocks, prometheus

pytestmark = pytest.mark.integration

PROGRAM = str(Path(sys.executable).parent / "sloproof")
DEFINITIONS = """
from sloproof import SLO, ErrorRatio, Service

shop = Service(name="shop", owner="shop team", job="shop")


def objective(name, **changes):
    sli = ErrorRatio(errors='requests_total{code="500"}', total="requests_total")
    return SLO(**{"service": shop, "name": name, "objective": "99.9", "sli": sli} | changes)


spent = objective("spent")
fine = objective("fine")
regions = objective("regions", by=("region",))
"""
LEFT = {'slo="spent"': -0.5, 'slo="fine"': 0.9, 'slo="regions",region="east"': 0.3, 'slo="regions",region="west"': -0.1}
BURN = {
    'slo="spent"': 0.02,
    'slo="fine"': 0.0,
    'slo="regions",region="east"': 0.001,
    'slo="regions",region="west"': 0.0,
}
RULES = """
groups:
  - name: now
    interval: 1s
    rules:
      - alert: ShopSpentFastBurn
        expr: slo:error:ratio_1h{slo="spent"} > 0.01
        labels: {severity: page, tier: fast}
      - alert: ShopTargetDown
        expr: absent(up{job="shop"})
        labels: {service: shop, severity: page, kind: absent}
"""

Trouble = Callable[[str, bytes], tuple[int, bytes]]
"""What is made of an answer: path and query, and the body, to a status and a body."""


@dataclass(frozen=True)
class Place:
    """A workspace and a Prometheus that holds its recorded series."""

    root: Path
    url: str

    def run(self, *options: str, url: str | None = None, **environment: str) -> "subprocess.CompletedProcess[str]":
        command = [PROGRAM, "status", "--prometheus", url or self.url, "--no-ledger", *options]
        clean = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "NO_COLOR")}
        return subprocess.run(
            command,
            cwd=self.root,
            env={**clean, **environment},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    @contextmanager
    def troubled(self, trouble: Trouble) -> Iterator[str]:
        """A proxy that passes everything on to the real server, and spoils its answers."""
        behind = self.url

        class Proxy(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                with urllib.request.urlopen(behind + self.path, timeout=30) as answer:
                    status, body = trouble(urllib.parse.unquote(self.path), answer.read())
                with suppress(OSError):
                    self.send_response(status)
                    self.send_header("content-length", str(len(body)))
                    self.end_headers()
                    self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        with serving(Proxy) as port:
            yield f"http://127.0.0.1:{port}"


def recorded(now: int) -> Iterator[str]:
    figures = {
        names.BUDGET_LEFT: LEFT,
        names.ERRORS_LEFT: {labels: 1000 * left for labels, left in LEFT.items()},
        names.OBJECTIVE: dict.fromkeys(('slo="spent"', 'slo="fine"', 'slo="regions"'), 0.999),
        "slo:error:ratio_1h": BURN,
        "slo:coverage:ratio_30d": dict.fromkeys(LEFT, 1.0),
    }
    for metric, values in figures.items():
        yield f"# TYPE {metric} unknown"
        for labels, value in values.items():
            series = f'{metric}{{service="shop",{labels}}}'
            yield from (f"{series} {value} {at}" for at in range(now - 300, now + 3600, 60))


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("troubles")
    root = folder / "work"
    (root / "slo").mkdir(parents=True)
    (root / "pyproject.toml").write_text("[tool.sloproof]\n")
    (root / "slo" / "shop.py").write_text(DEFINITIONS)
    add_blocks(recorded(int(time.time())), folder, "recorded")
    (folder / "rules.yaml").write_text(RULES)
    (folder / "prometheus.yaml").write_text("rule_files: [rules.yaml]\n")
    with prometheus(folder) as server:
        eventually(lambda: len(server.alerts()) == 2, "two alerts", 60)
        yield Place(root, server.url)


# --- what is shown ------------------------------------------------------------------------------------------------


def test_each_objective_has_its_alerts_its_time_left_and_its_worst_group(place: Place) -> None:
    done = place.run("--json")
    assert done.returncode == 1, done.stderr
    document = json.loads(done.stdout)
    assert document["questions"] == 6
    spent, regions, fine = document["objectives"]
    assert [one["slo"] for one in (spent, regions, fine)] == ["spent", "regions", "fine"]
    assert [alert["alert"] for alert in spent["alerts"]] == ["ShopSpentFastBurn"]
    assert spent["alerts"][0]["state"] == "firing"
    assert spent["gone_in_seconds"] == 0
    assert spent["indicator"] == pytest.approx(1 - 1.5 * 0.001)
    assert (regions["group"], regions["groups"]) == ({"region": "west"}, {"known": 2, "spent": 1})
    assert (fine["burn"]["rate"], fine["gone_in_seconds"], fine["alerts"]) == (0, None, [])
    assert fine["last_proof"] is None
    assert [alert["alert"] for alert in document["alerts"]] == ["ShopTargetDown"]


def test_the_newest_of_all_that_is_kept_is_the_last_proof(place: Place) -> None:
    kept = place.root / ".sloproof" / "proofs" / "some.json"
    kept.parent.mkdir(parents=True, exist_ok=True)
    drills = place.root / "alerts" / "drills.json"
    drills.parent.mkdir(exist_ok=True)
    alerts = [f"ShopFine{tier}Burn" for tier in ("Fast", "Medium", "Slow", "Trickle")]
    kept.write_text(json.dumps({"proven_at": 1_700_000_000, "cases": 9, "why_not": {alert: [] for alert in alerts}}))
    try:
        (fine,) = [one for one in json.loads(place.run("--json").stdout)["objectives"] if one["slo"] == "fine"]
        assert fine["last_proof"] == {
            "kind": "proof", "at": 1_700_000_000, "verdict": "PASS", "what": "4 of 4 alerts",
        }  # fmt: skip
        drills.write_text(json.dumps({"ShopFineFastBurn": "seen on 2026-11-22: fired after 20 s"}))
        assert "2026-11-22 drill PASS" in place.run(COLUMNS="250").stdout
    finally:
        kept.unlink()
        drills.unlink(missing_ok=True)


# --- a server in trouble ------------------------------------------------------------------------------------------


def warned(path: str, body: bytes) -> tuple[int, bytes]:
    """Every figure comes with the server's word that something is missing."""
    if "/api/v1/query" not in path:
        return 200, body
    return 200, json.dumps({**json.loads(body), "warnings": ["store east is not reachable"]}).encode()


def test_a_badge_of_a_budget_that_was_answered_in_part_is_not_green(place: Place) -> None:
    with place.troubled(warned) as url:
        command = [PROGRAM, "badge", "budget", "shop/fine", "--prometheus", url]
        done = subprocess.run(command, cwd=place.root, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 6
    assert "answered only in part: store east is not reachable" in done.stderr
    assert "? 90 % of the budget left, measured in part" in done.stdout


def test_a_warning_of_the_server_is_shown_and_nothing_passes(place: Place) -> None:
    with place.troubled(warned) as url:
        done = place.run("--json", url=url)
    assert done.returncode == 6
    assert "answered only in part: store east is not reachable" in done.stderr
    document = json.loads(done.stdout)
    assert document["failures"] == [f"`{url}` answered only in part: store east is not reachable"]
    verdicts = {one["slo"]: one["verdict"] for one in document["objectives"]}
    assert verdicts == {"spent": "FAIL", "regions": "FAIL", "fine": "UNDECIDED"}


@pytest.mark.parametrize("metric", [names.ERRORS_LEFT, "slo:error:ratio_1h", "slo:coverage:ratio_30d"])
def test_what_one_failing_query_leaves_is_shown(place: Place, metric: str) -> None:
    def failing(path: str, body: bytes) -> tuple[int, bytes]:
        return (500, b"no more memory") if metric in path else (200, body)

    with place.troubled(failing) as url:
        done = place.run("--json", url=url)
    assert done.returncode == 6
    assert "500" in done.stderr
    assert [one["slo"] for one in json.loads(done.stdout)["objectives"]] == ["spent", "regions", "fine"]
    if "coverage" in metric:
        fine = json.loads(done.stdout)["objectives"][-1]
        assert fine["verdict"] == "UNDECIDED"
        assert fine["notes"] == ["it is not known how much of its window was measured"]


def test_a_server_that_only_fails_is_a_failed_part_and_nothing_is_shown(place: Place) -> None:
    with place.troubled(lambda *_: (500, b"down for repairs")) as url:
        done = place.run(url=url)
    assert done.returncode == 6
    assert (done.stdout, "down for repairs" in done.stderr or "500" in done.stderr) == ("", True)


def test_a_slow_server_is_given_up_on_after_one_time_out(place: Place) -> None:
    def slow(path: str, body: bytes) -> tuple[int, bytes]:
        if names.BUDGET_LEFT not in path:
            time.sleep(12)
        return 200, body

    with place.troubled(slow) as url:
        done = place.run("--json", url=url)
    assert done.returncode == 6
    assert "within 5 s" in done.stderr
    document = json.loads(done.stdout)
    assert document["questions"] == 2  # the four others would have waited as long
    assert document["objectives"][0]["budget_left"]["recorded"] == pytest.approx(-0.5)
    assert document["alerts"] is None


def test_an_empty_server_is_undecided(place: Place) -> None:
    def empty(path: str, body: bytes) -> tuple[int, bytes]:
        if "/api/v1/query" not in path:
            return 200, body
        return 200, b'{"status":"success","data":{"resultType":"vector","result":[]}}'

    with place.troubled(empty) as url:
        done = place.run(url=url, COLUMNS="250")
    assert done.returncode == 3
    assert "shop/spent  no data: nothing is recorded for it  UNDECIDED\n  ShopSpentFastBurn firing" in done.stdout
    assert "shop  no data for 2 objectives: fine, regions  UNDECIDED" in done.stdout


def test_a_server_without_alerts_leaves_them_unknown(place: Place) -> None:
    with place.troubled(lambda path, body: (404, b"") if "alerts" in path else (200, body)) as url:
        done, told = place.run("--json", url=url), place.run("--plain", url=url)
    assert {str(one["alerts"]) for one in json.loads(done.stdout)["objectives"]} == {"None"}
    assert "Alerts: unknown" in told.stdout
    assert "alerts are unknown" in told.stdout


# --- terminals ----------------------------------------------------------------------------------------------------


def test_eighty_columns_hold_every_line_of_an_objective(place: Place) -> None:
    lines = place.run(COLUMNS="80").stdout.splitlines()
    assert lines[0].startswith("shop/spent  -50.0 % left")
    assert lines[0].endswith("FAIL")
    assert all(len(line) <= 80 for line in lines), [line for line in lines if len(line) > 80]
    assert any("nothing is left" in line for line in lines)


def test_a_wide_terminal_gets_one_line_an_objective(place: Place) -> None:
    lines = place.run(COLUMNS="250").stdout.splitlines()
    assert lines[0].split("  ")[0] == "OBJECTIVE"
    assert [line.split()[0] for line in lines[1:4]] == ["shop/spent", "shop/regions", "shop/fine"]
    assert "{west} worst of 2, 1 spent" in lines[2]
    assert any(line.startswith("shop: ShopTargetDown {shop} firing for ") for line in lines)


def test_only_so_many_are_shown_and_the_others_are_counted(place: Place) -> None:
    lines = place.run("--worst", "1", COLUMNS="250").stdout.splitlines()
    assert [line for line in lines if line.startswith("shop/")] and not any("shop/fine" in line for line in lines)
    assert "2 more, with no less left or unknown: 1 PASS, 1 FAIL" in lines


def test_plain_text_is_sentences_that_can_be_read_aloud(place: Place) -> None:
    lines = place.run("--plain").stdout.splitlines()
    (fine,) = [line for line in lines if line.startswith("shop/fine")]
    assert fine == (
        "shop/fine: holds. Promised 99.9 % over 30d. Budget 90.0 % left. Burning 0.00x (1h). Never gone at this rate. "
        "Measured 100.0 % of the window. Alerts: none. Last proof never."
    )
    assert not any("  " in line for line in lines)


def on_a_terminal(place: Place, *options: str, seconds: float = 30, **environment: str) -> str:
    """What the command writes to a terminal of 80 columns; Ctrl-C after the second look at the latest."""
    master, slave = pty.openpty()
    command = [PROGRAM, "status", "--prometheus", place.url, "--no-ledger", *options]
    clean = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "COLUMNS")}
    process = subprocess.Popen(
        command,
        cwd=place.root,
        env={**clean, "TERM": "xterm", "COLUMNS": "80", "LINES": "24", **environment},
        stdin=slave,
        stdout=slave,
        stderr=slave,
    )
    os.close(slave)
    said, deadline, sent = b"", time.monotonic() + seconds, False
    while time.monotonic() < deadline:
        if select.select([master], [], [], 0.1)[0]:
            try:
                said += os.read(master, 65536)
            except OSError:
                break
        if "--watch" in options and not sent and said.count(b"shop/spent") >= 2:
            process.send_signal(signal.SIGINT)
            sent = True
    process.wait(10)
    os.close(master)
    return said.decode()


def test_a_terminal_gets_colour_and_no_color_takes_it_away(place: Place) -> None:
    assert "\x1b[1;31mFAIL" in on_a_terminal(place)
    plain = on_a_terminal(place, NO_COLOR="1")
    assert not re.search(r"\x1b\[[0-9;]*3[0-9]m", plain)
    assert "FAIL" in plain


def test_without_a_terminal_nothing_but_text_is_written(place: Place) -> None:
    assert "\x1b" not in place.run(TERM="xterm").stdout


def test_only_what_is_named_is_shown_and_judged(place: Place) -> None:
    done = place.run("shop/fine", "--json")
    assert done.returncode == 0, done.stderr
    assert [one["slo"] for one in json.loads(done.stdout)["objectives"]] == ["fine"]
    assert place.run("shop/fine", "shop/spent").returncode == 1


def test_watching_looks_again_until_it_is_ended(place: Place) -> None:
    shown = on_a_terminal(place, "--watch", "--every", "1s")
    assert shown.count("\x1b[2J") >= 2  # the screen is drawn anew
    assert "stopped by SIGINT" in shown


def test_watching_without_a_terminal_writes_one_look_after_another(place: Place) -> None:
    command = [PROGRAM, "status", "--prometheus", place.url, "--no-ledger", "--watch", "--every", "1s", "--worst", "1"]
    with subprocess.Popen(command, cwd=place.root, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        seen = 0
        while seen < 2:
            line = process.stdout.readline()
            assert line, "it ended"
            seen += line.startswith("shop/spent") and "left" in line
        process.terminate()
        assert process.wait(20) == 128 + signal.SIGTERM


@pytest.mark.parametrize("every", ["0s", "soon", "500ms"])
def test_a_pause_that_is_none_is_refused(place: Place, every: str) -> None:
    done = place.run("--watch", "--every", every)
    assert (done.returncode, f"`--every {every}`" in done.stderr) == (2, True)
