"""The benchmarks run, in their quick modes, and meet the targets that hold at that size."""

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.integration

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


def run(*arguments: str) -> str:
    command = [sys.executable, *arguments]
    made = subprocess.run(command, cwd=BENCHMARKS, capture_output=True, text=True, check=False, timeout=900)
    assert made.returncode == 0, made.stdout + made.stderr
    return made.stdout


def test_rules_are_cheap_and_true(parts: Path) -> None:
    shown = run("rules_cost.py", "--quick")
    assert "sloproof, with the ledger" in shown
    assert "samples a minute" in shown


def test_rules_are_generated_fast() -> None:
    assert "100" in run("generate_speed.py", "--quick")


def test_the_verdict_is_simulated_beside_other_tools() -> None:
    shown = run("verdict_coverage.py", "--runs", "2")
    assert shown.count("no target is judged") == 5
    assert "Locust passes" in shown


def test_many_objectives_are_asked_for_in_a_handful_of_queries(parts: Path) -> None:
    shown = run("status_queries.py", "--quick")
    assert "sloproof status" in shown
    assert "one query an objective" in shown
