"""`sloproof prove` with the real promtool."""

import json
import os
import shutil
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from xml.etree import ElementTree

import pytest
import yaml

from sloproof.alerts import CauseAlert, Links, Timing, cause_groups, rules_yaml
from sloproof.alerts.proof import Check, ProofCase
from sloproof.errors import PartFailed
from sloproof.lab.parts import PARTS_VARIABLE, find
from sloproof.promql import Selector, call, equals
from sloproof.promtool import run_rule_tests
from sloproof.slo import Service, indicator_kinds
from tests.integration.conftest import REPOSITORY

pytestmark = pytest.mark.integration
WORKSPACE = REPOSITORY / "tests" / "scenarios" / "workspace"
EVERY_KIND = REPOSITORY / "tests" / "integration" / "workspace_of_every_kind"


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
    lines = done.stdout.splitlines()
    assert lines[2].split() == ["ShopAvailabilityFastBurn", "proven"]
    assert lines[3].split()[:5] == ["1m37s", "/", "9m23s", "/", "43m57s"]
    assert max(len(line) for line in lines) <= 80
    suites = ElementTree.parse(workspace / "junit.xml").getroot()
    cases = {suite.get("name", ""): int(suite.get("tests", "0")) for suite in suites}
    assert all(suite.get("failures") == "0" for suite in suites)
    assert len(cases) == 17
    assert min(cases.values()) >= 2
    assert min(count for alert, count in cases.items() if alert.endswith(("FastBurn", "TrickleBurn"))) >= 10
    named = prove(workspace, "--json", "ShopAvailabilityFastBurn", parts=parts, code=0)
    document = json.loads(named.stdout)
    assert [alert["alert"] for alert in document["alerts"]] == ["ShopAvailabilityFastBurn"]


def test_every_alert_of_every_kind_is_proven(parts: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(EVERY_KIND, tmp_path / "work"))
    done = prove(folder, "--json", parts=parts, code=0)
    alerts = {alert["alert"]: alert for alert in json.loads(done.stdout)["alerts"]}
    burns = [alert for alert in alerts.values() if "tier" in alert["labels"]]
    assert {alert["labels"]["slo"] for alert in burns} >= indicator_kinds()
    told = {alert["labels"]["slo"] for alert in burns if alert["from_recorded_series"]}
    assert told == {"native-latency-below", "split-native-latency-below", "gauge-above"}
    assert all(alert["notes"] for alert in burns if alert["from_recorded_series"])
    assert all(case["run"] for alert in alerts.values() for case in alert["cases"])
    assert {len(alert["promised"]) for alert in alerts.values()} == {1, 3}
    titles = {case["case"] for alert in burns for case in alert["cases"]}
    assert titles >= {
        "one bad group beside a healthy one",
        "fires and clears in time when part 2 fails",
        "a fault at night fires when it has cost enough",
        "what is judged stays bad",
        "nothing is measured",
    }


def test_a_broken_rules_file_ends_with_1_and_says_why(workspace: Path, parts: Path) -> None:
    script = "import sys; from sloproof.cli import main; sys.exit(main(['generate']))"
    subprocess.run([sys.executable, "-c", script], cwd=workspace, check=True, capture_output=True)
    rules = workspace / "alerts" / "generated" / "shop.rules.yaml"
    rules.write_text(rules.read_text().replace(">= 3)", ">= 0)"))
    done = prove(workspace, "--rules", "alerts/generated", "ShopAvailabilityFastBurn", parts=parts, code=1)
    assert "NOT PROVEN" in done.stdout
    assert "it fires for a single bad request" in done.stdout


def test_a_broken_rule_of_a_budget_is_noticed_by_the_alert_on_it(workspace: Path, parts: Path) -> None:
    script = "import sys; from sloproof.cli import main; sys.exit(main(['generate']))"
    subprocess.run([sys.executable, "-c", script], cwd=workspace, check=True, capture_output=True)
    rules = workspace / "alerts" / "generated" / "shop.rules.yaml"
    assert "[30d]" in rules.read_text()
    rules.write_text(rules.read_text().replace("[30d]", "[3d]"))
    done = prove(workspace, "--rules", "alerts/generated", "ShopAvailabilityBudgetLow", parts=parts, code=1)
    assert "it is silent when the window's events have spent so much" in done.stdout


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


@pytest.mark.parametrize(("window", "fires"), [("2s500ms", 1), ("5m", None)])
def test_a_cause_on_a_scaled_clock_reacts_to_a_fault_that_is_as_much_shorter(
    parts: Path, window: str, fires: int | None
) -> None:
    """Five minutes at a scale of 120 are two and a half seconds; a window left as written would sleep through them."""
    timing = Timing(scale=120, scrape=timedelta(milliseconds=500))
    cause = CauseAlert(
        service=Service(name="api", owner="team", job="api"),
        name="busy",
        expression="rate(seconds_total[5m])",
        above="0.85",
        hold="3m",
        severity="warning",
        summary="it is busy",
        first_step="look",
    )
    groups = yaml.safe_load(rules_yaml(cause_groups("api", [cause], timing, Links())))["groups"]
    assert groups[0]["rules"][0]["expr"] == "rate(seconds_total[2s500ms]) > 0.85"
    groups[0]["rules"][0]["expr"] = f"rate(seconds_total[{window}]) > 0.85"
    step, at = timing.scrape, timedelta(seconds=20)
    quiet, fault = timedelta(seconds=15) // step, timedelta(seconds=10) // step
    check = Check(call("count", Selector("ALERTS", (equals("alertstate", "firing"),))), at, fires, "wrong")
    series = {"seconds_total": f"0+0x{quiet - 1} 0+0.5x{fault}"}
    (run,) = run_rule_tests(find("promtool"), [ProofCase("ApiBusy", "scaled", groups, step, step, series, (check,))])
    assert run.passed, run.output


def test_runs_come_back_in_the_order_given(parts: Path) -> None:
    runs = run_rule_tests(find("promtool"), [one_case("1m", 1), one_case("4m", 2), one_case("2m", 1)])
    assert [run.passed for run in runs] == [True, False, True]
    assert "got: {} 1E+00" in runs[1].output


def test_a_program_that_does_not_start_is_a_failed_part(tmp_path: Path) -> None:
    with pytest.raises(PartFailed, match="does not start"):
        run_rule_tests(tmp_path / "promtool", [one_case("1m", 1)])
