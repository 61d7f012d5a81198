"""`sloproof prove` with the real promtool."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from sloproof.alerts.proof import Check, ProofCase
from sloproof.errors import PartFailed
from sloproof.lab.parts import PARTS_VARIABLE, find
from sloproof.promql import Selector, call
from sloproof.promtool import run_rule_tests
from tests.integration.conftest import REPOSITORY

pytestmark = pytest.mark.integration
WORKSPACE = REPOSITORY / "tests" / "scenarios" / "workspace"


def prove(
    folder: Path, *arguments: str, parts: Path | None, code: int | None = None
) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PATH": "/nowhere", "NO_COLOR": "1"}
    environment.pop(PARTS_VARIABLE, None)
    if parts is not None:
        environment[PARTS_VARIABLE] = str(parts)
    script = "import sys; from sloproof.cli import main; sys.exit(main(sys.argv[1:]))"
    done = subprocess.run(
        [sys.executable, "-c", script, "prove", *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert code is None or done.returncode == code, done.stdout + done.stderr
    return done


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    return Path(shutil.copytree(WORKSPACE, tmp_path / "work"))


def test_a_workspace_is_proven_as_a_table_as_json_and_as_junit(workspace: Path, parts: Path, tmp_path: Path) -> None:
    done = prove(workspace, "--junit", "junit.xml", parts=parts, code=0)
    assert "ShopAvailabilityFastBurn" in done.stdout and "NOT PROVEN" not in done.stdout
    assert done.stdout.splitlines()[1].split()[:6] == ["ShopAvailabilityFastBurn", "1m37s", "/", "9m23s", "/", "43m57s"]
    suites = ElementTree.parse(workspace / "junit.xml").getroot()
    cases = {suite.get("name", ""): int(suite.get("tests", "0")) for suite in suites}
    assert all(suite.get("failures") == "0" for suite in suites)
    assert len(cases) == 17
    assert min(cases.values()) >= 2
    assert min(count for alert, count in cases.items() if alert.endswith(("FastBurn", "TrickleBurn"))) >= 10
    named = prove(workspace, "--json", "ShopAvailabilityFastBurn", parts=parts, code=0)
    document = json.loads(named.stdout)
    assert [alert["alert"] for alert in document["alerts"]] == ["ShopAvailabilityFastBurn"]


def test_a_broken_rules_file_ends_with_1_and_says_why(workspace: Path, parts: Path) -> None:
    script = "import sys; from sloproof.cli import main; sys.exit(main(['generate']))"
    subprocess.run([sys.executable, "-c", script], cwd=workspace, check=True, capture_output=True)
    rules = workspace / "alerts" / "generated" / "shop.rules.yaml"
    rules.write_text(rules.read_text().replace(">= 3)", ">= 0)"))
    done = prove(workspace, "--rules", "alerts/generated", "ShopAvailabilityFastBurn", parts=parts, code=1)
    assert "NOT PROVEN" in done.stdout
    assert "it fires for a single bad request" in done.stdout


def test_an_unknown_alert_and_a_folder_without_rules_are_usage_errors(workspace: Path, parts: Path) -> None:
    assert "there is no alert `Nothing`" in prove(workspace, "Nothing", parts=parts, code=2).stderr
    assert "sloproof generate" in prove(workspace, "--rules", "nowhere", parts=parts, code=2).stderr


def test_a_missing_promtool_ends_with_6_and_a_hint(workspace: Path) -> None:
    done = prove(workspace, parts=None, code=6)
    assert "`promtool` is not on this machine" in done.stderr
    assert "hint:" in done.stderr


def one_case(at: str, value: int) -> ProofCase:
    from sloproof.definition import parse_duration

    check = Check(call("count", Selector("up")), parse_duration(at), value, "it is not up")
    step = parse_duration("30s")
    group = {"name": "g", "rules": [{"record": "a", "expr": "up"}]}
    return ProofCase("A", "case", [group], step, step, {"up": "1+0x10"}, (check,))


def test_runs_come_back_in_the_order_given(parts: Path) -> None:
    runs = run_rule_tests(find("promtool"), [one_case("1m", 1), one_case("4m", 2), one_case("2m", 1)])
    assert [run.passed for run in runs] == [True, False, True]
    assert "got: {} 1E+00" in runs[1].output


def test_a_program_that_does_not_start_is_a_failed_part(tmp_path: Path) -> None:
    with pytest.raises(PartFailed, match="does not start"):
        run_rule_tests(tmp_path / "promtool", [one_case("1m", 1)])
