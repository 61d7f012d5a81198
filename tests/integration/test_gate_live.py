"""A gate beside a real Prometheus and real loads: whatever is missing, torn, stale or refused, it does not pass."""

import json
import math
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from sloproof import names
from sloproof.alerts import Timing
from sloproof.chaos.surroundings import Surroundings
from sloproof.cli import main
from sloproof.cli.gate_runs import GateRuns
from sloproof.gate import Gate
from sloproof.gate.examination import examine
from sloproof.gate.world import NoRun, RunRecord
from sloproof.history import HISTORY_FILE, History
from sloproof.loadtests.profile import LoadProfile
from sloproof.prometheus import Prometheus
from sloproof.verdict.gate_decision import GateDecision, GateFinding
from sloproof.verdict.judge import Verdict
from sloproof.workspace import Workspace, load_workspace
from sloproof.workspace.live_gate import LiveWorld
from tests.integration.test_prometheus_adapter import free_port
from tests.integration.test_status import add_blocks, prometheus

pytestmark = pytest.mark.integration

OBJECTIVES = ("steady", "missed", "gapped", "nan", "quiet", "stopped", "few", "missing")
SLO = """
from sloproof import SLO, ErrorRatio, LatencyBelow, Service

shop = Service(name="shop", owner="shop team", job="shop")


def objective(name):
    sli = ErrorRatio(errors=f'{name}_total{{code="500"}}', total=f"{name}_total")
    return SLO(service=shop, name=name, objective="99", sli=sli)


steady, missed, gapped, nan, quiet, stopped, few, missing = map(
    objective, ("steady", "missed", "gapped", "nan", "quiet", "stopped", "few", "missing")
)
fast = Service(name="fast", owner="shop team", job="fast")
latency = SLO(service=fast, name="latency", objective="95", sli=LatencyBelow("500ms", histogram="fast_seconds"))
"""
GATES = """
from sloproof import BudgetLeft, Gate, Load, LoadProfile, NotSlower, ObjectivesHold
from slo import shop

objectives = (shop.steady, shop.missed, shop.gapped, shop.nan, shop.quiet, shop.stopped, shop.few, shop.missing)
live = [Gate(name=f"live-{one.name}", system="shop", requires=[ObjectivesHold(one)]) for one in objectives]
left = [Gate(name=f"left-{one.name}", system="shop", requires=[BudgetLeft("20%", slos=[one])]) for one in objectives]


def profile(name, locustfile):
    told = {"users": 5, "rate": 50, "duration": "4s", "drain": "1s", "request_timeout": "1s"}
    return LoadProfile(name=name, system="fast", locustfile=f"users/{locustfile}.py", **told)


plain, empty, idle, raising = (profile(name, name) for name in ("plain", "empty", "idle", "raising"))
spread = profile("spread", "plain").model_copy(update={"processes": 2})
longer = profile("longer", "plain").model_copy(update={"duration": plain.duration * 3})
loads = [Gate(name=one.name, system="fast", requires=[Load(one)]) for one in (plain, empty, idle, raising)]
not_slower = Gate(name="not-slower", system="fast", requires=[NotSlower(longer)])
"""
PLAIN = "from locust import HttpUser, task\n\n\nclass Person(HttpUser):\n    @task\n    def look(self):\n        {}\n"
STEP, HISTORY, AHEAD = 30, 3 * 3600, 1800
RATE = 20.0


def rates(name: str, age: int) -> tuple[float, float] | None:
    """What was recorded of an objective so many seconds ago, errors and events per second; None for nothing."""
    if name == "missing" or (name == "gapped" and 1000 < age < 1700) or (name == "stopped" and age < 1000):
        return None
    if name == "nan":
        return (math.nan, RATE) if 900 < age < 1200 else (0.0, RATE)
    total = {"quiet": 0.0, "few": 0.005}.get(name, RATE)
    return (RATE * 0.05 if name == "missed" else 0.0), total


def budget(name: str) -> tuple[float, float] | None:
    """What is left of a budget, and the share of its window that was measured."""
    known = {
        "steady": (0.9, 1.0),
        "missed": (0.1, 1.0),
        "gapped": (0.9, 0.5),
        "nan": (math.nan, 1.0),
        "stopped": (0.9, 1.0),
    }
    return known.get(name)


def recorded(now: float) -> Iterator[str]:
    ages = range(HISTORY, -AHEAD, -STEP)
    lines: dict[str, list[str]] = {}
    for name in OBJECTIVES:
        own = f'{{{names.SERVICE}="shop",{names.SLO}="{name}"}}'
        for age in ages:
            at, rate = f"{now - age:.3f}", rates(name, age)
            if rate is not None:
                lines.setdefault(names.errors(Timing().base), []).append(f"{own} {rate[0]} {at}")
                lines.setdefault(names.total(Timing().base), []).append(f"{own} {rate[1]} {at}")
            if (left := budget(name)) is not None and abs(age) <= AHEAD:
                lines.setdefault(names.BUDGET_LEFT, []).append(f"{own} {left[0]} {at}")
                lines.setdefault(names.coverage(timedelta(days=30)), []).append(f"{own} {left[1]} {at}")
                lines.setdefault(names.OBJECTIVE, []).append(f"{own} {0.9 if name == 'stopped' else 0.99} {at}")
    for metric, points in lines.items():
        yield f"# TYPE {metric} unknown"
        yield from (f"{metric}{point}".replace(" nan ", " NaN ") for point in points)


@dataclass(frozen=True)
class Place:
    root: Path
    url: str

    @property
    def workspace(self) -> Workspace:
        return load_workspace(self.root)

    def gate(self, name: str, url: str = "") -> tuple[int, dict[str, Any]]:
        """Decide a gate as the command does."""
        file = self.root / f"{name}.json"
        code = main(["gate", name, "--prometheus", url or self.url, "--report", f"json={file}"])
        told = json.loads(file.read_text())
        assert told["exit_code"] == code
        return code, told


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, parts: Path) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("gate")
    root = folder / "work"
    for name in ("slo", "loadtests/users"):
        (root / name).mkdir(parents=True)
    (root / "pyproject.toml").write_text('[tool.sloproof]\nscrape-interval = "30s"\n')
    (root / "slo" / "shop.py").write_text(SLO)
    (root / "loadtests" / "gates.py").write_text(GATES)
    (root / "loadtests" / "users" / "plain.py").write_text(PLAIN.format('self.client.get("/")'))
    (root / "loadtests" / "users" / "empty.py").write_text("")
    (root / "loadtests" / "users" / "idle.py").write_text(PLAIN.format("pass"))
    (root / "loadtests" / "users" / "raising.py").write_text(PLAIN.format('raise ValueError("no")'))
    (folder / "prometheus.yaml").write_text("{}")
    add_blocks(recorded(float(int(time.time()))), folder, "recorded")
    with prometheus(folder) as server:
        yield Place(root, server.url)


@pytest.fixture(autouse=True)
def there(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(place.root)


@pytest.mark.parametrize(
    ("objective", "code", "told"),
    [
        ("steady", 0, "within the budget"),
        ("missed", 1, "over the budget"),
        ("gapped", 3, "of 12 slices of time were recorded"),
        ("nan", 3, "of 12 slices of time were recorded"),
        ("stopped", 3, "of 12 slices of time were recorded"),
        ("quiet", 3, "no data"),
        ("few", 3, "needs"),
        ("missing", 3, "nothing is recorded"),
    ],
)
def test_objectives_are_judged_on_what_was_recorded(place: Place, objective: str, code: int, told: str) -> None:
    found, document = place.gate(f"live-{objective}")
    (finding,) = document["findings"]
    assert found == code, finding
    assert told in finding["observed"] + finding["evidence"]


@pytest.mark.parametrize(
    ("objective", "code"),
    [("steady", 0), ("missed", 1), ("gapped", 3), ("nan", 3), ("missing", 3), ("stopped", 3)],  # the last: other rules
)
def test_a_budget_passes_only_where_its_window_was_measured(place: Place, objective: str, code: int) -> None:
    found, document = place.gate(f"left-{objective}")
    assert found == code, document["findings"]


@pytest.mark.parametrize("gate", ["live-steady", "left-steady"])
def test_an_unreachable_prometheus_is_a_part_that_failed(place: Place, gate: str) -> None:
    code, document = place.gate(gate, f"http://127.0.0.1:{free_port()}")
    assert (code, document["verdict"]) == (6, "UNDECIDED")


class Partial(BaseHTTPRequestHandler):
    """A querier before the real Prometheus that could not reach all of its stores, and says so."""

    behind = ""
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._forward(None)

    def do_POST(self) -> None:
        self._forward(self.rfile.read(int(self.headers.get("content-length", "0"))))

    def _forward(self, body: bytes | None) -> None:
        asked = urllib.request.Request(self.behind + self.path, body)
        with urllib.request.urlopen(asked, timeout=10) as answer:
            document = json.load(answer)
        text = json.dumps({**document, "warnings": ["1 of 2 stores did not answer"]}).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, format: str, *arguments: object) -> None:
        """Say nothing."""


@contextmanager
def serving(handler: type[BaseHTTPRequestHandler]) -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()


@pytest.mark.parametrize("gate", ["live-steady", "left-steady"])
def test_a_prometheus_that_answers_in_part_is_a_part_that_failed(place: Place, gate: str) -> None:
    handler = type("Behind", (Partial,), {"behind": place.url})
    with serving(handler) as url:
        code, document = place.gate(gate, url)
    assert (code, document["verdict"]) == (6, "UNDECIDED")
    assert "stores did not answer" in document["findings"][0]["observed"]


@dataclass(frozen=True)
class Loading:
    """Loads against a target, judged beside the real Prometheus."""

    place: Place
    target: str
    release: str = "1"
    take: timedelta | None = None

    @property
    def runs(self) -> GateRuns:
        workspace = self.place.workspace
        slos = workspace.slos_of("fast")
        timing = Timing(scale=120, scrape=timedelta(milliseconds=500))
        surroundings = Surroundings(
            workspace=workspace.root,
            state=workspace.state,
            lab_file=workspace.state / "lab.json",
            target=self.target,
            instances=(),
            notifications=workspace.root / "none",
            timing=timing,
            prometheus=Prometheus(self.place.url),
            policies={slo.identity: workspace.policy(slo) for slo in slos},
            slos=slos,
        )
        return GateRuns(workspace, lambda: surroundings, workspace.state / HISTORY_FILE, self.release, self.take)

    def decide(self, name: str) -> GateDecision:
        workspace = self.place.workspace
        world = LiveWorld(workspace, "fast", self.runs, _not_asked, _not_asked)
        gate = workspace.named(Gate, name)
        return examine(gate, world, release=self.release, clock=time.time, say=lambda _: None)

    def load(self, name: str) -> RunRecord | NoRun:
        return self.runs.run_load(self.place.workspace.named(LoadProfile, name), None)


def _not_asked() -> Any:
    raise AssertionError("this gate asks for runs alone")


@pytest.fixture
def nobody(place: Place) -> Loading:
    """A target at which nothing listens."""
    return Loading(place, f"http://127.0.0.1:{free_port()}")


class Answering(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("content-length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, format: str, *arguments: object) -> None:
        """Say nothing."""


@pytest.fixture
def somebody(place: Place) -> Iterator[Loading]:
    with serving(Answering) as url:
        yield Loading(place, url)


def test_a_target_that_refuses_every_connection_fails_though_it_does_so_quickly(nobody: Loading) -> None:
    found = nobody.decide("plain")
    assert (found.verdict, found.exit_code) == (Verdict.FAIL, 1), found.findings
    assert "not one of" in found.findings[0].observed
    assert Verdict.PASS not in {finding.verdict for finding in found.findings}


@pytest.mark.parametrize("locustfile", ["empty", "idle", "raising"])
def test_a_locustfile_that_sends_nothing_never_passes(somebody: Loading, locustfile: str) -> None:
    found = somebody.decide(locustfile)
    assert found.verdict is Verdict.UNDECIDED, found.findings
    assert found.exit_code in (2, 3, 6)


def test_a_load_that_prometheus_knows_nothing_of_never_passes(somebody: Loading) -> None:
    found = somebody.decide("plain")
    assert (found.verdict, found.exit_code) == (Verdict.UNDECIDED, 3), found.findings
    assert found.findings[0].verdict is Verdict.PASS  # it did run; nobody else saw it
    assert "Prometheus" in found.findings[1].evidence


def test_the_first_run_has_nothing_to_be_compared_with_and_the_pinned_one_is_not_compared_with_itself(
    somebody: Loading,
) -> None:
    def compared(loading: Loading) -> GateFinding:
        (finding,) = loading.decide("not-slower").findings
        return finding

    first = compared(somebody)
    assert (first.verdict, first.observed) == (Verdict.UNDECIDED, "no comparison")
    with History.open(somebody.place.workspace.state / HISTORY_FILE) as history:
        latest = history.latest("load", "longer", "fast")
        assert latest is not None
        history.pin(latest.id)
    itself = compared(replace(somebody, take=timedelta(hours=1)))
    assert itself.verdict is Verdict.UNDECIDED
    assert "this very run" in itself.evidence
    second = compared(somebody)
    assert second.expected.startswith("p95 is at most 10 % slower than in run"), second
    assert "ms now" in second.observed  # how it compares is this machine's affair


def test_a_run_is_taken_while_it_is_fresh_and_of_this_release_and_definition(nobody: Loading) -> None:
    def taken(**changes: Any) -> RunRecord | NoRun:
        return replace(nobody, **{"take": timedelta(hours=1), "release": "taken", **changes}).load("plain")

    made = replace(nobody, release="taken").load("plain")
    assert isinstance(made, RunRecord) and not made.taken
    found = taken()
    assert isinstance(found, RunRecord)
    assert (found.taken, found.number, found.ended_at, found.findings) == (
        True, made.number, made.ended_at, made.findings
    )  # fmt: skip
    assert isinstance(taken(release="other"), NoRun)
    time.sleep(1.1)
    stale = taken(take=timedelta(seconds=1))
    assert isinstance(stale, NoRun) and "at most 1s is accepted" in stale.reason
    with changed(nobody.place.root / "loadtests" / "gates.py", '"users": 5', '"users": 6'):
        other = taken()
    assert isinstance(other, NoRun) and "asked for something else" in other.reason
    with changed(nobody.place.root / "loadtests" / "users" / "plain.py", 'get("/")', 'get("/other")'):
        other = taken()
    assert isinstance(other, NoRun) and "asked for something else" in other.reason
    with changed(nobody.place.root / "slo" / "shop.py", '"500ms"', '"400ms"'):
        other = taken()
    assert isinstance(other, NoRun) and "asked for something else" in other.reason
    with changed(nobody.place.root / "slo" / "shop.py", 'objective="95"', 'objective="96"'):
        other = taken()
    assert isinstance(other, NoRun) and "asked for something else" in other.reason


def test_a_run_of_several_processes_is_taken(nobody: Loading) -> None:
    made = replace(nobody, release="spread").load("spread")
    found = replace(nobody, release="spread", take=timedelta(hours=1)).load("spread")
    assert isinstance(made, RunRecord) and isinstance(found, RunRecord), found
    assert (found.taken, found.number) == (True, made.number)


@contextmanager
def changed(file: Path, old: str, new: str) -> Iterator[None]:
    before = file.read_text()
    assert old in before
    file.write_text(before.replace(old, new))
    try:
        yield
    finally:
        file.write_text(before)
