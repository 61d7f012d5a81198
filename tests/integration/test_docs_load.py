"""The page on load is a workspace: its profiles load, and its locustfiles run under plain Locust and under ours."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sloproof.loadtests.profile import LoadProfile
from sloproof.workspace import load_workspace
from tests.integration.locust_target import LocustTarget

pytestmark = pytest.mark.integration
SLOPROOF = str(Path(sys.executable).with_name("sloproof"))

PAGE = Path(__file__).parents[2] / "docs" / "load.md"
EXAMPLE = re.compile(r"^```(?:python|csv) (\S+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    (tmp_path / "pyproject.toml").write_text('[tool.sloproof]\nscrape-interval = "30s"\n')
    for file, example in EXAMPLE.findall(PAGE.read_text(encoding="utf-8")):
        (tmp_path / file).parent.mkdir(exist_ok=True, parents=True)
        with (tmp_path / file).open("a") as written:
            written.write(example)
    return tmp_path


@pytest.fixture
def target() -> Iterator[LocustTarget]:
    server = LocustTarget()
    yield server
    server.end()


def test_the_profiles_of_the_page_load(workspace: Path) -> None:
    profiles = {profile.name: profile for profile in load_workspace(workspace).all_of(LoadProfile)}
    assert profiles.keys() == {"ramp", "spike", "steps", "soak", "visits", "black-friday", "gate", "release"}
    assert profiles["steps"].most_users == 80


def test_the_page_shows_its_files_with_their_names() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert text.count("```python") + text.count("```csv") == len(EXAMPLE.findall(text)) >= 8


def test_plain_locust_runs_the_pages_locustfiles(workspace: Path, target: LocustTarget) -> None:
    for name in ("shop.py", "buyers.py"):
        command = [
            *(sys.executable, "-m", "locust", "--headless", "--only-summary", "-f", f"loadtests/users/{name}"),
            *("-H", target.url, "--users", "4", "--spawn-rate", "4", "--run-time", "9s", "--stop-timeout", "2"),
        ]
        environment = {key: value for key, value in os.environ.items() if not key.startswith("LOCUST_")}
        run = subprocess.run(
            command, check=False, capture_output=True, text=True, timeout=90, cwd=workspace, env=environment
        )
        assert run.returncode == 0 and "Traceback" not in run.stderr, run.stderr
    asked = target.asked
    assert asked["GET /products/17"] > 0
    assert asked["POST /login"] == target.books()["tokens"] == 4
    assert asked["POST /private/orders"] > 10
    assert asked["POST /private/vouchers"] <= 3


def test_the_page_on_any_locustfile_is_true(workspace: Path, target: LocustTarget) -> None:
    command = [
        *(SLOPROOF, "load", "run", "--locustfile", "loadtests/users/buyers.py", "--target", target.url),
        *("--users", "4", "--spawn-rate", "4", "--duration", "5s"),
    ]
    run = subprocess.run(command, check=False, capture_output=True, text=True, timeout=120, cwd=workspace)
    assert run.returncode == 3, run.stderr
    assert "Nothing was expected of this run" in run.stdout
    assert target.asked["POST /login"] == 4


def test_a_recorded_day_of_the_page_is_replayed(workspace: Path, target: LocustTarget) -> None:
    command = [SLOPROOF, "load", "run", "black-friday", "--target", target.url, "--fraction", "0.02"]
    run = subprocess.run(command, check=False, capture_output=True, text=True, timeout=120, cwd=workspace)
    assert run.returncode == 3, run.stderr
    asked = target.asked
    assert asked["GET /products/17"] + asked["GET /search"] == pytest.approx(12_590 * 1.5 * 0.02, rel=0.25)
