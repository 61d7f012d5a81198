"""Error series that are born with their first error: the first value counts with `born_late`, and only then."""

import subprocess
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

import pytest
import yaml

from sloproof.alerts import DEFAULT_POLICY, REAL, Links, burn_groups, rules_yaml
from sloproof.alerts.burn_alerts import base_group
from sloproof.lab.parts import find
from sloproof.slo import SLO, ErrorRatio, Service
from tests.integration.test_prometheus_adapter import WORKSPACE_PARTS

pytestmark = pytest.mark.integration

MINUTE = timedelta(minutes=1)
SERVED = 'r{job="api",instance="a",code="200"}'
FAILED = 'r{job="api",instance="a",code="500"}'
STEADY = "0+300x400"


def objective(born_late: bool) -> SLO:
    sli = ErrorRatio(errors='r{job="api",code="500"}', total='r{job="api"}', born_late=born_late)
    return SLO(service=Service(name="api", owner="team", job="api"), name="answers", objective="99.9", sli=sli)


def holds(folder: Path, series: dict[str, str], minutes: int, expression: str) -> bool:
    case = {"expr": expression, "eval_time": f"{minutes}m", "exp_samples": [{"labels": "{}", "value": 1}]}
    inputs = [{"series": name, "values": values} for name, values in series.items()]
    tests = [{"interval": "1m", "input_series": inputs, "promql_expr_test": [case]}]
    return judged(folder, {"evaluation_interval": "1m", "tests": tests})


def judged(folder: Path, document: Mapping[str, object]) -> bool:
    (folder / "test.yaml").write_text(yaml.safe_dump(document))
    promtool = str(find("promtool", WORKSPACE_PARTS))
    done = subprocess.run(
        [promtool, "test", "rules", "test.yaml"], cwd=folder, capture_output=True, text=True, timeout=60, check=False
    )
    assert "parse error" not in done.stdout + done.stderr
    return done.returncode == 0


def bad(series: dict[str, str], expected: float, minutes: int, folder: Path, *, born_late: bool = True) -> bool:
    window, slo = 5 * MINUTE, objective(born_late)
    return holds(folder, series, minutes, f"abs(({slo.errors(window)}) * 300 - {expected}) <= bool 0.05")


def test_the_first_errors_of_a_newborn_series_count_with_the_option_alone(tmp_path: Path) -> None:
    series = {SERVED: STEADY, FAILED: "_x120 7+0x200"}
    assert bad(series, 7, 123, tmp_path)
    assert bad(series, 0, 123, tmp_path, born_late=False)
    assert bad(series, 0, 130, tmp_path)  # and once: it is an old series by then


def test_later_errors_count_as_ever(tmp_path: Path) -> None:
    series = {SERVED: STEADY, FAILED: "_x60 7+10x200"}
    assert bad(series, 50, 120, tmp_path)
    assert bad(series, 50, 120, tmp_path, born_late=False)


def test_a_new_target_may_have_counted_for_years(tmp_path: Path) -> None:
    new = FAILED.replace('"a"', '"b"')
    series = {SERVED: STEADY, SERVED.replace('"a"', '"b"'): "_x120 90000+300x200", new: "_x120 5000+0x200"}
    assert bad(series, 0, 123, tmp_path)


def test_nothing_is_counted_again_after_a_gap(tmp_path: Path) -> None:
    gap = "_x89"
    series = {SERVED: f"0+300x60 {gap} 45000+300x200", FAILED: f"40+0x60 {gap} 40+0x200"}
    for minutes in (151, 153, 155, 158):
        assert bad(series, 0, minutes, tmp_path)


def test_no_errors_yet_are_none_and_a_dead_target_is_absent(tmp_path: Path) -> None:
    assert bad({SERVED: STEADY}, 0, 123, tmp_path)
    expression = f"absent({objective(True).errors(5 * MINUTE)})"
    assert holds(tmp_path, {SERVED: "0+300x10 stale"}, 123, expression)


def test_the_ratio_stays_a_share_when_every_answer_is_a_newborn_error(tmp_path: Path) -> None:
    series = {SERVED: "0+300x120 36000+0x200", FAILED: "_x120 300+300x200"}
    slo = objective(True)
    ratio = f"({slo.errors(5 * MINUTE)}) / ({slo.total(5 * MINUTE)})"
    assert holds(tmp_path, series, 126, f"({ratio}) <= bool 1")


def test_the_rules_and_the_fast_page_see_the_first_errors(tmp_path: Path) -> None:
    """Forty errors at once, and never again: a page with the option, and silence without."""
    for born_late in (True, False):
        slo = objective(born_late)
        groups = [base_group(slo, REAL), *burn_groups(slo, DEFAULT_POLICY, REAL, Links())]
        (tmp_path / "rules.yaml").write_text(rules_yaml(groups))
        series = [{"series": SERVED, "values": "0+30x200"}, {"series": FAILED, "values": "_x120 400+0x80"}]
        fires = {"expr": 'count(ALERTS{alertname="ApiAnswersFastBurn",alertstate="firing"})', "eval_time": "123m"}
        fires["exp_samples"] = [{"labels": "{}", "value": 1}] if born_late else []  # type: ignore[assignment]
        document = {
            "rule_files": ["rules.yaml"],
            "evaluation_interval": "1m",
            "group_eval_order": [group.name for group in groups],
            "tests": [{"interval": "1m", "input_series": series, "promql_expr_test": [fires]}],
        }
        assert judged(tmp_path, document)
