"""`sloproof status` on a real Prometheus whose scrapes had a gap: the recorded figure is wrong, the ledger's right."""

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from sloproof.alerts import REAL
from sloproof.alerts.recording import base_rules
from sloproof.lab.parts import find
from sloproof.prometheus import Prometheus
from sloproof.workspace.loading import load_workspace
from tests.integration.test_prometheus_adapter import WORKSPACE_PARTS, eventually, free_port, running

pytestmark = pytest.mark.integration

HOUR = 3600
SCRAPE = 30
HISTORY = 66 * HOUR
GAP = (20 * HOUR, 17 * HOUR)
"""Seconds before now; an incident lies inside, seen by nobody but the counters."""
INCIDENT = (19.5 * HOUR, 18.5 * HOUR)
PROGRAM = str(Path(sys.executable).parent / "sloproof")
NEVER = (0.0, 0.0)
RATE, BAD_SHARE, INCIDENT_SHARE = 20.0, 0.0005, 0.04
DEFINITIONS = """
from sloproof import SLO, ErrorRatio, Service

shop = Service(name="shop", owner="shop team", job="shop")


def objective(name, metric, **changes):
    sli = ErrorRatio(errors=f'{metric}_total{{code="500"}}', total=f"{metric}_total")
    return SLO(**{"service": shop, "name": name, "objective": "99.9", "window": "2d", "sli": sli} | changes)


gapped = objective("gapped", "gapped")
steady = objective("steady", "steady")
split = objective("split", "steady", by=("route",))
month = objective("month", "steady", window="30d")
missing = objective("missing", "missing")
"""


@dataclass(frozen=True)
class Place:
    """A workspace and the Prometheus that its rules run on."""

    root: Path
    url: str
    end: float

    def status(self, *options: str, code: int) -> str:
        command = [PROGRAM, "status", "--prometheus", self.url, *options]
        environment = {**os.environ, "NO_COLOR": "1", "COLUMNS": "200"}
        done = subprocess.run(
            command, cwd=self.root, env=environment, capture_output=True, text=True, timeout=120, check=False
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout + (done.stderr if code == 6 else "")

    def budgets(self, code: int) -> dict[str, dict[str, Any]]:
        return {one["slo"]: one for one in json.loads(self.status("--json", code=code))["objectives"]}


def growth(since: float, gap: tuple[float, float], bad: float) -> Iterator[tuple[int, float]]:
    """When a counter was scraped, seconds before now, and how far it had come."""
    value = 0.0
    for age in range(HISTORY, 0, -SCRAPE):
        inside = INCIDENT[0] >= age > INCIDENT[1] and gap != NEVER
        value += RATE * SCRAPE * ((INCIDENT_SHARE if inside else bad) if since else 1)
        if not gap[0] > age > gap[1]:
            yield age, value


def raw_text(now: float) -> Iterator[str]:
    for metric, gap in (("gapped", GAP), ("steady", NEVER)):
        yield f"# TYPE {metric}_total unknown"
        for route, bad in (("/a", BAD_SHARE), ("/b", 0.0)) if metric == "steady" else (("/", BAD_SHARE),):
            for code, of_errors in (("200", 0), ("500", 1)):
                series = f'{metric}_total{{job="shop",instance="i",route="{route}",code="{code}"}}'
                yield from (f"{series} {value:.3f} {now - age:.3f}" for age, value in growth(of_errors, gap, bad))


def truth(incident: bool) -> float:
    """What is left of the budget of two days, by exact counts of both counters."""
    seconds = 48 * HOUR
    lost = (INCIDENT[0] - INCIDENT[1]) * (INCIDENT_SHARE - BAD_SHARE) if incident else 0
    bad = seconds * BAD_SHARE + lost
    return 1 - bad / (seconds + bad) / 0.001


def add_blocks(lines: Iterator[str], folder: Path, name: str) -> None:
    (folder / name).write_text("\n".join([*lines, "# EOF\n"]))
    command = [str(find("promtool", WORKSPACE_PARTS)), "tsdb", "create-blocks-from", "openmetrics", "--quiet"]
    subprocess.run(
        [*command, str(folder / name), str(folder / "series")],
        check=True,
        capture_output=True,
        env={"PATH": os.defpath},
        timeout=120,
    )


@contextmanager
def prometheus(folder: Path) -> Iterator[Prometheus]:
    port = free_port()
    command = [
        str(find("prometheus", WORKSPACE_PARTS)),
        f"--config.file={folder / 'prometheus.yaml'}",
        f"--storage.tsdb.path={folder / 'series'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--storage.tsdb.retention.time=60d",
    ]
    with running(command, folder), Prometheus(f"http://127.0.0.1:{port}", timeout=timedelta(minutes=1)) as server:
        eventually(server.ready, "start-up")
        yield server


def workspace(root: Path, definitions: str = DEFINITIONS) -> Path:
    (root / "slo").mkdir(parents=True)
    (root / "pyproject.toml").write_text('[tool.sloproof]\nscrape-interval = "30s"\n')
    (root / "slo" / "shop.py").write_text(definitions)
    return root


def recorded_text(server: Prometheus, root: Path, now: float) -> Iterator[str]:
    """The base series as they would have been recorded, from the same expressions."""
    lines: dict[str, list[str]] = {}
    for slo in load_workspace(root).slos:
        for rule in base_rules(slo, REAL):
            selector = re.compile(r"slo:total:rate5m\{[^}]*\}")  # recorded by the rule before; here it is asked anew
            text = selector.sub(f"({slo.total(REAL.base)})", str(rule.expression))
            for one in server.range(text, now - HISTORY + 600, now, 30).series:
                labels = {**one.labels, **rule.labels}
                labels.pop("__name__", None)
                inside = ",".join(f'{name}="{value}"' for name, value in sorted(labels.items()))
                lines.setdefault(rule.record, []).extend(
                    f"{rule.record}{{{inside}}} {value} {at:.3f}" for at, value in one.points
                )
    for record, points in lines.items():
        yield f"# TYPE {record} unknown"
        yield from points


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("status")
    root, now = workspace(folder / "work"), float(int(time.time()))
    subprocess.run([PROGRAM, "generate"], cwd=root, check=True, capture_output=True)
    (folder / "prometheus.yaml").write_text("{}")
    add_blocks(raw_text(now), folder, "raw")
    with prometheus(folder) as server:
        lines = list(recorded_text(server, root, now))
    add_blocks(iter(lines), folder, "recorded")
    rules = (root / "alerts/generated/shop.rules.yaml").read_text()
    (folder / "rules.yaml").write_text(re.sub(r"interval: \w+", "interval: 1s", rules))  # only sooner than by itself
    (folder / "prometheus.yaml").write_text("rule_files: [rules.yaml]\n")
    with prometheus(folder) as server:
        eventually(lambda: len(server.instant("slo:coverage:ratio_2d").series) >= 4, "a budget", 60)
        yield Place(root, server.url, now)


def test_a_gap_hides_an_incident_from_the_rules_and_not_from_the_ledger(place: Place) -> None:
    one = place.budgets(code=1)["gapped"]
    assert one["budget_left"]["recorded"] == pytest.approx(0.5, abs=0.02)
    assert one["budget_left"]["ledger"] == pytest.approx(truth(incident=True), abs=0.01)
    assert one["budget_left"]["ledger"] < 0  # missed, and by the rules half of it would be left
    assert one["budget_left"]["differ"] is True
    assert one["coverage"] == pytest.approx(45 / 48, abs=0.01)
    assert "ledger also counts what came in gaps" in one["notes"][0]


def test_without_a_gap_both_agree_and_one_is_shown(place: Place) -> None:
    one = place.budgets(code=1)["steady"]
    assert one["budget_left"]["recorded"] == pytest.approx(one["budget_left"]["ledger"], abs=0.01)
    assert one["budget_left"]["differ"] is False
    assert one["burn"]["rate"] == pytest.approx(0.25, abs=0.02)
    (line,) = [line for line in place.status(code=1).splitlines() if line.startswith("shop/steady ")]
    assert "recorded" not in line
    assert "PASS" in line


def test_the_worst_group_of_a_split_objective_stands_for_it(place: Place) -> None:
    one = place.budgets(code=1)["split"]
    assert one["group"] == {"route": "/a"}
    assert one["budget_left"]["ledger"] == pytest.approx(0.5, abs=0.02)


def test_the_worst_comes_first_and_what_is_unknown_last(place: Place) -> None:
    lines = place.status(code=1).splitlines()
    assert lines[1].startswith("shop/gapped ")
    assert "by ledger" in lines[1] and "recorded" in lines[1]
    shown = [line.split()[0] for line in lines if line.endswith(("PASS", "FAIL", "UNDECIDED"))]
    assert len(shown) == 5 and shown[-1] == "shop/missing"
    assert any(line.startswith("shop/missing  no data: ") and line.endswith("UNDECIDED") for line in lines)


def test_closed_periods_are_asked_for_once(place: Place) -> None:
    place.status(code=1)
    files = {file: file.read_bytes() for file in (place.root / ".sloproof/budget").iterdir()}
    assert {file.name for file in files} >= {"shop.gapped.jsonl", "shop.steady.jsonl", "shop.split.jsonl"}
    place.status(code=1)
    assert {file: file.read_bytes() for file in files} == files


def test_a_spoilt_line_of_the_ledger_is_counted_again(place: Place) -> None:
    before = place.budgets(code=1)["gapped"]["budget_left"]["ledger"]
    file = place.root / ".sloproof/budget/shop.gapped.jsonl"
    lines = file.read_text().splitlines()
    file.write_text("\n".join([*lines[:3], "}{", *lines[4:]]) + "\n")
    assert place.budgets(code=1)["gapped"]["budget_left"]["ledger"] == pytest.approx(before, abs=0.01)


def test_an_edited_objective_is_told_from_what_the_loaded_rules_promise(place: Place, tmp_path: Path) -> None:
    root = workspace(tmp_path / "edited", DEFINITIONS.replace('"objective": "99.9"', '"objective": "99.5"'))
    one = Place(root, place.url, place.end).budgets(code=3)["steady"]
    assert "the loaded rules promise 99.9 %" in one["notes"][-1]
    assert one["budget_left"]["ledger"] == pytest.approx(0.95, abs=0.01)
    assert one["budget_left"]["recorded"] == pytest.approx(0.75, abs=0.02)


def test_a_calendar_month_is_counted_from_its_start(place: Place, tmp_path: Path) -> None:
    root = workspace(tmp_path / "month", DEFINITIONS.replace('window="30d"', 'window="30d", calendar="month"'))
    one = Place(root, place.url, place.end).budgets(code=1)["month"]
    begin = datetime.now(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0).timestamp()
    assert one["window"] == "month"
    if begin < place.end - HISTORY:
        assert one["budget_left"]["ledger"] is None  # the counters do not reach back to the 1st
    else:
        assert one["budget_left"]["ledger"] == pytest.approx(0.75, abs=0.02)


def test_a_ledger_that_cannot_be_written_fails_and_the_figures_are_shown(place: Place, tmp_path: Path) -> None:
    root = workspace(tmp_path / "unwritable")
    (root / ".sloproof").write_text("a file in the place of a folder")
    said = Place(root, place.url, place.end).status(code=6)
    assert "shop/steady" in said
    assert "budget ledger" in said and "hint: mend its permissions" in said


def test_an_empty_prometheus_never_passes(place: Place, tmp_path: Path) -> None:
    (tmp_path / "prometheus.yaml").write_text("{}")
    root = workspace(tmp_path / "work")
    with prometheus(tmp_path) as server:
        lines = Place(root, server.url, place.end).status(code=3).splitlines()
    assert lines[0] == "shop  no data for 5 objectives: gapped, missing, month, split, steady  UNDECIDED"
    assert not (root / ".sloproof" / "budget").exists()


def test_a_prometheus_that_is_gone_is_a_failed_part(place: Place) -> None:
    gone = Place(place.root, f"http://127.0.0.1:{free_port()}", place.end)
    assert "cannot be reached" in gone.status(code=6)
