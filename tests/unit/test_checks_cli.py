"""How `sloproof check` ends, and that each form is what it says."""

import json
from pathlib import Path

import pytest

from sloproof.cli.app import main

SHOP = """from sloproof import SLO, ErrorRatio, Service

shop = Service(name="shop", owner="{owner}", job="shop", description="people buy things")

availability = SLO(
    service=shop, name="availability", objective="{objective}", sli=ErrorRatio(errors="e", total="t")
)
"""


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "pyproject.toml").write_text("[tool.sloproof]\n")
    (tmp_path / "slo").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def define(workspace: Path, *, owner: str = "shop team", objective: str = "99.9") -> None:
    (workspace / "slo" / "shop.py").write_text(SHOP.format(owner=owner, objective=objective))


def test_warnings_end_with_0_and_strict_ones_with_1(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    define(workspace)
    assert main(["check", "--format", "json"]) == 0
    told = json.loads(capsys.readouterr().out)["problems"]
    assert {one["severity"] for one in told} == {"warning"}
    assert ("service/no-escalation", "slo/shop.py", 5) in [(one["check"], one["path"], one["line"]) for one in told]
    assert main(["check", "--format", "json", "--strict"]) == 1


def test_a_problem_ends_with_1_in_every_form(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    define(workspace, owner="")
    assert [main(["check", "--format", form]) for form in ("json", "sarif", "github")] == [1, 1, 1]
    out = capsys.readouterr().out
    assert "::error file=slo/shop.py,line=5,title=service/no-owner::" in out


def test_a_definition_that_does_not_load_is_annotated_too(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    define(workspace, objective="100")
    assert main(["check", "--format", "github"]) == 2
    assert capsys.readouterr().out.startswith("::error file=slo/shop.py,line=6,title=definition/invalid::")
    assert main(["check", "--format", "sarif"]) == 2
    (result,) = json.loads(capsys.readouterr().out)["runs"][0]["results"]
    assert result["locations"][0]["physicalLocation"]["region"]["startLine"] == 6


def test_rules_on_a_clock_that_loses_events_do_not_load(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    define(workspace)
    for line in ('scrape-interval = "5m"', 'evaluation-interval = "6m"'):
        (workspace / "pyproject.toml").write_text(f"[tool.sloproof]\n{line}\n")
        assert main(["check", "--format", "github"]) == 2
        assert capsys.readouterr().out.startswith("::error file=pyproject.toml,line=1,title=definition/invalid::")
