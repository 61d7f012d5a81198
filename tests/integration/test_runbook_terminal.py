"""`sloproof runbook` as a process, on a real Prometheus, on none, and on one that fails."""

import os
import pty
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.integration.test_prometheus_adapter import eventually, free_port, misbehaving, serving
from tests.integration.test_status import add_blocks, prometheus

pytestmark = pytest.mark.integration

PROGRAM = str(Path(sys.executable).parent / "sloproof")
ALERT = "ShopAvailabilityFastBurn"
DEFINITIONS = """
from sloproof import SLO, ErrorRatio, Service

shop = Service(name="shop", owner="shop team", job="shop")
availability = SLO(
    service=shop, name="availability", objective="99.9",
    sli=ErrorRatio(errors='requests_total{job="shop",code="500"}', total='requests_total{job="shop"}'),
)
"""


@dataclass(frozen=True)
class Place:
    """A workspace, and a Prometheus that runs one of its alerts."""

    root: Path
    url: str

    def runbook(self, *options: str) -> "subprocess.CompletedProcess[str]":
        environment = {**os.environ, "COLUMNS": "80"}
        return subprocess.run(
            [PROGRAM, "runbook", *options],
            cwd=self.root,
            env=environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def drawn(self, *options: str) -> str:
        """As `runbook`, on a terminal of 80 columns without colours."""
        environment = {**os.environ, "COLUMNS": "80", "NO_COLOR": "1", "TERM": "xterm"}
        ours, theirs = pty.openpty()
        with subprocess.Popen(
            [PROGRAM, "runbook", *options], cwd=self.root, env=environment, stdin=theirs, stdout=theirs, stderr=theirs
        ) as process:
            os.close(theirs)
            text = b"".join(_until_closed(ours))
            os.close(ours)
            assert process.wait(120) == 0
        return re.sub(r"\x1b\[[01]?m|\x1b\[[^3][0-9;]*m", "", text.decode().replace("\r\n", "\n"))


def _until_closed(terminal: int) -> Iterator[bytes]:
    while True:
        try:
            read = os.read(terminal, 65536)
        except OSError:  # Linux says so when the other end is closed
            return
        if not read:
            return
        yield read


def recorded(now: int) -> Iterator[str]:
    for metric, value in {"slo:error:ratio_1h": 0.02, "slo:error:ratio_5m": 0.5, "slo:errors:count_1h": 40}.items():
        yield f"# TYPE {metric} unknown"
        series = f'{metric}{{service="shop",slo="availability"}}'
        yield from (f"{series} {value} {at}" for at in range(now - 300, now + 3600, 60))


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("runbook")
    root = folder / "work"
    (root / "slo").mkdir(parents=True)
    (root / "pyproject.toml").write_text("[tool.sloproof]\n")
    (root / "slo" / "shop.py").write_text(DEFINITIONS)
    subprocess.run([PROGRAM, "generate"], cwd=root, check=True, capture_output=True)
    add_blocks(recorded(int(time.time())), folder, "recorded")
    rules = (root / "alerts/generated/shop.rules.yaml").read_text()
    (folder / "rules.yaml").write_text(re.sub(r"interval: \w+", "interval: 1s", rules))
    (folder / "prometheus.yaml").write_text("rule_files: [rules.yaml]\n")
    with prometheus(folder) as server:
        eventually(lambda: any(one.name == ALERT for one in server.alerts()), "the alert", 60)
        yield Place(root, server.url)


def test_a_firing_alert_and_what_its_queries_answer_stand_on_its_page(place: Place) -> None:
    done = place.runbook(ALERT, "--prometheus", place.url)
    assert done.returncode == 0, done.stderr
    assert "- state: **firing** for " in done.stdout or "- state: **pending** for " in done.stdout
    five_minutes = done.stdout.index('slo:error:ratio_5m{service="shop",slo="availability"}\n   ```')
    assert "**Now:** " in done.stdout[five_minutes : five_minutes + 120]
    assert "**Now:** no result" in done.stdout  # no raw series: the worst places are not known
    assert "<!-- generated" not in done.stdout
    assert "\x1b" not in done.stdout
    assert f"**Graph:** <{place.url}/graph?g0.expr=slo%3Aerror%3Aratio_5m%7B" in done.stdout


def test_on_a_terminal_links_stand_unbroken_at_the_end_and_nothing_else_is_too_wide(place: Place) -> None:
    shown = place.drawn(ALERT, "--prometheus", place.url)
    page, _, links = shown.partition("\nLinks\n")
    assert max(map(len, page.splitlines())) <= 80
    assert "Graph: link 5, at the end" in page and "http" not in page.replace(place.url, "")
    assert [line.split(" ")[:2] for line in links.splitlines()] == [["link", f"{number}:"] for number in range(1, 6)]
    assert all(f" {place.url}/graph?g0.expr=" in line for line in links.splitlines())
    assert "\x1b[3" not in shown  # NO_COLOR


def test_an_alert_whose_rule_is_not_loaded_cannot_be_inactive(place: Place) -> None:
    done = place.runbook("ShopTargetDown", "--prometheus", place.url)
    assert "The rule is not loaded on this server" in done.stdout
    assert "inactive" not in done.stdout.split("## Meaning")[0]


def test_without_a_prometheus_the_page_is_shown_and_says_so(place: Place) -> None:
    done = place.runbook(ALERT)
    assert done.returncode == 0
    assert "- no live values: `--prometheus URL` says where to ask" in done.stdout
    assert "## Mitigation" in done.stdout


def test_a_prometheus_that_is_gone_takes_no_page_away(place: Place) -> None:
    done = place.runbook(ALERT, "--prometheus", f"http://127.0.0.1:{free_port()}")
    assert done.returncode == 6
    assert "**live values are not known:** Prometheus at" in done.stdout
    assert "## Mitigation" in done.stdout
    assert "cannot be reached" in done.stderr


def test_a_prometheus_that_fails_takes_no_page_away(place: Place) -> None:
    with serving(misbehaving(500, b"down for repairs")) as port:
        done = place.runbook(ALERT, "--prometheus", f"http://127.0.0.1:{port}")
    assert done.returncode == 6
    assert "live values are not known" in done.stdout and "status 500" in done.stdout
    assert "## Escalation" in done.stdout


def test_a_name_that_is_nearly_right_is_helped(place: Place) -> None:
    done = place.runbook("ShopAvailabilityFastburn")
    assert done.returncode == 2
    assert f"`{ALERT}`" in done.stderr


def test_no_name_is_asked_for(place: Place) -> None:
    done = place.runbook()
    assert (done.returncode, "hint: name an alert" in done.stderr) == (2, True)


def test_an_empty_history_records_nothing_and_generate_still_works(place: Place) -> None:
    done = place.runbook("--record")
    assert (done.returncode, "kept 0 new of 0" in done.stderr) == (0, True)
    subprocess.run([PROGRAM, "generate", "--check"], cwd=place.root, check=True, capture_output=True)
