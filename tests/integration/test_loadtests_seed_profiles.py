"""The locustfiles of the five systems are ordinary ones, and their profiles run against a target that is given."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.locust_target import LocustTarget

pytestmark = pytest.mark.integration
SLOPROOF = str(Path(sys.executable).with_name("sloproof"))

ROOT = Path(__file__).parents[2]
LOCUSTFILES = sorted(path.name for path in (ROOT / "loadtests" / "users").glob("*.py"))


@pytest.fixture
def target() -> Iterator[LocustTarget]:
    server = LocustTarget()
    yield server
    server.end()


@pytest.mark.parametrize("locustfile", LOCUSTFILES)
def test_plain_locust_runs_each_locustfile(locustfile: str, target: LocustTarget, tmp_path: Path) -> None:
    command = [
        *(sys.executable, "-m", "locust", "--headless", "--only-summary", "--exit-code-on-error", "0"),
        *("-f", str(ROOT / "loadtests" / "users" / locustfile), "-H", target.url),
        *("--users", "12", "--spawn-rate", "12", "--run-time", "5s", "--stop-timeout", "2"),
    ]
    environment = {key: value for key, value in os.environ.items() if not key.startswith("LOCUST_")}
    run = subprocess.run(
        command, check=False, capture_output=True, text=True, timeout=90, cwd=tmp_path, env=environment
    )
    assert run.returncode == 0, run.stderr
    assert "Traceback" not in run.stderr
    assert sum(target.asked.values()) >= 12


def test_the_weights_of_the_keyword_load_are_three_to_two_to_one(target: LocustTarget, tmp_path: Path) -> None:
    command = [
        *(SLOPROOF, "load", "run", "keywords-load", "--target", target.url, "--fraction", "0.05"),
        *("--report", str(tmp_path / "report.html")),
    ]
    run = subprocess.run(command, check=False, capture_output=True, text=True, timeout=180, cwd=ROOT)
    asked = target.asked
    total = sum(asked.values())
    assert total > 600, run.stdout + run.stderr
    shares = [asked[f"{name}"] / total for name in ("POST /api/v1/analyze", "GET /api/v1/search", "GET /health")]
    assert shares == pytest.approx([3 / 6, 2 / 6, 1 / 6], abs=0.07)
    assert "no lab watched the target" in (tmp_path / "report.html").read_text()
    assert "p95 is below 200ms" in run.stdout


def test_a_profile_whose_promise_is_broken_closes_the_gate(target: LocustTarget, tmp_path: Path) -> None:
    broken = target.url + "/broken"
    command = [*(SLOPROOF, "load", "run", "commission-crowd", "--target", broken, "--fraction", "0.03")]
    run = subprocess.run(command, check=False, capture_output=True, text=True, timeout=180, cwd=ROOT)
    assert run.returncode == 1, run.stdout + run.stderr
    assert "FAIL" in run.stdout and "fewer than 0.1 % of requests fail" in run.stdout


def test_a_million_users_are_not_tried_in_one_process(target: LocustTarget) -> None:
    command = [SLOPROOF, "load", "run", "platform-crowd", "--target", target.url]
    run = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60, cwd=ROOT)
    assert run.returncode == 2
    assert "it takes 100 at least" in run.stderr
    assert target.asked == {}


def test_a_target_that_surely_breaks_its_promise_is_loaded_no_longer(target: LocustTarget) -> None:
    command = [SLOPROOF, "load", "run", "commission-sustained", "--target", target.url + "/broken", "--stop-early"]
    run = subprocess.run(command, check=False, capture_output=True, text=True, timeout=180, cwd=ROOT)
    assert run.returncode == 1, run.stdout + run.stderr
    assert "fewer than 0.1 % of requests fail" in run.stdout
    assert sum(target.asked.values()) < 30 * 120


def test_a_locustfile_that_spins_against_a_target_is_ended(target: LocustTarget, tmp_path: Path) -> None:
    (tmp_path / "spins.py").write_text("while True:\n    pass\n")
    command = [SLOPROOF, "load", "run", "--locustfile", str(tmp_path / "spins.py"), "--target", target.url]
    run = subprocess.run(command, check=False, capture_output=True, text=True, timeout=180, cwd=ROOT)
    assert run.returncode not in (0, 1), run.stdout + run.stderr
    assert "spins.py" in run.stderr
    assert target.asked == {}


def test_workers_deal_out_rows_of_their_own(target: LocustTarget, tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("number\n" + "".join(f"{number}\n" for number in range(40)))
    (tmp_path / "dealing.py").write_text("""
from pathlib import Path
from locust import FastHttpUser, constant, task
from sloproof.loadtests.feeding import Rows

rows = Rows(Path(__file__).with_name("rows.csv"), order="once")

class Reader(FastHttpUser):
    wait_time = constant(0.2)

    @task
    def read(self):
        self.client.get("/rows/" + rows.take()["number"], name="/rows/{number}")
""")
    command = [
        *(SLOPROOF, "load", "run", "--locustfile", str(tmp_path / "dealing.py"), "--target", target.url),
        *("--users", "6", "--spawn-rate", "6", "--duration", "8s", "--processes", "2"),
    ]
    run = subprocess.run(command, check=False, capture_output=True, text=True, timeout=180, cwd=ROOT)
    assert run.returncode == 3, run.stdout + run.stderr
    assert target.asked == {f"GET /rows/{number}": 1 for number in range(40)}
