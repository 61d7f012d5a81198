"""A drill on a real system: rules that keep their promises pass, and mutated ones are caught."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from sloproof.history import History
from tests.integration.cli_runs import SLOPROOF, Workspace

pytestmark = pytest.mark.integration
TRIES = 3
"""A busy machine can disturb one drill; a wrong rule is wrong in each."""


@pytest.fixture
def workspace(parts: Path, tmp_path: Path) -> Workspace:
    return Workspace(tmp_path / "slos")


def mutated(workspace: Workspace) -> Path:
    """Rules with a short window of 40 min in place of 5 min for one objective, and a wrong label for the other."""
    folder = workspace.root / "mutated"
    done = workspace.run("generate", "--scale", "60", "--scrape-interval", "1s", "--out", str(folder))
    assert done.returncode == 0, done.stderr
    file = folder / "tasks.rules.yaml"
    text = file.read_text()
    begin = text.index("record: slo:error:ratio_5m")
    end = text.index("labels:", begin)
    window = text[begin:end].replace("[5s]", "[40s]")
    text = text[:begin] + window + text[end:]
    right = 'slo:error:ratio_5m{service="tasks",slo="latency",slo_scale="60"} > 0.72'
    assert text.count(right) == 1
    assert window.count("[40s]") == 3, "the rule's three rates"
    file.write_text(text.replace(right, right.replace('slo="latency"', 'slo="latencies"')))
    return folder


def drilled(workspace: Workspace, *words: str) -> tuple[int, dict[str, dict[str, Any]]]:
    cheap = ("--no-control", "--no-absent", "--quiet", "12s", "--rate", "40", "--ratio", "100", "--json")
    done = subprocess.run(
        [SLOPROOF, "drill", "tasks", "--all", "--tier", "fast", *cheap, *words],
        cwd=workspace.root,
        env=workspace.environment(),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.stdout, done.stderr
    found, _ = json.JSONDecoder().raw_decode(done.stdout)
    return done.returncode, {one["slo"]: one for one in found["tiers"]}


def verdicts(tier: dict[str, Any]) -> dict[str, str]:
    return {one["expected"].partition(": ")[2]: one["verdict"] for one in tier["findings"]}


FIRES, CLEARS = "fires within its promise", "resolves within its promise"


def test_a_wrong_window_and_a_wrong_label_are_caught(workspace: Workspace) -> None:
    code, found = drilled(workspace, "--rules", str(mutated(workspace)))
    window, label = found["tasks/availability"], found["tasks/latency"]
    assert verdicts(window)[CLEARS] == "FAIL", window
    assert (verdicts(label)[FIRES], label["fired"]) == ("FAIL", None), label
    assert code == 1


def test_the_generated_rules_keep_their_promises(workspace: Workspace) -> None:
    for _ in range(TRIES):
        code, found = drilled(workspace)
        kept = [verdicts(tier) for tier in found.values()]
        if code == 0:
            break
    assert code == 0, found
    assert all(one[FIRES] == one[CLEARS] == "PASS" for one in kept)
    assert any(expected.startswith("keeps ") for expected in kept[0]), "slower tiers fired, and were inhibited"
    with History.open(workspace.root / ".sloproof" / "history.db") as history:
        assert {run.kind for run in history.runs()} == {"drill"}
